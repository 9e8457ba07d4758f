#include "protocol/stun/digests.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <memory>

#include "base/check.h"

namespace viaduct::stun {
namespace {

constexpr size_t BlockBytes = 64;  // of SHA-1

struct ContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// SHA-1 of the parts. OpenSSL's own HMAC allocates several times a call; a digest context that stays with its thread does
// not, and HMAC is two digests.
Sha1Digest sha1(Bytes first, std::initializer_list<Bytes> rest) {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  static thread_local const std::unique_ptr<EVP_MD_CTX, ContextDeleter> context(EVP_MD_CTX_new());
  CHECK(algorithm && context && EVP_DigestInit_ex2(context.get(), algorithm, nullptr) == 1);
  CHECK(EVP_DigestUpdate(context.get(), first.data(), first.size()) == 1);
  for (Bytes part : rest) CHECK(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1);
  Sha1Digest digest;
  CHECK(EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1);
  return digest;
}

constexpr std::array<uint32_t, 256> make_crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < table.size(); ++i) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c & 1) ? (c >> 1) ^ 0xedb88320u : c >> 1;
    table[i] = c;
  }
  return table;
}

}  // namespace

Sha1Digest hmac_sha1(Bytes key, std::initializer_list<Bytes> parts) {
  std::array<uint8_t, BlockBytes> pad{};
  if (key.size() > BlockBytes) {
    const Sha1Digest hashed = sha1(key, {});
    std::memcpy(pad.data(), hashed.data(), hashed.size());
  } else if (!key.empty()) {
    std::memcpy(pad.data(), key.data(), key.size());
  }
  for (uint8_t& byte : pad) byte ^= 0x36;
  const Sha1Digest inner = sha1(pad, parts);
  for (uint8_t& byte : pad) byte ^= 0x36 ^ 0x5c;
  const Sha1Digest outer = sha1(pad, {inner});
  OPENSSL_cleanse(pad.data(), pad.size());
  return outer;
}

uint32_t crc32(std::initializer_list<Bytes> parts) {
  static constexpr std::array<uint32_t, 256> Table = make_crc_table();
  uint32_t crc = 0xffffffffu;
  for (Bytes part : parts) {
    for (uint8_t byte : part) crc = Table[(crc ^ byte) & 0xff] ^ (crc >> 8);
  }
  return ~crc;
}

}  // namespace viaduct::stun
