// AEAD_AES_128_GCM and AEAD_AES_256_GCM, one packet a call (RFC 7714 sections 8 and 9).
//
// Called packet by packet, libipsec-mb is as fast as through its job queue: GCM keeps the CPU's
// units busy within one packet (tests/bench/cipher_bench.cc).
#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "edge/cipher_layout.h"
#include "edge/cpu_cipher_keys.h"
#include "limits.h"

namespace viaduct::edge {

class GcmPackets {
 public:
  explicit GcmPackets(const IpsecManager& manager);

  // Writes the ciphertext and the tag.
  void protect(const StreamKey& key, const CipherJob& job, const Layout& at);
  // False when the tag is wrong; the body is wiped then, for GCM decrypts while it authenticates.
  bool unprotect(const StreamKey& key, const CipherJob& job, const Layout& at);

 private:
  // The library's functions for one size of key.
  struct Functions {
    aes_gcm_enc_dec_t encrypt;
    aes_gcm_enc_dec_t decrypt;
    aes_gcm_init_t start;
    aes_gcm_enc_dec_update_t encrypt_part;
    aes_gcm_enc_dec_finalize_t finish;
  };
  // State that depends on keys and packets.
  struct State : secrecy::InSecretMemory {
    gcm_context_data context;
    std::array<uint8_t, limits::PacketBufferBytes> additional_data;
  };

  const Functions& functions_of(const StreamKey& key) const {
    return key.profile == srtp::SrtpProfile::AeadAes128Gcm ? with_128_bits_ : with_256_bits_;
  }
  Bytes additional_data(const Layout& at);

  const Functions with_128_bits_;
  const Functions with_256_bits_;
  const std::unique_ptr<State> state_ = std::make_unique<State>();
};

}  // namespace viaduct::edge
