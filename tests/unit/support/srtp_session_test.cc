#include "tests/support/srtp_session.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "base/random.h"
#include "tests/support/cipher_job.h"
#include "tests/support/random_packet.h"

namespace viaduct::testing {
namespace {

struct SrtpSessionPair {
  explicit SrtpSessionPair(srtp::SrtpProfile profile) : ours(profile, 1), theirs(profile, 2) {}
  TestKey ours, theirs;
  SrtpSession here{ours.keys(), theirs.keys()};
  SrtpSession there{theirs.keys(), ours.keys()};
};

TEST(SrtpSession, CarriesRtpAndRtcpBothWaysThroughARollover) {
  for (srtp::SrtpProfile profile : AllProfiles) {
    SeededRandom random(1);
    SrtpSessionPair pair(profile);
    for (uint32_t i = 0; i < 300; ++i) {
      const auto rtp = random_rtp(random, 5, static_cast<uint16_t>(65'400 + i), 100).bytes;
      const auto rtcp = random_rtcp(random, 5).bytes;
      ASSERT_EQ(pair.there.unprotect_rtp(pair.here.protect_rtp(rtp)), rtp);
      ASSERT_EQ(pair.here.unprotect_rtp(pair.there.protect_rtp(rtp)), rtp);
      ASSERT_EQ(pair.there.unprotect_rtcp(pair.here.protect_rtcp(rtcp)), rtcp);
    }
  }
}

TEST(SrtpSession, TakesNoPacketTwiceAndNoneOfItsOwn) {
  SeededRandom random(2);
  SrtpSessionPair pair(srtp::SrtpProfile::AeadAes128Gcm);
  const auto rtp = pair.here.protect_rtp(random_rtp(random, 5, 9).bytes);
  const auto rtcp = pair.here.protect_rtcp(random_rtcp(random, 5).bytes);
  EXPECT_FALSE(pair.here.unprotect_rtp(rtp));
  EXPECT_FALSE(pair.here.unprotect_rtcp(rtcp));
  EXPECT_TRUE(pair.there.unprotect_rtp(rtp));
  EXPECT_TRUE(pair.there.unprotect_rtcp(rtcp));
  EXPECT_FALSE(pair.there.unprotect_rtp(rtp));
  EXPECT_FALSE(pair.there.unprotect_rtcp(rtcp));
}

TEST(SrtpSession, RefusesWhatIsNoPacket) {
  SrtpSessionPair pair(srtp::SrtpProfile::AeadAes128Gcm);
  const std::vector<uint8_t> shreds(7, 0x80);
  EXPECT_THROW(pair.here.protect_rtp(shreds), std::invalid_argument);
  EXPECT_THROW(pair.here.protect_rtcp(shreds), std::invalid_argument);
  EXPECT_FALSE(pair.here.unprotect_rtp(shreds));
  EXPECT_FALSE(pair.here.unprotect_rtcp(shreds));
}

}  // namespace
}  // namespace viaduct::testing
