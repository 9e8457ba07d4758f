// Whose sound is said again, and what is kept for it.
#include "conference/redundant_sound.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace viaduct::conference {
namespace {

using ::testing::Each;
using ::testing::SizeIs;

constexpr Timestamp Start{100s};

TEST(RedundancySwitch, TurnsOnWithLossThatIsHeardOverTwoReports) {
  RedundancySwitch steady, burst, light;
  for (int i = 0; i < 2; ++i) steady.on_report(0.03, Start + i * 1s);
  EXPECT_TRUE(steady.on());
  burst.on_report(0.06, Start);
  EXPECT_TRUE(burst.on());
  for (int i = 0; i < 100; ++i) light.on_report(0.029, Start + i * 1s);
  EXPECT_FALSE(light.on());
}

TEST(RedundancySwitch, TurnsOffAfterTenSecondsWithNextToNoLoss) {
  RedundancySwitch s;
  s.on_report(0.1, Start);
  for (int i = 1; i < 10; ++i) {
    s.on_report(0.009, Start + i * 1s);
    EXPECT_TRUE(s.on()) << i;
  }
  s.on_report(0.009, Start + 10s);
  EXPECT_FALSE(s.on());
}

TEST(RedundancySwitch, StaysOnWhileALittleIsLostNowAndThen) {
  RedundancySwitch s;
  s.on_report(0.1, Start);
  for (int i = 1; i < 100; ++i) {
    s.on_report(i % 9 == 0 ? 0.011 : 0.0, Start + i * 1s);
    EXPECT_TRUE(s.on()) << i;
  }
}

void keep(RedundantSound& sound, int64_t sequence, uint8_t fill) {
  const MutableBytes room = sound.keep(sequence, static_cast<uint32_t>(sequence * 960), 20);
  ASSERT_THAT(room, SizeIs(20));
  std::ranges::fill(room, fill);
}

TEST(RedundantSound, FindsTheLastFewPackets) {
  RedundantSound sound;
  EXPECT_FALSE(sound.find(1));
  for (int64_t s = 1; s <= 6; ++s) keep(sound, s, static_cast<uint8_t>(s));
  for (const int64_t gone : {1, 2, 7, -1}) EXPECT_FALSE(sound.find(gone)) << gone;
  for (int64_t s = 3; s <= 6; ++s) {
    ASSERT_TRUE(sound.find(s)) << s;
    EXPECT_EQ(sound.find(s)->timestamp, s * 960);
    EXPECT_THAT(sound.find(s)->bytes(), SizeIs(20));
    EXPECT_THAT(sound.find(s)->bytes(), Each(s));
  }
}

TEST(RedundantSound, KeepsNothingThatIsTooLong) {
  RedundantSound sound;
  EXPECT_THAT(sound.keep(1, 0, RedundantSound::PacketBytes), SizeIs(RedundantSound::PacketBytes));
  EXPECT_THAT(sound.keep(2, 0, RedundantSound::PacketBytes + 1), SizeIs(0));
  EXPECT_FALSE(sound.find(2));
}

TEST(RedundantSound, ForgetsEverythingWhenNobodyWantsItAnyMore) {
  RedundantSound sound;
  EXPECT_FALSE(sound.is_wanted(Start));
  sound.want(Start);
  keep(sound, 5, 1);
  sound.expire(Start + 1900ms);
  EXPECT_TRUE(sound.find(5));
  EXPECT_FALSE(sound.is_wanted(Start + 2s));
  sound.expire(Start + 2s);
  EXPECT_FALSE(sound.find(5));
}

}  // namespace
}  // namespace viaduct::conference
