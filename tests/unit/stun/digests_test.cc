#include "protocol/stun/digests.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/stun/vectors.h"

namespace viaduct::stun {
namespace {

std::vector<uint8_t> hmac(std::string_view key, std::string_view data) {
  const Sha1Digest digest = hmac_sha1(as_bytes(key), {as_bytes(data)});
  return {digest.begin(), digest.end()};
}

TEST(Digests, HmacSha1AgreesWithRfc2202) {
  EXPECT_EQ(hmac(std::string(20, '\x0b'), "Hi There"), vectors::from_hex("b617318655057264e28bc0b6fb378c8ef146be00"));
  EXPECT_EQ(hmac("Jefe", "what do ya want for nothing?"),
            vectors::from_hex("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"));
  EXPECT_EQ(hmac(std::string(20, '\xaa'), std::string(50, '\xdd')),
            vectors::from_hex("125d7342b9ac11cd91a39af48aa17b4f63f175d3"));
  EXPECT_EQ(hmac(std::string(80, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
            vectors::from_hex("aa4ae5e15272d00e95705637ce8a3b55ed402112"));
}

TEST(Digests, HmacSha1OfPartsIsThatOfTheWhole) {
  EXPECT_EQ(hmac_sha1(as_bytes("key"), {as_bytes("one"), Bytes{}, as_bytes("two")}),
            hmac_sha1(as_bytes("key"), {as_bytes("onetwo")}));
}

TEST(Digests, HmacSha1TakesAnEmptyKeyAndNoData) {
  EXPECT_EQ(hmac("", ""), vectors::from_hex("fbdb1d1b18aa6c08324b7d64b71fb76370690e1d"));
}

TEST(Digests, Crc32AgreesWithTheCheckValueOfItsCatalogue) {
  EXPECT_EQ(crc32({as_bytes("123456789")}), 0xcbf43926u);
  EXPECT_EQ(crc32({as_bytes("1234"), as_bytes("56789")}), 0xcbf43926u);
}

}  // namespace
}  // namespace viaduct::stun
