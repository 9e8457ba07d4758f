// BatchCipher on OpenSSL, one packet at a time: the slow twin that every fast cipher is compared with, and the
// one that runs where no fast one does.
//
// It is OpenSSL and not libsrtp2 because our interface names the packet index and writes out of place, one
// payload for many receivers, which libsrtp2's API cannot express; libsrtp2 is the oracle in tests/differential
// instead. RFC 3711 sections 3 and 4 for AES128_CM_HMAC_SHA1_80, RFC 7714 sections 8 and 9 for AEAD_AES_*_GCM.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "edge/batch_cipher.h"
#include "protocol/srtp/key_derivation.h"

namespace viaduct::edge {

class ReferenceCipher final : public BatchCipher {
 public:
  ReferenceCipher(Direction direction, size_t max_keys);
  ~ReferenceCipher() override;

  Result<KeySlot> add_key(const srtp::SrtpKeys& keys) override;
  // The same for session keys that are derived already, such as those of published packet vectors.
  Result<KeySlot> add_session_keys(srtp::SrtpProfile profile, const srtp::SessionKeys& keys);
  void remove_key(KeySlot slot) override;
  void submit(CipherBatch* batch) override;  // the work is done here
  CipherBatch* poll() override;
  const char* name() const override { return "reference"; }

 private:
  struct Key;
  struct RetiredSlot {
    uint32_t slot;
    uint64_t batches_submitted;  // at its removal; the slot is free once as many have been polled
  };

  Verdict run(CipherJob& job);
  void free_retired_slots();

  const Direction direction_;
  std::vector<std::unique_ptr<Key>> keys_;  // by slot
  std::vector<uint32_t> free_slots_;
  std::deque<RetiredSlot> retired_slots_;
  std::deque<CipherBatch*> finished_;
  uint64_t batches_submitted_ = 0;
  uint64_t batches_polled_ = 0;
};

}  // namespace viaduct::edge
