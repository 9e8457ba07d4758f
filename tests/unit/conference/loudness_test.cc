#include "conference/loudness.h"

#include <gtest/gtest.h>

namespace viaduct::conference {
namespace {

constexpr Timestamp Start{10s};
constexpr uint8_t Silence = Loudness::Silence;

TEST(Loudness, IsNothingBeforeThereIsAPacket) { EXPECT_EQ(Loudness().mean(Start), 0); }

TEST(Loudness, FollowsLevelsHalfwayAtEachPacket) {
  Loudness voice;
  voice.on_level(27, Start);
  EXPECT_FLOAT_EQ(voice.mean(Start), 100);
  voice.on_level(127, Start + 20ms);
  EXPECT_FLOAT_EQ(voice.mean(Start + 20ms), 50);
  voice.on_level(27, Start + 40ms);
  EXPECT_FLOAT_EQ(voice.mean(Start + 40ms), 75);
}

TEST(Loudness, ExpiresWhenNothingComes) {
  Loudness voice;
  voice.on_level(27, Start);
  EXPECT_FLOAT_EQ(voice.mean(Start + Loudness::Expiry), 100);
  EXPECT_EQ(voice.mean(Start + Loudness::Expiry + 1ms), 0);
}

TEST(Loudness, ForgetsWhatWasBeforeAPause) {
  Loudness voice;
  voice.on_level(27, Start);
  voice.on_level(107, Start + 1s);
  EXPECT_FLOAT_EQ(voice.mean(Start + 1s), 20);
}

// A source that has been silent for `packets` packets.
Loudness silent_for(int packets) {
  Loudness voice;
  for (int i = 0; i < packets; ++i) voice.on_level(Silence, Start);
  return voice;
}

TEST(Loudness, LetsTheFirstThreePacketsOfASilenceThrough) {
  EXPECT_FALSE(silent_for(2).may_skip(Silence));
  EXPECT_TRUE(silent_for(3).may_skip(Silence));
  EXPECT_FALSE(silent_for(3).in_silence());
  EXPECT_TRUE(silent_for(4).in_silence());
}

TEST(Loudness, SkipsNoPacketThatIsAudible) { EXPECT_FALSE(silent_for(10).may_skip(Silence - 1)); }

TEST(Loudness, EndsASilenceAtTheFirstAudiblePacket) {
  Loudness voice = silent_for(10);
  voice.on_level(Silence - 1, Start);
  EXPECT_FALSE(voice.in_silence());
  EXPECT_FALSE(voice.may_skip(Silence));
}

TEST(Loudness, WantsOnePacketAuthenticatedAfterFiftyThatWereSkipped) {
  Loudness voice = silent_for(3);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(voice.may_skip(Silence)) << i;
      voice.on_skipped();
    }
    ASSERT_FALSE(voice.may_skip(Silence));
    voice.on_authenticated();
    voice.on_level(Silence, Start);
  }
}

}  // namespace
}  // namespace viaduct::conference
