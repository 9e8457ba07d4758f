#include "edge/cpu_cipher_gcm.h"

#include <openssl/crypto.h>

#include <cstring>

#include "protocol/srtp/srtcp.h"

namespace viaduct::edge {
namespace {

constexpr size_t TagBytes = srtp::tag_bytes(srtp::SrtpProfile::AeadAes128Gcm);
static_assert(TagBytes == srtp::tag_bytes(srtp::SrtpProfile::AeadAes256Gcm));

}  // namespace

GcmPackets::GcmPackets(const IpsecManager& manager)
    : with_128_bits_{manager.get()->gcm128_enc, manager.get()->gcm128_dec,
                     manager.get()->gcm128_init, manager.get()->gcm128_enc_update,
                     manager.get()->gcm128_enc_finalize},
      with_256_bits_{manager.get()->gcm256_enc, manager.get()->gcm256_dec,
                     manager.get()->gcm256_init, manager.get()->gcm256_enc_update,
                     manager.get()->gcm256_enc_finalize} {}

// The header, for SRTCP with E||index behind it (RFC 7714 sections 9.2 and 9.3). An SRTCP packet
// that is not encrypted is additional data as a whole.
Bytes GcmPackets::additional_data(const Layout& at) {
  if (at.srtcp_word == nullptr) return at.header;
  uint8_t* to = state_->additional_data.data();
  const size_t clear_bytes = at.header.size() + (at.encrypted ? 0 : at.body.size());
  std::memcpy(to, at.header.data(), clear_bytes);  // the body stands behind the header
  std::memcpy(to + clear_bytes, at.srtcp_word, srtp::SrtcpIndexBytes);
  return {to, clear_bytes + srtp::SrtcpIndexBytes};
}

void GcmPackets::protect(const StreamKey& key, const CipherJob& job, const Layout& at) {
  const Functions& gcm = functions_of(key);
  gcm_context_data* context = &state_->context;
  const auto iv = gcm_iv(job.ssrc, job.index, key.salt);
  const Bytes additional = additional_data(at);
  uint8_t* out = at.body.data();
  if (at.prefix.empty()) {
    gcm.encrypt(&key.gcm, context, out, at.payload.data(), at.payload.size(), iv.data(),
                additional.data(), additional.size(), at.tag, TagBytes);
    return;
  }
  gcm.start(&key.gcm, context, iv.data(), additional.data(), additional.size());
  gcm.encrypt_part(&key.gcm, context, out, at.prefix.data(), at.prefix.size());
  if (!at.payload.empty()) {
    gcm.encrypt_part(&key.gcm, context, out + at.prefix.size(), at.payload.data(),
                     at.payload.size());
  }
  gcm.finish(&key.gcm, context, at.tag, TagBytes);
}

bool GcmPackets::unprotect(const StreamKey& key, const CipherJob& job, const Layout& at) {
  const auto iv = gcm_iv(job.ssrc, job.index, key.salt);
  const Bytes additional = additional_data(at);
  const size_t ciphertext_bytes = at.encrypted ? at.body.size() : 0;
  uint8_t tag[TagBytes];
  functions_of(key).decrypt(&key.gcm, &state_->context, at.body.data(), at.body.data(),
                            ciphertext_bytes, iv.data(), additional.data(), additional.size(), tag,
                            TagBytes);
  if (CRYPTO_memcmp(tag, at.tag, TagBytes) == 0) return true;
  OPENSSL_cleanse(at.body.data(), at.body.size());
  return false;
}

}  // namespace viaduct::edge
