#include "protocol/srtp/key_derivation.h"

#include <openssl/evp.h>

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

namespace viaduct::srtp {
namespace {

constexpr size_t BlockBytes = 16;
constexpr size_t LabelAt = 7;  // key_id = label || r, 56 bits at the right end of 112 (RFC 3711 section 4.3.1)
constexpr size_t MaxDerivedBytes = 64;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* ctx) const { EVP_CIPHER_CTX_free(ctx); }
};

}  // namespace

// The PRF is AES in counter mode over zeros, started at x * 2^16 with x = key_id XOR master_salt. A salt of 96
// bits is extended by zeros at its right end to 112 (RFC 7714 section 11).
Result<void> derive_key(const SrtpKeys& master, KeyLabel label, MutableBytes out) {
  if (master.master_key.size() != master_key_bytes(master.profile) ||
      master.master_salt.size() != master_salt_bytes(master.profile)) {
    return Error{ErrorCode::InvalidArgument, std::string("SRTP master key or salt has not the size that ") +
                                                 to_string(master.profile) + " asks for."};
  }
  CHECK(out.size() <= MaxDerivedBytes);

  std::array<uint8_t, BlockBytes> counter{};
  for (size_t i = 0; i < master.master_salt.size(); ++i) counter[i] = master.master_salt[i];
  counter[LabelAt] ^= static_cast<uint8_t>(label);

  const EVP_CIPHER* aes = master.master_key.size() == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
  const std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> ctx(EVP_CIPHER_CTX_new());
  constexpr std::array<uint8_t, MaxDerivedBytes> zeros{};
  int written = 0;
  if (!ctx || EVP_EncryptInit_ex(ctx.get(), aes, nullptr, master.master_key.data(), counter.data()) != 1 ||
      EVP_EncryptUpdate(ctx.get(), out.data(), &written, zeros.data(), static_cast<int>(out.size())) != 1) {
    return Error{ErrorCode::Unavailable, "OpenSSL refused to derive an SRTP session key."};
  }
  explicit_bzero(counter.data(), counter.size());  // it is the salt but for one byte
  return {};
}

Result<SessionKeys> derive_session_keys(const SrtpKeys& master) {
  const size_t key = master_key_bytes(master.profile);
  const size_t salt = master_salt_bytes(master.profile);
  const size_t authentication = master.profile == SrtpProfile::Aes128CmHmacSha1_80 ? AuthenticationKeyBytes : 0;

  SessionKeys keys;
  const std::pair<KeyLabel, MutableBytes> wanted[] = {
      {KeyLabel::RtpEncryption, keys.rtp.encryption.first(key)},
      {KeyLabel::RtpAuthentication, keys.rtp.authentication.first(authentication)},
      {KeyLabel::RtpSalt, keys.rtp.salt.first(salt)},
      {KeyLabel::RtcpEncryption, keys.rtcp.encryption.first(key)},
      {KeyLabel::RtcpAuthentication, keys.rtcp.authentication.first(authentication)},
      {KeyLabel::RtcpSalt, keys.rtcp.salt.first(salt)},
  };
  for (const auto& [label, out] : wanted) {
    if (Result<void> derived = derive_key(master, label, out); !derived) return derived.error();
  }
  return keys;
}

}  // namespace viaduct::srtp
