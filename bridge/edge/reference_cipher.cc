#include "edge/reference_cipher.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <cstring>
#include <string>

#include "edge/cipher_layout.h"
#include "protocol/srtp/srtcp.h"
#include "secrecy/in_secret_memory.h"

namespace viaduct::edge {
namespace {

using srtp::SrtpProfile;

struct FreeCipher { void operator()(EVP_CIPHER_CTX* ctx) const { EVP_CIPHER_CTX_free(ctx); } };
struct FreeMac { void operator()(EVP_MAC_CTX* ctx) const { EVP_MAC_CTX_free(ctx); } };

// One direction of one master key for SRTP, or for SRTCP: ready contexts that need only a packet's IV.
// OpenSSL wipes what it holds of the keys when the contexts are freed.
struct Stream {
  std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> cipher;
  std::unique_ptr<EVP_MAC_CTX, FreeMac> mac;  // SHA1_80 only
  srtp::SecretBytes<srtp::MaxSessionSaltBytes> salt;
};

const EVP_CIPHER* cipher_of(SrtpProfile profile) {
  switch (profile) {
    case SrtpProfile::AeadAes128Gcm: return EVP_aes_128_gcm();
    case SrtpProfile::AeadAes256Gcm: return EVP_aes_256_gcm();
    case SrtpProfile::Aes128CmHmacSha1_80: break;
  }
  return EVP_aes_128_ctr();
}

// A context for HMAC-SHA1 with its key set, or null.
std::unique_ptr<EVP_MAC_CTX, FreeMac> make_hmac_sha1(Bytes key) {
  EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  std::unique_ptr<EVP_MAC_CTX, FreeMac> ctx(EVP_MAC_CTX_new(hmac));
  EVP_MAC_free(hmac);
  char digest[] = "SHA1";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                               OSSL_PARAM_construct_end()};
  if (!ctx || EVP_MAC_init(ctx.get(), key.data(), key.size(), params) != 1) return nullptr;
  return ctx;
}

bool make_stream(SrtpProfile profile, Direction direction, const srtp::SessionKey& key, Stream* stream) {
  stream->cipher.reset(EVP_CIPHER_CTX_new());
  const int encrypt = direction == Direction::Protect ? 1 : 0;
  if (!stream->cipher || EVP_CipherInit_ex(stream->cipher.get(), cipher_of(profile), nullptr, key.encryption.data(),
                                           nullptr, encrypt) != 1) {
    return false;
  }
  if (!is_gcm(profile)) {
    stream->mac = make_hmac_sha1(key.authentication.first(srtp::AuthenticationKeyBytes));
    if (!stream->mac) return false;
  }
  std::memcpy(stream->salt.data(), key.salt.data(), key.salt.size());
  return true;
}

// Runs `in` through the cipher to `out`; the two may be the same place. Null `out`: additional data of an AEAD.
bool update(EVP_CIPHER_CTX* ctx, Bytes in, uint8_t* out) {
  int written = 0;
  return in.empty() || EVP_CipherUpdate(ctx, out, &written, in.data(), static_cast<int>(in.size())) == 1;
}

bool start(EVP_CIPHER_CTX* ctx, const uint8_t* iv) {
  return EVP_CipherInit_ex(ctx, nullptr, nullptr, nullptr, iv, -1) == 1;
}

// The additional data of GCM: the header, for SRTCP with E||index behind it (RFC 7714 section 9.2, 9.3). An
// SRTCP packet that is not encrypted is additional data as a whole.
bool update_additional_data(EVP_CIPHER_CTX* ctx, const Layout& at) {
  if (!update(ctx, at.header, nullptr)) return false;
  if (!at.encrypted && !update(ctx, at.body, nullptr)) return false;
  return at.srtcp_word == nullptr || update(ctx, {at.srtcp_word, srtp::SrtcpIndexBytes}, nullptr);
}

bool protect_gcm(const Stream& stream, const CipherJob& job, const Layout& at, size_t tag_bytes) {
  EVP_CIPHER_CTX* ctx = stream.cipher.get();
  uint8_t nothing[16];
  int written = 0;
  return start(ctx, gcm_iv(job.ssrc, job.index, stream.salt.data()).data()) &&
         update_additional_data(ctx, at) && update(ctx, at.prefix, at.prefix.data()) &&
         update(ctx, at.payload, at.body.data() + at.prefix.size()) &&
         EVP_CipherFinal_ex(ctx, nothing, &written) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag_bytes), at.tag) == 1;
}

// GCM decrypts while it authenticates: on a wrong tag the plaintext is wiped again.
bool unprotect_gcm(const Stream& stream, const CipherJob& job, const Layout& at, size_t tag_bytes) {
  EVP_CIPHER_CTX* ctx = stream.cipher.get();
  uint8_t nothing[16];
  int written = 0;
  const bool ok = start(ctx, gcm_iv(job.ssrc, job.index, stream.salt.data()).data()) &&
                  EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag_bytes), at.tag) == 1 &&
                  update_additional_data(ctx, at) &&
                  (!at.encrypted || update(ctx, at.payload, at.body.data())) &&
                  EVP_CipherFinal_ex(ctx, nothing, &written) == 1;
  if (!ok) OPENSSL_cleanse(at.body.data(), at.body.size());
  return ok;
}

