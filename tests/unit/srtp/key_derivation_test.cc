#include "protocol/srtp/key_derivation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/support/hex.h"

namespace viaduct::srtp {
namespace {

using testing::from_hex;
using testing::to_hex;

// RFC 3711 appendix B.3.
const std::vector<uint8_t> MasterKey = from_hex("E1F97A0D3E018BE0D64FA32C06DE4139");
const std::vector<uint8_t> MasterSalt = from_hex("0EC675AD498AFEEBB6960B3AABE6");
const SrtpKeys Master{SrtpProfile::Aes128CmHmacSha1_80, MasterKey, MasterSalt};

std::string derived(const SrtpKeys& master, KeyLabel label, size_t bytes) {
  std::vector<uint8_t> out(bytes);
  EXPECT_TRUE(derive_key(master, label, out).ok());
  return to_hex(out);
}

TEST(KeyDerivation, GivesTheKeysOfRfc3711AppendixB3) {
  EXPECT_EQ(derived(Master, KeyLabel::RtpEncryption, 16), "c61e7a93744f39ee10734afe3ff7a087");
  EXPECT_EQ(derived(Master, KeyLabel::RtpSalt, 14), "30cbbc08863d8c85d49db34a9ae1");
  EXPECT_EQ(derived(Master, KeyLabel::RtpAuthentication, 20), "cebe321f6ff7716b6fd4ab49af256a156d38baa4");
  EXPECT_EQ(derived(Master, KeyLabel::RtpAuthentication, 64),
            "cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbce"
            "e049646c43d9327ad175578ef72270986371c10c9a369ac2f94a8c5fbcdddc25");
}

// The 256-bit PRF and GCM's shorter salt are compared with libsrtp2 in tests/differential.
TEST(KeyDerivation, DerivesAllSixKeysDifferently) {
  const Result<SessionKeys> keys = derive_session_keys(Master);
  ASSERT_TRUE(keys.ok());
  EXPECT_EQ(to_hex(keys->rtp.encryption.first(16)), "c61e7a93744f39ee10734afe3ff7a087");
  EXPECT_EQ(to_hex(keys->rtp.salt.first(14)), "30cbbc08863d8c85d49db34a9ae1");
  EXPECT_EQ(to_hex(keys->rtp.authentication.first(20)), "cebe321f6ff7716b6fd4ab49af256a156d38baa4");
  EXPECT_EQ(to_hex(keys->rtcp.encryption.first(16)), derived(Master, KeyLabel::RtcpEncryption, 16));
  EXPECT_EQ(to_hex(keys->rtcp.salt.first(14)), derived(Master, KeyLabel::RtcpSalt, 14));
  EXPECT_EQ(to_hex(keys->rtcp.authentication.first(20)), derived(Master, KeyLabel::RtcpAuthentication, 20));
  EXPECT_NE(to_hex(keys->rtp.encryption.first(16)), to_hex(keys->rtcp.encryption.first(16)));
}

TEST(KeyDerivation, RefusesAKeyOrSaltThatIsNotOfTheProfilesSize) {
  const auto refused = [](SrtpProfile profile, size_t key, size_t salt) {
    const std::vector<uint8_t> bytes(64, 7);
    const auto result = derive_session_keys({profile, Bytes(bytes).first(key), Bytes(bytes).first(salt)});
    return !result && result.error().code == ErrorCode::InvalidArgument;
  };
  EXPECT_TRUE(refused(SrtpProfile::AeadAes128Gcm, 16, 14));
  EXPECT_TRUE(refused(SrtpProfile::AeadAes128Gcm, 32, 12));
  EXPECT_TRUE(refused(SrtpProfile::AeadAes256Gcm, 16, 12));
  EXPECT_TRUE(refused(SrtpProfile::Aes128CmHmacSha1_80, 16, 12));
  EXPECT_TRUE(refused(SrtpProfile::Aes128CmHmacSha1_80, 0, 0));
  EXPECT_FALSE(refused(SrtpProfile::AeadAes256Gcm, 32, 12));
}

TEST(SecretBytes, LeaveNothingBehindWhenTheyMove) {
  SecretBytes<4> from;
  const uint8_t* place = from.data();
  EXPECT_TRUE(secrecy::process_memory().owns(place));
  std::ranges::fill(from.first(4), uint8_t{9});
  const SecretBytes<4> to = std::move(from);
  EXPECT_THAT(to.first(4), ::testing::Each(9));
  EXPECT_EQ(to.data(), place);
  EXPECT_EQ(from.size(), 0u);  // NOLINT(bugprone-use-after-move): what is left is the point
}

}  // namespace
}  // namespace viaduct::srtp
