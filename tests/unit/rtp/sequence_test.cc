#include "protocol/rtp/sequence.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace viaduct::rtp {
namespace {

TEST(Sequence, NewerIsTheShorterWayRound) {
  EXPECT_TRUE(is_newer(1, 0));
  EXPECT_FALSE(is_newer(0, 1));
  EXPECT_FALSE(is_newer(7, 7));
  EXPECT_TRUE(is_newer(0, 65535));
  EXPECT_FALSE(is_newer(65535, 0));
  EXPECT_TRUE(is_newer(32767, 0));
  EXPECT_TRUE(is_newer_timestamp(5, 0xffff'fff0));
}

TEST(Sequence, OfTwoDifferentNumbersExactlyOneIsNewer) {
  for (uint32_t difference = 1; difference < 65536; ++difference) {
    const auto a = static_cast<uint16_t>(60'000 + difference);
    ASSERT_NE(is_newer(a, 60'000), is_newer(60'000, a)) << difference;
  }
}

TEST(Unwrapper, CountsOnAcrossTheWrapInBothDirections) {
  SequenceUnwrapper unwrapper;
  EXPECT_EQ(unwrapper.unwrap(65534), 65534);
  EXPECT_EQ(unwrapper.unwrap(1), 65537);
  EXPECT_EQ(unwrapper.unwrap(65535), 65535);
  EXPECT_EQ(unwrapper.unwrap(3), 65539);
  EXPECT_EQ(unwrapper.peek(4), 65540);
  EXPECT_EQ(unwrapper.unwrap(3), 65539);
}

TEST(Unwrapper, GoesBelowZeroForWhatCameBeforeTheFirst) {
  SequenceUnwrapper unwrapper;
  EXPECT_EQ(unwrapper.unwrap(2), 2);
  EXPECT_EQ(unwrapper.unwrap(65535), -1);
  EXPECT_EQ(unwrapper.unwrap(0), 0);
}

TEST(Unwrapper, FollowsALongStreamOutOfOrder) {
  SeededRandom random(3);
  SequenceUnwrapper sequences;
  TimestampUnwrapper timestamps;
  int64_t truth = 500;
  sequences.unwrap(static_cast<uint16_t>(truth));
  timestamps.unwrap(static_cast<uint32_t>(truth * 1'000'000));
  for (int i = 0; i < 100'000; ++i) {
    truth += static_cast<int64_t>(random.below(40)) - 10;
    ASSERT_EQ(sequences.unwrap(static_cast<uint16_t>(truth)), truth);
    ASSERT_EQ(timestamps.unwrap(static_cast<uint32_t>(truth * 1'000'000)), truth * 1'000'000);
  }
}

}  // namespace
}  // namespace viaduct::rtp
