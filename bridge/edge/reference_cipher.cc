#include "edge/reference_cipher.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <cstring>
#include <string>

#include "limits.h"
#include "protocol/srtp/packet_index.h"
#include "protocol/srtp/srtcp.h"
#include "secrecy/in_secret_memory.h"

namespace viaduct::edge {
namespace {

using srtp::SrtpProfile;

constexpr size_t RtpHeaderBytes = 12;
constexpr size_t GcmIvBytes = 12;
constexpr size_t CounterBytes = 16;

struct FreeCipher { void operator()(EVP_CIPHER_CTX* ctx) const { EVP_CIPHER_CTX_free(ctx); } };
struct FreeMac { void operator()(EVP_MAC_CTX* ctx) const { EVP_MAC_CTX_free(ctx); } };

// One direction of one master key for SRTP, or for SRTCP: ready contexts that need only a packet's IV.
// OpenSSL wipes what it holds of the keys when the contexts are freed.
struct Stream {
  std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> cipher;
  std::unique_ptr<EVP_MAC_CTX, FreeMac> mac;  // SHA1_80 only
  srtp::SecretBytes<srtp::MaxSessionSaltBytes> salt;
};

bool is_gcm(SrtpProfile profile) { return profile != SrtpProfile::Aes128CmHmacSha1_80; }

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

// A job with its sizes checked: where everything stands in the packet.
struct Layout {
  MutableBytes header;
  MutableBytes prefix;     // empty when unprotecting
  Bytes payload;           // without trailer
  MutableBytes body;       // prefix and payload: where the result goes
  uint8_t* tag = nullptr;
  uint8_t* srtcp_word = nullptr;  // E||index; null for SRTP
  size_t packet_bytes = 0;        // protected, whole
};

size_t trailer_bytes(SrtpProfile profile, bool rtcp) {
  return rtcp ? srtp::srtcp_trailer_bytes(profile) : srtp::srtp_trailer_bytes(profile);
}

// False when the job cannot be a packet of this kind.
bool lay_out(const CipherJob& job, SrtpProfile profile, Direction direction, Layout* at) {
  const size_t trailer = trailer_bytes(profile, job.rtcp);
  const bool header_fits = job.rtcp ? job.header_bytes == srtp::RtcpHeaderBytes : job.header_bytes >= RtpHeaderBytes;
  if (!header_fits || job.packet == nullptr || (job.payload == nullptr && job.payload_bytes > 0)) return false;
  if (job.payload_bytes > limits::PacketBufferBytes) return false;

  size_t payload_bytes = job.payload_bytes;
  if (direction == Direction::Unprotect) {
    const bool in_place = job.payload == job.packet + job.header_bytes && job.prefix_bytes == 0;
    if (payload_bytes < trailer || !in_place) return false;
    payload_bytes -= trailer;
  }
  const size_t body_bytes = job.prefix_bytes + payload_bytes;
  at->packet_bytes = job.header_bytes + body_bytes + trailer;
  if (at->packet_bytes > limits::PacketBufferBytes) return false;

  uint8_t* body = job.packet + job.header_bytes;
  at->header = {job.packet, job.header_bytes};
  at->prefix = {body, job.prefix_bytes};
  at->payload = {job.payload, payload_bytes};
  at->body = {body, body_bytes};
  const bool word_first = !is_gcm(profile);
  uint8_t* end = body + body_bytes;
  at->tag = job.rtcp && word_first ? end + srtp::SrtcpIndexBytes : end;
  if (job.rtcp) at->srtcp_word = word_first ? end : end + srtp::tag_bytes(profile);
  return true;
}

// RFC 7714 section 8.1 (SRTP: 0 || SSRC || ROC || SEQ) and 9.1 (SRTCP: 0 || SSRC || 0 || index), XOR salt. With
// a 48-bit index the two are one formula.
std::array<uint8_t, GcmIvBytes> gcm_iv(uint32_t ssrc, uint64_t index, const uint8_t* salt) {
  std::array<uint8_t, GcmIvBytes> iv{};
  store_be32(&iv[2], ssrc);
  store_be16(&iv[6], static_cast<uint16_t>(index >> 32));
  store_be32(&iv[8], static_cast<uint32_t>(index));
  for (size_t i = 0; i < GcmIvBytes; ++i) iv[i] ^= salt[i];
  return iv;
}

// RFC 3711 section 4.1.1: salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16.
std::array<uint8_t, CounterBytes> initial_counter(uint32_t ssrc, uint64_t index, const uint8_t* salt) {
  std::array<uint8_t, CounterBytes> iv{};
  store_be32(&iv[4], ssrc);
  store_be16(&iv[8], static_cast<uint16_t>(index >> 32));
  store_be32(&iv[10], static_cast<uint32_t>(index));
  for (size_t i = 0; i < srtp::MaxSessionSaltBytes; ++i) iv[i] ^= salt[i];
  return iv;
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
bool update_additional_data(EVP_CIPHER_CTX* ctx, const Layout& at, bool encrypted) {
  if (!update(ctx, at.header, nullptr)) return false;
  if (!encrypted && !update(ctx, at.body, nullptr)) return false;
  return at.srtcp_word == nullptr || update(ctx, {at.srtcp_word, srtp::SrtcpIndexBytes}, nullptr);
}

bool protect_gcm(const Stream& stream, const CipherJob& job, const Layout& at, size_t tag_bytes) {
  EVP_CIPHER_CTX* ctx = stream.cipher.get();
  uint8_t nothing[16];
  int written = 0;
  return start(ctx, gcm_iv(job.ssrc, job.index, stream.salt.data()).data()) &&
         update_additional_data(ctx, at, true) && update(ctx, at.prefix, at.prefix.data()) &&
         update(ctx, at.payload, at.body.data() + at.prefix.size()) &&
         EVP_CipherFinal_ex(ctx, nothing, &written) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag_bytes), at.tag) == 1;
}

// GCM decrypts while it authenticates: on a wrong tag the plaintext is wiped again.
bool unprotect_gcm(const Stream& stream, const CipherJob& job, const Layout& at, size_t tag_bytes, bool encrypted) {
  EVP_CIPHER_CTX* ctx = stream.cipher.get();
  uint8_t nothing[16];
  int written = 0;
  const bool ok = start(ctx, gcm_iv(job.ssrc, job.index, stream.salt.data()).data()) &&
                  EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag_bytes), at.tag) == 1 &&
                  update_additional_data(ctx, at, encrypted) &&
                  (!encrypted || update(ctx, at.payload, at.body.data())) &&
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

