#include "protocol/rtp/missing_packets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "base/random.h"
#include "limits.h"

namespace viaduct::rtp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Duration RoundTrip = 50ms;

std::vector<uint16_t> due(MissingPackets& missing, Timestamp now, size_t room = 100, Duration round_trip = RoundTrip) {
  std::vector<uint16_t> out(room);
  out.resize(missing.due(now, round_trip, out));
  return out;
}

TEST(MissingPackets, AsksForNothingWhileNothingIsMissing) {
  MissingPackets missing;
  for (uint16_t s = 65'500; s != 100; ++s) missing.on_packet(s, Timestamp{});
  EXPECT_EQ(missing.next_deadline(), Never);
  EXPECT_THAT(due(missing, Timestamp{1s}), IsEmpty());
  EXPECT_FALSE(missing.take_overflowed());
}

TEST(MissingPackets, GivesAnOvertakenPacketTimeToArriveByItself) {
  MissingPackets missing;
  missing.on_packet(1, Timestamp{});
  missing.on_packet(3, Timestamp{});
  EXPECT_EQ(missing.next_deadline(), Timestamp{MissingPackets::ReorderAllowance});
  EXPECT_THAT(due(missing, Timestamp{9ms}), IsEmpty());
  EXPECT_THAT(due(missing, Timestamp{10ms}), ElementsAre(2));
}

TEST(MissingPackets, AsksAtOnceWhenMorePacketsHavePassedTheGap) {
  MissingPackets missing;
  missing.on_packet(1, Timestamp{});
  missing.on_packet(3, Timestamp{1ms});
  missing.on_packet(4, Timestamp{2ms});
  EXPECT_THAT(due(missing, Timestamp{2ms}), IsEmpty());
  missing.on_packet(5, Timestamp{3ms});
  EXPECT_EQ(missing.next_deadline(), Timestamp{3ms});
  EXPECT_THAT(due(missing, Timestamp{3ms}), ElementsAre(2));
}

TEST(MissingPackets, NeverAsksForWhatHasComeLate) {
  MissingPackets missing;
  missing.on_packet(65'534, Timestamp{});
  missing.on_packet(3, Timestamp{});
  missing.on_packet(0, Timestamp{5ms});
  EXPECT_THAT(due(missing, Timestamp{10ms}), ElementsAre(65'535, 1, 2));
  missing.on_packet(65'535, Timestamp{60ms});
  missing.on_packet(1, Timestamp{60ms});
  missing.on_packet(2, Timestamp{60ms});
  EXPECT_EQ(missing.outstanding(), 0u);
  EXPECT_EQ(missing.next_deadline(), Never);
}

TEST(MissingPackets, AsksAgainAfterARoundTripButNoSoonerThanTheMinimum) {
  for (const auto& [round_trip, interval] : {std::pair{50ms, 50ms}, std::pair{3ms, 20ms}, std::pair{300ms, 300ms}}) {
    MissingPackets missing;
    missing.on_packet(1, Timestamp{});
    missing.on_packet(3, Timestamp{});
    EXPECT_THAT(due(missing, Timestamp{10ms}, 100, round_trip), ElementsAre(2));
    EXPECT_EQ(missing.next_deadline(), Timestamp{10ms + interval});
    EXPECT_THAT(due(missing, Timestamp{9ms + interval}, 100, round_trip), IsEmpty());
    EXPECT_THAT(due(missing, Timestamp{10ms + interval}, 100, round_trip), ElementsAre(2));
  }
}

TEST(MissingPackets, GivesUpAfterTheLastTry) {
  MissingPackets missing;
  missing.on_packet(1, Timestamp{});
  missing.on_packet(3, Timestamp{});
  int asked = 0;
  for (Timestamp now{}; now < Timestamp{5s}; now += 1ms) asked += static_cast<int>(due(missing, now).size());
  EXPECT_EQ(asked, MissingPackets::MaxTries);
  EXPECT_EQ(missing.outstanding(), 0u);
  EXPECT_FALSE(missing.take_overflowed());
}

TEST(MissingPackets, WhatDoesNotFitStaysDue) {
  MissingPackets missing;
  missing.on_packet(0, Timestamp{});
  missing.on_packet(6, Timestamp{});
  EXPECT_THAT(due(missing, Timestamp{10ms}, 2), ElementsAre(1, 2));
  EXPECT_EQ(missing.next_deadline(), Timestamp{10ms});
  EXPECT_THAT(due(missing, Timestamp{10ms}, 2), ElementsAre(3, 4));
  EXPECT_THAT(due(missing, Timestamp{10ms}, 2), ElementsAre(5));
  EXPECT_THAT(due(missing, Timestamp{10ms}, 2), IsEmpty());
}

TEST(MissingPackets, ForgetsAllAndWantsAKeyFrameWhenTooMuchIsMissing) {
  MissingPackets missing;
  missing.on_packet(0, Timestamp{});
  missing.on_packet(limits::MissingPacketsPerSource + 1, Timestamp{});
  EXPECT_EQ(missing.outstanding(), limits::MissingPacketsPerSource);
  EXPECT_FALSE(missing.take_overflowed());
  missing.on_packet(limits::MissingPacketsPerSource + 3, Timestamp{});
  EXPECT_EQ(missing.outstanding(), 0u);
  EXPECT_EQ(missing.next_deadline(), Never);
  EXPECT_TRUE(missing.take_overflowed());
  EXPECT_FALSE(missing.take_overflowed()) << "told once";
  missing.on_packet(limits::MissingPacketsPerSource + 5, Timestamp{});
  EXPECT_THAT(due(missing, Timestamp{10ms}), ElementsAre(limits::MissingPacketsPerSource + 4));
}

TEST(MissingPackets, AJumpOfTheStreamIsNotAskedFor) {
  for (const int jump : {20'000, -20'000, static_cast<int>(MaxDropout) + 1}) {
    MissingPackets missing;
    missing.on_packet(30'000, Timestamp{});
    missing.on_packet(static_cast<uint16_t>(30'000 + jump), Timestamp{});
    EXPECT_TRUE(missing.take_overflowed());
    EXPECT_EQ(missing.outstanding(), 0u);
    missing.on_packet(static_cast<uint16_t>(30'000 + jump + 2), Timestamp{});
    EXPECT_THAT(due(missing, Timestamp{10ms}), ElementsAre(30'000 + jump + 1));
  }
}

TEST(MissingPackets, ResetForgetsTheStream) {
  MissingPackets missing;
  missing.on_packet(0, Timestamp{});
  missing.on_packet(9, Timestamp{});
  missing.reset();
  EXPECT_EQ(missing.next_deadline(), Never);
  missing.on_packet(40'000, Timestamp{});
  EXPECT_EQ(missing.outstanding(), 0u);
  EXPECT_FALSE(missing.take_overflowed());
}

// Whatever the network does: only what is missing is asked for, in due time, a bounded number of times, and it ends.
TEST(MissingPackets, KeepsItsPromisesOnALossyReorderingNetwork) {
  SeededRandom random(23);
  MissingPackets missing;
  std::set<int64_t> absent;
  std::vector<std::pair<int, Timestamp>> asked(65'536, {0, Timestamp{-1h}});
  std::array<uint16_t, 16> out{};
  Timestamp now{};
  missing.on_packet(0, now);
  int64_t sent = 0;
  for (int i = 0; i < 50'000; ++i, now += 1ms) {
    ++sent;
    asked[static_cast<uint16_t>(sent)] = {0, Timestamp{-1h}};
    if (random.chance(0.1)) {
      absent.insert(sent);
    } else {
      missing.on_packet(static_cast<uint16_t>(sent), now);
    }
    if (!absent.empty() && random.chance(0.08)) {
      const int64_t late = *absent.begin();
      if (sent - late < 2000) missing.on_packet(static_cast<uint16_t>(late), now);
      absent.erase(absent.begin());
    }
    const Timestamp deadline = missing.next_deadline();
    const size_t count = missing.due(now, RoundTrip, out);
    ASSERT_TRUE(count == 0 || deadline <= now);
    for (const uint16_t s : std::span(out).first(count)) {
      ASSERT_TRUE(std::ranges::any_of(absent, [&](int64_t a) { return static_cast<uint16_t>(a) == s; })) << s;
      ASSERT_LE(++asked[s].first, MissingPackets::MaxTries);
      ASSERT_GE(now - asked[s].second, RoundTrip);
      asked[s].second = now;
    }
    ASSERT_LE(missing.outstanding(), limits::MissingPacketsPerSource);
  }
  for (int i = 0; i < 2000; ++i, now += 1ms) missing.due(now, RoundTrip, out);
  EXPECT_EQ(missing.outstanding(), 0u);
  EXPECT_EQ(missing.next_deadline(), Never);
}

}  // namespace
}  // namespace viaduct::rtp
