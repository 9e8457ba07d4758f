#include "protocol/rtp/reception_stats.h"

#include <gtest/gtest.h>

#include <set>

#include "base/random.h"

namespace viaduct::rtp {
namespace {

constexpr uint32_t Rate = 90'000;

// Feeds sequence numbers without regard to time.
struct Stream {
  ReceptionStats stats;
  bool take(int64_t sequence) { return stats.on_packet(static_cast<uint16_t>(sequence), 0, Timestamp{}, 0); }
  void take_range(int64_t from, int64_t to) {
    for (int64_t s = from; s < to; ++s) take(s);
  }
};

TEST(ReceptionStats, ReportsNothingBeforeTheFirstPacket) {
  ReceptionStats stats;
  EXPECT_FALSE(stats.started());
  EXPECT_EQ(stats.extended_highest_sequence(), 0u);
  EXPECT_EQ(stats.cumulative_lost(), 0);
  EXPECT_EQ(stats.take_fraction_lost(), 0);
}

TEST(ReceptionStats, CountsLossAndItsShareSinceTheLastReport) {  // RFC 3550 appendix A.3
  Stream stream;
  stream.take_range(100, 150);
  stream.take_range(175, 200);
  EXPECT_EQ(stream.stats.packets(), 75u);
  EXPECT_EQ(stream.stats.cumulative_lost(), 25);
  EXPECT_EQ(stream.stats.take_fraction_lost(), 25 * 256 / 100);
  stream.take_range(200, 300);
  EXPECT_EQ(stream.stats.take_fraction_lost(), 0);
  EXPECT_EQ(stream.stats.cumulative_lost(), 25);
  stream.take(399);
  EXPECT_EQ(stream.stats.take_fraction_lost(), 99 * 256 / 100);
  EXPECT_EQ(stream.stats.take_fraction_lost(), 0);
}

TEST(ReceptionStats, ALatePacketIsNoLongerLost) {
  Stream stream;
  stream.take_range(0, 10);
  stream.take_range(12, 20);
  EXPECT_EQ(stream.stats.take_fraction_lost(), 2 * 256 / 20);
  EXPECT_TRUE(stream.take(11));
  EXPECT_TRUE(stream.take(10));
  EXPECT_EQ(stream.stats.cumulative_lost(), 0);
  EXPECT_EQ(stream.stats.take_fraction_lost(), 0) << "more came than was expected: nothing is lost";
}

TEST(ReceptionStats, ADuplicateDoesNotCount) {
  Stream stream;
  EXPECT_TRUE(stream.take(5));
  EXPECT_FALSE(stream.take(5));
  EXPECT_TRUE(stream.take(7));
  EXPECT_FALSE(stream.take(5));
  EXPECT_FALSE(stream.take(7));
  EXPECT_EQ(stream.stats.packets(), 2u);
  EXPECT_EQ(stream.stats.cumulative_lost(), 1);
}

TEST(ReceptionStats, WhatTheFirstPacketOvertookWasNeverExpected) {
  Stream stream;
  stream.take(2);
  EXPECT_TRUE(stream.take(0));
  EXPECT_TRUE(stream.take(65535));
  EXPECT_FALSE(stream.take(65535));
  EXPECT_EQ(stream.stats.cumulative_lost(), 0);
  EXPECT_EQ(stream.stats.packets(), 1u);
}

TEST(ReceptionStats, APacketBehindTheWindowStaysLost) {
  Stream stream;
  stream.take(0);
  stream.take(2);
  stream.take_range(3, 3 + ReceptionStats::LateWindow);
  EXPECT_FALSE(stream.take(1));
  EXPECT_EQ(stream.stats.cumulative_lost(), 1);
}

TEST(ReceptionStats, TheHighestSequenceNumberIsExtendedAcrossWraps) {
  Stream stream;
  stream.take_range(65'530, 65'536 + 65'536 + 5);
  EXPECT_EQ(stream.stats.extended_highest_sequence(), 2u * 65'536 + 4);
  EXPECT_EQ(stream.stats.cumulative_lost(), 0);
}

TEST(ReceptionStats, AGapUpToMaxDropoutIsLoss) {
  Stream stream;
  stream.take(10);
  stream.take(10 + MaxDropout);
  EXPECT_EQ(stream.stats.cumulative_lost(), MaxDropout - 1);
}

TEST(ReceptionStats, AGreaterJumpIsARestartOnceItIsProved) {  // RFC 3550 appendix A.1
  for (const int64_t to : {10 + MaxDropout + 10, int64_t{40'000}, int64_t{60'000}}) {
    Stream stream;
    stream.take_range(0, 11);
    stream.take(12);
    EXPECT_TRUE(stream.take(to));
    EXPECT_EQ(stream.stats.extended_highest_sequence(), 12u) << "one packet proves nothing";
    EXPECT_TRUE(stream.take(to + 1));
    EXPECT_EQ(stream.stats.extended_highest_sequence(), to + 1);
    EXPECT_EQ(stream.stats.packets(), 14u);
    EXPECT_EQ(stream.stats.cumulative_lost(), 1) << "only that from before the jump";
    EXPECT_FALSE(stream.take(to));
  }
}

TEST(ReceptionStats, AStrayPacketFromFarAwayChangesNothing) {
  Stream stream;
  stream.take_range(0, 100);
  for (int64_t s = 100; s < 200; ++s) {
    stream.take(s);
    stream.take(30'000);
  }
  EXPECT_EQ(stream.stats.extended_highest_sequence(), 199u);
  EXPECT_EQ(stream.stats.cumulative_lost(), 0);
}

TEST(ReceptionStats, AgreesWithASetUnderRandomLossReorderingAndDuplication) {
  SeededRandom random(17);
  Stream stream;
  std::set<int64_t> seen;
  int64_t highest = 65'000;
  stream.take(highest);
  seen.insert(highest);
  for (int i = 0; i < 200'000; ++i) {
    const int64_t s = random.chance(0.7) ? highest + 1 + static_cast<int64_t>(random.below(3))
                                         : highest - static_cast<int64_t>(random.below(1000));
    if (s < 65'000) continue;
    ASSERT_EQ(stream.take(s), seen.insert(s).second) << s;
    highest = std::max(highest, s);
  }
  EXPECT_EQ(stream.stats.packets(), seen.size());
  EXPECT_EQ(stream.stats.cumulative_lost(), highest - 65'000 + 1 - static_cast<int64_t>(seen.size()));
}

TEST(ReceptionStats, JitterIsZeroForAnEvenStreamAcrossTheTimestampWrap) {
  ReceptionStats stats;
  for (int i = 0; i < 200; ++i) {
    const uint32_t timestamp = 0xffff'f000u + static_cast<uint32_t>(i) * 1800;
    stats.on_packet(static_cast<uint16_t>(i), timestamp, Timestamp{i * 20ms}, Rate);
  }
  EXPECT_EQ(stats.jitter(), 0u);
  EXPECT_EQ(stats.jitter_time(), Duration{});
}

TEST(ReceptionStats, JitterFollowsTheMeanDeviation) {  // RFC 3550 appendix A.8
  ReceptionStats stats;
  for (int i = 0; i < 500; ++i) {
    const Duration late = i % 2 == 0 ? 0ms : 4ms;
    stats.on_packet(static_cast<uint16_t>(i), static_cast<uint32_t>(i) * 1800, Timestamp{i * 20ms + late}, Rate);
  }
  EXPECT_NEAR(stats.jitter(), 360, 2);
  EXPECT_NEAR(static_cast<double>(to_us(stats.jitter_time())), 4000, 20);
}

TEST(ReceptionStats, NeitherLatePacketsNorPausesAreJitter) {
  ReceptionStats stats;
  stats.on_packet(0, 0, Timestamp{}, Rate);
  stats.on_packet(2, 3600, Timestamp{40ms}, Rate);
  stats.on_packet(1, 1800, Timestamp{900ms}, Rate);
  stats.on_packet(3, 5400, Timestamp{60ms + 20s}, Rate);
  EXPECT_EQ(stats.jitter(), 0u);
}

}  // namespace
}  // namespace viaduct::rtp
