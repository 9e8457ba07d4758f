#include "protocol/congestion/sent_history.h"

#include <gtest/gtest.h>

#include "limits.h"

namespace viaduct::congestion {
namespace {

using Lookup = SentHistory::Lookup;

SentPacket packet(uint16_t number, Timestamp at = Timestamp{}, uint32_t bytes = 1000) {
  return {.transport_sequence = number, .ssrc = 7, .sequence = number, .bytes = bytes, .at = at};
}

TEST(SentHistory, MatchesAReportWithWhatWasSent) {
  SentHistory history(Lookup::Number);
  history.add({.transport_sequence = 5, .bytes = 700, .at = Timestamp(3s), .probe = 9});
  const auto result = history.report(5, true);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->sent, Timestamp(3s));
  EXPECT_EQ(result->bytes, 700u);
  EXPECT_EQ(result->probe, 9);
  EXPECT_TRUE(result->received);
}

TEST(SentHistory, KnowsNothingOfNumbersThatWereNeverSent) {
  SentHistory history(Lookup::Number);
  EXPECT_FALSE(history.report(5, true)) << "nothing was sent yet";
  history.add(packet(5));
  EXPECT_FALSE(history.report(6, true));
  EXPECT_FALSE(history.report(4, true));
  EXPECT_FALSE(history.report(40000, true));
}

TEST(SentHistory, CountsAnArrivalOnce) {
  SentHistory history(Lookup::Number);
  history.add(packet(5));
  EXPECT_TRUE(history.report(5, true));
  EXPECT_FALSE(history.report(5, true));
  EXPECT_FALSE(history.report(5, false)) << "what has arrived does not get lost";
}

TEST(SentHistory, TakesALateArrivalOfWhatSeemedLost) {
  SentHistory history(Lookup::Number);
  history.add(packet(5));
  EXPECT_FALSE(history.report(5, false)->received);
  EXPECT_FALSE(history.report(5, false)) << "a loss counts once";
  const auto late = history.report(5, true);
  ASSERT_TRUE(late);
  EXPECT_TRUE(late->received);
  EXPECT_TRUE(late->counted_before);
}

TEST(SentHistory, FollowsNumbersOverTheWrap) {
  SentHistory history(Lookup::Number);
  for (int i = 0; i < 200; ++i) history.add(packet(static_cast<uint16_t>(65436 + i)));
  const auto before = history.report(65535, true);
  const auto after = history.report(0, true);
  ASSERT_TRUE(before && after);
  EXPECT_EQ(after->number - before->number, 1);
}

TEST(SentHistory, ForgetsTheOldest) {
  SentHistory history(Lookup::Number);
  constexpr size_t More = 100;
  for (size_t i = 0; i < limits::SentPacketsRemembered + More; ++i) history.add(packet(static_cast<uint16_t>(i)));
  EXPECT_FALSE(history.report(More - 1, true));
  EXPECT_TRUE(history.report(More, true));
}

TEST(SentHistory, NeverTakesANumberForOneOfAnEarlierRound) {
  SentHistory history(Lookup::Number);
  for (int i = 0; i < 70000; ++i) history.add(packet(static_cast<uint16_t>(i)));
  // 70000 is 4464 in the second round; 4464 - 3000 was last used 3000 packets ago and 3000 > what is remembered.
  EXPECT_FALSE(history.report(1464, true));
  EXPECT_TRUE(history.report(4463, true));
}

TEST(SentHistory, SaysWhatLiesBetweenTwoReports) {
  SentHistory history(Lookup::Number);
  for (uint16_t i = 0; i < 10; ++i) history.add(packet(i));
  EXPECT_EQ(history.report(2, true)->unreported_before, 0u) << "who knows when the first report began";
  EXPECT_EQ(history.report(3, true)->unreported_before, 0u);
  EXPECT_EQ(history.report(7, true)->unreported_before, 3000u);
  EXPECT_EQ(history.report(8, true)->unreported_before, 0u) << "said once";
}

TEST(SentHistory, FindsPacketsByStream) {
  SentHistory history(Lookup::Stream);
  for (uint16_t i = 0; i < 500; ++i) {
    history.add({.transport_sequence = static_cast<uint16_t>(2 * i), .ssrc = 1, .sequence = i, .bytes = 100u + i});
    history.add({.transport_sequence = static_cast<uint16_t>(2 * i + 1), .ssrc = 2, .sequence = i, .bytes = 1000u + i});
  }
  for (uint16_t i = 0; i < 500; ++i) {
    EXPECT_EQ(history.report(1, i, true).value().bytes, 100u + i);
    EXPECT_EQ(history.report(2, i, true).value().bytes, 1000u + i);
  }
  EXPECT_FALSE(history.report(3, 1, true));
  EXPECT_FALSE(history.report(1, 500, true));
}

TEST(SentHistory, FindsTheNewestOfAStreamThatHasWrapped) {
  SentHistory history(Lookup::Stream);
  for (int i = 0; i < 140000; ++i) history.add(packet(static_cast<uint16_t>(i), Timestamp(1ms * i)));
  const auto result = history.report(7, static_cast<uint16_t>(139000), true);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->sent, Timestamp(139000ms));
  EXPECT_FALSE(history.report(7, static_cast<uint16_t>(137000), true)) << "forgotten";
}

TEST(SentHistory, EndsItsSearchAmongManyStreamsOfTheSameNumbers) {
  SentHistory history(Lookup::Stream);
  for (int i = 0; i < 5000; ++i) {
    history.add({.transport_sequence = static_cast<uint16_t>(i), .ssrc = static_cast<uint32_t>(i), .sequence = 1});
  }
  EXPECT_TRUE(history.report(4999, 1, true));
  EXPECT_TRUE(history.report(4000, 1, true));
  EXPECT_FALSE(history.report(100, 1, true));
}

}  // namespace
}  // namespace viaduct::congestion
