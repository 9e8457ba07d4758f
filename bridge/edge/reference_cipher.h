// BatchCipher on OpenSSL, one packet at a time: the slow twin that every fast cipher is compared with, and the
// one that runs where no fast one does.
//
// It is OpenSSL and not libsrtp2 because our interface names the packet index and writes out of place, one
// payload for many receivers, which libsrtp2's API cannot express; libsrtp2 is the oracle in tests/differential
// instead. RFC 3711 sections 3 and 4 for AES128_CM_HMAC_SHA1_80, RFC 7714 sections 8 and 9 for AEAD_AES_*_GCM.
#pragma once

#include <cstddef>

#include "edge/key_table.h"
#include "edge/session_cipher.h"

namespace viaduct::edge {

class ReferenceCipher final : public SessionCipher {
 public:
  ReferenceCipher(Direction direction, size_t max_keys);
  ~ReferenceCipher() override;

  Result<KeySlot> add_session_keys(srtp::SrtpProfile profile, const srtp::SessionKeys& keys) override;
  void remove_key(KeySlot slot) override;
  void submit(CipherBatch* batch) override;  // the work is done here
  CipherBatch* poll() override;
  const char* name() const override { return "reference"; }

 private:
  struct Key;

  Verdict run(CipherJob& job);

  const Direction direction_;
  KeyTable<Key> keys_;
};

}  // namespace viaduct::edge