bool unprotect_sha1(const Stream& stream, const CipherJob& job, const Layout& at, size_t tag_bytes, bool encrypted) {
  std::array<uint8_t, 20> tag{};
  if (!compute_hmac(stream, job, at, &tag) || CRYPTO_memcmp(tag.data(), at.tag, tag_bytes) != 0) return false;
  return !encrypted || run_counter_mode(stream, job, at);
}

}  // namespace

struct ReferenceCipher::Key : secrecy::InSecretMemory {
  SrtpProfile profile;
  Stream rtp;
  Stream rtcp;
};

ReferenceCipher::ReferenceCipher(Direction direction, size_t max_keys) : direction_(direction), keys_(max_keys) {
  free_slots_.reserve(max_keys);
  for (size_t slot = max_keys; slot > 0; --slot) free_slots_.push_back(static_cast<uint32_t>(slot - 1));
}

ReferenceCipher::~ReferenceCipher() = default;

Result<KeySlot> ReferenceCipher::add_key(const srtp::SrtpKeys& keys) {
  const Result<srtp::SessionKeys> derived = srtp::derive_session_keys(keys);
  if (!derived) return derived.error();
  return add_session_keys(keys.profile, *derived);
}

Result<KeySlot> ReferenceCipher::add_session_keys(srtp::SrtpProfile profile, const srtp::SessionKeys& keys) {
  free_retired_slots();
  if (free_slots_.empty()) {
    return Error{ErrorCode::ResourceExhausted,
                 "The cipher holds as many keys as it may (" + std::to_string(keys_.size()) + ")."};
  }
  auto key = std::make_unique<Key>();
  key->profile = profile;
  if (!make_stream(profile, direction_, keys.rtp, &key->rtp) ||
      !make_stream(profile, direction_, keys.rtcp, &key->rtcp)) {
    return Error{ErrorCode::Unavailable, std::string("OpenSSL refused a key for ") + srtp::to_string(profile) + "."};
  }
  const uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  keys_[slot] = std::move(key);
  return KeySlot{slot};
}

void ReferenceCipher::remove_key(KeySlot slot) {
  if (slot.value >= keys_.size() || !keys_[slot.value]) return;
  keys_[slot.value].reset();
  retired_slots_.push_back({slot.value, batches_submitted_});
}

void ReferenceCipher::free_retired_slots() {
  while (!retired_slots_.empty() && retired_slots_.front().batches_submitted <= batches_polled_) {
    free_slots_.push_back(retired_slots_.front().slot);
    retired_slots_.pop_front();
  }
}

void ReferenceCipher::submit(CipherBatch* batch) {
  for (CipherJob& job : batch->jobs) job.verdict = run(job);
  ++batches_submitted_;
  finished_.push_back(batch);
}

CipherBatch* ReferenceCipher::poll() {
  if (finished_.empty()) return nullptr;
  CipherBatch* batch = finished_.front();
  finished_.pop_front();
  ++batches_polled_;
  return batch;
}

Verdict ReferenceCipher::run(CipherJob& job) {
  if (job.slot.value >= keys_.size() || !keys_[job.slot.value]) return Verdict::BadKey;
  const Key& key = *keys_[job.slot.value];
  const Stream& stream = job.rtcp ? key.rtcp : key.rtp;
  const size_t tag_bytes = srtp::tag_bytes(key.profile);
  Layout at;
  if (!lay_out(job, key.profile, direction_, &at)) return Verdict::Malformed;

  bool encrypted = true;
  if (job.rtcp && direction_ == Direction::Unprotect) {
    const uint32_t word = load_be32(at.srtcp_word);
    job.index = word & srtp::MaxSrtcpIndex;
    encrypted = (word & srtp::SrtcpEncryptedFlag) != 0;
  }
  if (job.index > (job.rtcp ? uint64_t{srtp::MaxSrtcpIndex} : srtp::MaxPacketIndex)) return Verdict::Malformed;

  if (direction_ == Direction::Protect) {
    if (job.rtcp) store_be32(at.srtcp_word, srtp::SrtcpEncryptedFlag | static_cast<uint32_t>(job.index));
    const bool ok =
        is_gcm(key.profile) ? protect_gcm(stream, job, at, tag_bytes) : protect_sha1(stream, job, at, tag_bytes);
    CHECK(ok);  // nothing that OpenSSL could refuse is left
    job.result_bytes = static_cast<uint16_t>(at.packet_bytes);
    return Verdict::Ok;
  }
  const bool ok = is_gcm(key.profile) ? unprotect_gcm(stream, job, at, tag_bytes, encrypted)
                                      : unprotect_sha1(stream, job, at, tag_bytes, encrypted);
  if (!ok) return Verdict::AuthFailed;
  job.result_bytes = static_cast<uint16_t>(at.packet_bytes - trailer_bytes(key.profile, job.rtcp));
  return Verdict::Ok;
}

}  // namespace viaduct::edge
