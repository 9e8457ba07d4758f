// OpenSSL's low-level SHA-1 is deprecated since 3.0 and wanted here all the same: EVP, MAC and HMAC of 3.0 allocate 2
// to 13 times for each message, this never does, and it takes half the time of the best of them.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "protocol/stun/digests.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "base/check.h"

namespace viaduct::stun {
namespace {

constexpr size_t BlockBytes = SHA_CBLOCK;

Sha1Digest sha1(Bytes first, std::initializer_list<Bytes> rest) {
  SHA_CTX context;
  CHECK(SHA1_Init(&context) == 1 && SHA1_Update(&context, first.data(), first.size()) == 1);
  for (Bytes part : rest) CHECK(SHA1_Update(&context, part.data(), part.size()) == 1);
  Sha1Digest digest;
  CHECK(SHA1_Final(digest.data(), &context) == 1);
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
