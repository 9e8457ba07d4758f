#include "protocol/congestion/pacer.h"

#include <gtest/gtest.h>

#include "protocol/congestion/rates.h"

namespace viaduct::congestion {
namespace {

constexpr DataRate kbps(int64_t v) { return DataRate::kbps(v); }

// Sends packets as soon as the pacer lets them, and says how many bytes left.
int64_t send_all(Pacer& pacer, Timestamp& now, Duration time, size_t bytes = 1000) {
  int64_t sent = 0;
  for (const Timestamp end = now + time;;) {
    now = pacer.next_send(now);
    if (now >= end) break;
    pacer.on_sent(bytes, now);
    sent += static_cast<int64_t>(bytes);
  }
  return sent;
}

TEST(Pacer, HoldsNothingBackWithoutARate) {
  Pacer pacer;
  Timestamp now{1s};
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(pacer.next_send(now), now);
    pacer.on_sent(1200, now);
  }
  pacer.set_rate(kbps(100), {}, now);
  pacer.on_sent(5000, now);
  EXPECT_GT(pacer.next_send(now), now);
  pacer.set_unlimited();
  EXPECT_EQ(pacer.next_send(now), now);
}

TEST(Pacer, SpreadsABurstAtTwoAndAHalfTimesTheTarget) {
  Pacer pacer;
  Timestamp now{1s};
  pacer.set_rate(kbps(1000), {}, now);
  EXPECT_NEAR(static_cast<double>(send_all(pacer, now, 1s)), 312'500, 5000);
}

TEST(Pacer, LetsTenMillisecondsLeaveAtOnce) {
  Pacer pacer;
  const Timestamp now{1s};
  pacer.set_rate(kbps(1000), {}, now);  // 2.5 Mbit/s: 3125 bytes
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(pacer.next_send(now), now) << i;
    pacer.on_sent(1000, now);
  }
  EXPECT_GT(pacer.next_send(now), now);
}

TEST(Pacer, DoesNotSaveUpWhatWasNotSent) {
  Pacer pacer;
  Timestamp now{1s};
  pacer.set_rate(kbps(1000), {}, now);
  now += 10s;
  const int64_t sent = send_all(pacer, now, 10ms);
  EXPECT_LE(sent, 2 * 3125 + 1000);
}

TEST(Pacer, CountsSoundThatDoesNotAsk) {
  Pacer pacer;
  const Timestamp now{1s};
  pacer.set_rate(kbps(100), {}, now);
  pacer.on_sent(1000, now);
  const Timestamp before = pacer.next_send(now);
  pacer.on_sent(200, now);
  EXPECT_GT(pacer.next_send(now), before);
}

TEST(Pacer, NeverOwesMoreThanHalfASecond) {
  Pacer pacer;
  const Timestamp now{1s};
  pacer.set_rate(kbps(100), {}, now);
  for (int i = 0; i < 10'000; ++i) pacer.on_sent(1000, now);
  EXPECT_LE(pacer.next_send(now), now + Pacer::LongestDebt);
}

TEST(Pacer, EmptiesALongQueueInHalfASecond) {
  Pacer pacer;
  Timestamp now{1s};
  pacer.set_rate(kbps(100), {500'000}, now);
  EXPECT_GE(send_all(pacer, now, 500ms), 500'000);
}

TEST(Pacer, PaysAnOldDebtAtTheNewRate) {
  Pacer pacer;
  const Timestamp now{1s};
  pacer.set_rate(kbps(1000), {}, now);
  for (int i = 0; i < 40; ++i) pacer.on_sent(1000, now);
  const Timestamp fast = pacer.next_send(now);
  pacer.set_rate(kbps(500), {}, now);
  EXPECT_GT(pacer.next_send(now) - now, (fast - now) * 3 / 2);
}

TEST(Pacer, SendsAProbeAtItsRateUntilItIsComplete) {
  Pacer pacer;
  Timestamp now{1s};
  pacer.set_rate(kbps(1000), {}, now);
  pacer.start_probe({.id = 7, .rate = kbps(4000), .bytes = {7500}, .packets = 5}, now);
  const Timestamp began = now;
  int packets = 0;
  while (pacer.probe()) {
    ASSERT_EQ(pacer.probe(), 7);
    now = pacer.next_send(now);
    ASSERT_GT(pacer.padding_due(now), 0u);
    pacer.on_sent(1000, now);
    ++packets;
  }
  EXPECT_EQ(packets, 8);
  EXPECT_NEAR(to_milliseconds(now - began), 14, 0.1) << "seven packets of 2 ms";
  EXPECT_EQ(pacer.padding_due(now), 0u);
}

TEST(Pacer, AsksForNoPaddingWhileAProbeIsAhead) {
  Pacer pacer;
  const Timestamp now{1s};
  pacer.set_rate(kbps(1000), {}, now);
  EXPECT_EQ(pacer.padding_due(now), 0u);
  pacer.start_probe({.id = 7, .rate = kbps(4000), .bytes = {7500}, .packets = 5}, now);
  pacer.on_sent(1200, now);
  EXPECT_EQ(pacer.padding_due(now), 0u);
  EXPECT_EQ(pacer.next_send(now), now + 2400us);
  EXPECT_GT(pacer.padding_due(now + 2400us), 0u);
}

TEST(Pacer, MakesAtLeastTheProbesPackets) {
  Pacer pacer;
  Timestamp now{1s};
  pacer.set_rate(kbps(100), {}, now);
  pacer.start_probe({.id = 1, .rate = kbps(200), .bytes = {375}, .packets = 5}, now);
  int packets = 0;
  for (; pacer.probe(); ++packets) pacer.on_sent(400, now = pacer.next_send(now));
  EXPECT_EQ(packets, 5);
}

TEST(Pacer, GivesUpAProbeThatDoesNotEnd) {
  Pacer pacer;
  Timestamp now{1s};
  pacer.set_rate(kbps(1000), {}, now);
  pacer.start_probe({.id = 1, .rate = kbps(2000), .bytes = {3750}, .packets = 5}, now);
  now += Pacer::LongestProbe + 1ms;
  EXPECT_EQ(pacer.padding_due(now), 0u);
  pacer.set_rate(kbps(1000), {}, now);
  EXPECT_FALSE(pacer.probe());
}

}  // namespace
}  // namespace viaduct::congestion