// HMAC-SHA1 over header and body, and ROC (SRTP, RFC 3711 section 4.2) or E||index (SRTCP, section 3.4).
bool compute_hmac(const Stream& stream, const CipherJob& job, const Layout& at, std::array<uint8_t, 20>* tag) {
  EVP_MAC_CTX* mac = stream.mac.get();
  std::array<uint8_t, 4> last{};
  if (at.srtcp_word != nullptr) {
    std::memcpy(last.data(), at.srtcp_word, last.size());
  } else {
    store_be32(last.data(), static_cast<uint32_t>(job.index >> 16));
  }
  size_t written = 0;
  return EVP_MAC_init(mac, nullptr, 0, nullptr) == 1 &&
         EVP_MAC_update(mac, at.header.data(), at.header.size()) == 1 &&
         EVP_MAC_update(mac, at.body.data(), at.body.size()) == 1 &&
         EVP_MAC_update(mac, last.data(), last.size()) == 1 &&
         EVP_MAC_final(mac, tag->data(), &written, tag->size()) == 1;
}

bool run_counter_mode(const Stream& stream, const CipherJob& job, const Layout& at) {
  EVP_CIPHER_CTX* ctx = stream.cipher.get();
  return start(ctx, initial_counter(job.ssrc, job.index, stream.salt.data()).data()) &&
         update(ctx, at.prefix, at.prefix.data()) && update(ctx, at.payload, at.body.data() + at.prefix.size());
}

bool protect_sha1(const Stream& stream, const CipherJob& job, const Layout& at, size_t tag_bytes) {
  std::array<uint8_t, 20> tag{};
  if (!run_counter_mode(stream, job, at) || !compute_hmac(stream, job, at, &tag)) return false;
  std::memcpy(at.tag, tag.data(), tag_bytes);
  return true;
}

bool unprotect_sha1(const Stream& stream, const CipherJob& job, const Layout& at, size_t tag_bytes) {
  std::array<uint8_t, 20> tag{};
  if (!compute_hmac(stream, job, at, &tag) || CRYPTO_memcmp(tag.data(), at.tag, tag_bytes) != 0) return false;
  return !at.encrypted || run_counter_mode(stream, job, at);
}

}  // namespace

struct ReferenceCipher::Key : secrecy::InSecretMemory {
  SrtpProfile profile;
  Stream rtp;
  Stream rtcp;
};

ReferenceCipher::ReferenceCipher(Direction direction, size_t max_keys) : direction_(direction), keys_(max_keys) {}

ReferenceCipher::~ReferenceCipher() = default;

Result<KeySlot> ReferenceCipher::add_session_keys(srtp::SrtpProfile profile, const srtp::SessionKeys& keys) {
  if (const auto room = keys_.check_room(); !room) return room.error();
  auto key = std::make_unique<Key>();
  key->profile = profile;
  if (!make_stream(profile, direction_, keys.rtp, &key->rtp) ||
      !make_stream(profile, direction_, keys.rtcp, &key->rtcp)) {
    return Error{ErrorCode::Unavailable, std::string("OpenSSL refused a key for ") + srtp::to_string(profile) + "."};
  }
  return keys_.add(std::move(key));
}

void ReferenceCipher::remove_key(KeySlot slot) { keys_.remove(slot); }

void ReferenceCipher::submit(CipherBatch* batch) {
  for (CipherJob& job : batch->jobs) job.verdict = run(job);
  keys_.finish(batch);
}

CipherBatch* ReferenceCipher::poll() { return keys_.poll(); }

Verdict ReferenceCipher::run(CipherJob& job) {
  const Key* key = keys_.find(job.slot);
  if (key == nullptr) return Verdict::BadKey;
  const Stream& stream = job.rtcp ? key->rtcp : key->rtp;
  const size_t tag_bytes = srtp::tag_bytes(key->profile);
  Layout at;
  if (!lay_out(job, key->profile, direction_, &at)) return Verdict::Malformed;

  const bool gcm = is_gcm(key->profile);
  if (direction_ == Direction::Protect) {
    const bool ok = gcm ? protect_gcm(stream, job, at, tag_bytes) : protect_sha1(stream, job, at, tag_bytes);
    CHECK(ok);  // nothing that OpenSSL could refuse is left
  } else {
    const bool ok = gcm ? unprotect_gcm(stream, job, at, tag_bytes) : unprotect_sha1(stream, job, at, tag_bytes);
    if (!ok) return Verdict::AuthFailed;
  }
  job.result_bytes = at.result_bytes;
  return Verdict::Ok;
}

}  // namespace viaduct::edge
