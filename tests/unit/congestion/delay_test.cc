// The delay's view: arrival line, groups, trendline, detector.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "protocol/congestion/arrival_groups.h"
#include "protocol/congestion/arrival_line.h"
#include "protocol/congestion/delay_controller.h"
#include "protocol/congestion/over_use_detector.h"
#include "protocol/congestion/trendline.h"

namespace viaduct::congestion {
namespace {

TEST(ArrivalLine, FollowsAClockOverItsWrap) {
  ArrivalLine line(100s);
  ASSERT_TRUE(line.advance(99s, Timestamp(5s)));
  ASSERT_TRUE(line.advance(1s, Timestamp(7s)));
  EXPECT_EQ(line.place(), 2s);
  ASSERT_TRUE(line.advance(99500ms, Timestamp(7s))) << "a report that was overtaken";
  EXPECT_EQ(line.place(), 500ms);
}

TEST(ArrivalLine, BeginsAnewWhereAClockLeaps) {
  ArrivalLine line(1000s);
  ASSERT_TRUE(line.advance(0s, Timestamp(0s)));
  EXPECT_FALSE(line.advance(100s, Timestamp(1s)));
  EXPECT_EQ(line.place(), 1s);
  EXPECT_TRUE(line.advance(101s, Timestamp(2s)));
  EXPECT_EQ(line.place(), 2s);
}

TEST(ArrivalLine, NeverLeavesOurTimeByMoreThanItsTolerance) {
  ArrivalLine line(1000s);
  Timestamp now{};
  for (int i = 0; i < 100'000; ++i) {
    line.advance((i * 499s) % 1000s, now += 1ms);
    ASSERT_LE(std::chrono::abs(line.place() - now.time_since_epoch()), ArrivalLine::Tolerance);
  }
}

TEST(ArrivalGroups, TakesPacketsThatLeftTogetherAsOne) {
  ArrivalGroups groups;
  const auto add = [&](Duration sent, Duration arrival) { return groups.add(Timestamp(sent), arrival); };
  EXPECT_FALSE(add(0ms, 100ms));
  EXPECT_FALSE(add(2ms, 106ms));
  EXPECT_FALSE(add(20ms, 130ms)) << "only one group is complete";
  EXPECT_FALSE(add(24ms, 140ms));
  const auto delta = add(40ms, 150ms);
  ASSERT_TRUE(delta);
  EXPECT_EQ(delta->sent, 22ms);
  EXPECT_EQ(delta->arrived, 34ms);
  EXPECT_EQ(delta->at, 140ms);
}

TEST(ArrivalGroups, TakesWhatArrivesInABurstAsOne) {
  ArrivalGroups groups;
  const auto add = [&](Duration sent, Duration arrival) { return groups.add(Timestamp(sent), arrival); };
  // Sent every 10 ms, held back by the network and then let go together.
  EXPECT_FALSE(add(0ms, 100ms));
  EXPECT_FALSE(add(10ms, 140ms));
  EXPECT_FALSE(add(20ms, 140ms));
  EXPECT_FALSE(add(30ms, 141ms));
  const auto delta = add(60ms, 170ms);
  ASSERT_TRUE(delta);
  EXPECT_EQ(delta->sent, 30ms) << "to the last packet of the burst";
  EXPECT_EQ(delta->arrived, 41ms);
}

TEST(ArrivalGroups, LeavesOutAPacketThatWasOvertaken) {
  ArrivalGroups groups;
  const auto add = [&](Duration sent, Duration arrival) { return groups.add(Timestamp(sent), arrival); };
  add(0ms, 0ms);
  add(20ms, 20ms);
  EXPECT_FALSE(add(10ms, 45ms));
  const auto delta = add(40ms, 46ms);
  ASSERT_TRUE(delta);
  EXPECT_EQ(delta->arrived, 20ms);
}

TEST(ArrivalGroups, BeginAnewWhenTheReceiverKeepsGoingBackInTime) {
  ArrivalGroups groups;
  for (int i = 0; i < 3; ++i) groups.add(Timestamp(i * 20ms), 10s + i * 20ms);
  std::optional<GroupDelta> delta;
  for (int i = 3; i < 12; ++i) delta = groups.add(Timestamp(i * 20ms), 1s + i * 20ms);
  ASSERT_TRUE(delta);
  EXPECT_EQ(delta->arrived, 20ms);
}

// Adds groups that leave every 20 ms and each take `growth` longer than the one before.
void add_groups(Trendline& trendline, int count, Duration growth, Duration from = 0s) {
  for (int i = 0; i < count; ++i) {
    trendline.add({.sent = 20ms, .arrived = 20ms + growth, .at = from + i * (20ms + growth)});
  }
}

TEST(Trendline, IsFlatWhileDelayStaysTheSame) {
  Trendline trendline;
  add_groups(trendline, 100, 0ms);
  EXPECT_EQ(trendline.slope(), 0);
}

TEST(Trendline, HasTheSlopeOfADelayThatGrows) {
  Trendline trendline;
  add_groups(trendline, 200, 1ms);
  EXPECT_NEAR(trendline.slope(), 1.0 / 21, 0.001);
}

TEST(Trendline, FallsWhereAQueueDrains) {
  Trendline trendline;
  add_groups(trendline, 100, 2ms);
  add_groups(trendline, 100, -2ms, 3s);
  EXPECT_NEAR(trendline.slope(), -2.0 / 18, 0.001);
}

TEST(Trendline, SaysNothingBeforeItsWindowIsFull) {
  Trendline trendline;
  add_groups(trendline, Trendline::Window - 1, 5ms);
  EXPECT_EQ(trendline.slope(), 0);
}

TEST(Trendline, StandsGroupsThatArriveAtTheSameTime) {
  Trendline trendline;
  for (int i = 0; i < 50; ++i) trendline.add({.sent = 20ms, .arrived = 0ms, .at = 1s});
  EXPECT_EQ(trendline.slope(), 0);
}

void update(OverUseDetector& detector, double slope, int times, Duration& at) {
  for (int i = 0; i < times; ++i) detector.update(slope, 60, 20ms, at += 20ms);
}

TEST(OverUseDetector, SeesADelayThatKeepsGrowing) {
  OverUseDetector detector;
  Duration at = 0s;
  update(detector, 0.1, 1, at);
  EXPECT_EQ(detector.usage(), Usage::Normal) << "one group is no trend";
  update(detector, 0.1, 1, at);
  EXPECT_EQ(detector.usage(), Usage::Over);
  update(detector, 0.0, 1, at);
  EXPECT_EQ(detector.usage(), Usage::Normal);
}

TEST(OverUseDetector, SeesAQueueThatDrains) {
  OverUseDetector detector;
  Duration at = 0s;
  update(detector, -0.1, 3, at);
  EXPECT_EQ(detector.usage(), Usage::Under);
}

TEST(OverUseDetector, IsNotAlarmedByATrendThatWeakens) {
  OverUseDetector detector;
  Duration at = 0s;
  for (int i = 0; i < 10; ++i) update(detector, 0.2 - 0.01 * i, 1, at);
  EXPECT_EQ(detector.usage(), Usage::Normal);
}

TEST(OverUseDetector, AdaptsToAFlowThatFillsTheQueue) {
  OverUseDetector detector;
  Duration at = 0s;
  const double before = detector.threshold();
  update(detector, 0.1, 50, at);  // 60 x 0.1 x 4 = 24, which is above the threshold and not far
  EXPECT_GT(detector.threshold(), before);
  update(detector, 0.0, 500, at);
  EXPECT_EQ(detector.threshold(), OverUseDetector::LeastThreshold);
}

TEST(OverUseDetector, DoesNotAdaptToASpike) {
  OverUseDetector detector;
  Duration at = 0s;
  update(detector, 10, 50, at);
  EXPECT_EQ(detector.threshold(), OverUseDetector::InitialThreshold);
}

// A short probe, whose last packet waited.
ProbeResult found(int64_t kbps) {
  return {.rate = DataRate::kbps(kbps), .sent = DataRate::kbps(kbps), .last_took = 10s, .last_bytes = 200};
}

// Packets of 1000 bytes every 10 ms, 800 kbit/s; each takes `growth` longer than the one before.
struct Sender {
  DelayController controller{RateLimits{.initial = DataRate::kbps(1000)}};
  Timestamp sent{};
  Duration delay = 30ms;

  void probe(const ProbeResult& probed) {
    controller.update({.throughput = DataRate::kbps(800), .probed = probed}, sent + delay);
  }
  void run(Duration time, Duration growth) {
    for (const Timestamp end = sent + time; sent < end; sent += 10ms, delay += growth) {
      const Duration arrival = (sent + delay).time_since_epoch();
      controller.on_arrival({.sent = sent, .bytes = 1000, .received = true, .arrival = arrival});
      if (sent.time_since_epoch() % 100ms == 0ns) controller.update({.throughput = DataRate::kbps(800)}, sent + delay);
    }
  }
};

TEST(DelayController, GrowsWhileTheDelayStaysTheSame) {
  Sender sender;
  sender.run(5s, 0ms);
  EXPECT_GT(sender.controller.rate(), DataRate::kbps(1150));
}

TEST(DelayController, BacksOffFromWhatArrivedWhenTheDelayGrows) {
  Sender sender;
  sender.run(1s, 0ms);
  sender.run(1s, 1ms);
  EXPECT_EQ(sender.controller.usage(), Usage::Over);
  EXPECT_EQ(sender.controller.rate(), DataRate::kbps(680));
}

TEST(DelayController, ForgetsTheTrendWhenTheReceiversClockLeaps) {
  Sender sender;
  sender.run(1s, 1ms);
  ASSERT_EQ(sender.controller.usage(), Usage::Over);
  sender.controller.restart();
  sender.run(1s, 0ms);
  EXPECT_EQ(sender.controller.usage(), Usage::Normal);
}

TEST(DelayController, TakesWhatAProbeHasMeasuredAtOnce) {
  Sender sender;
  sender.controller.update({.throughput = DataRate::kbps(800), .probed = found(3000)}, Timestamp(1s));
  EXPECT_EQ(sender.controller.rate(), DataRate::kbps(3000));
}

TEST(DelayController, FollowsAPoorProbeNoFurtherThanAnOverUse) {
  Sender sender;
  sender.controller.update({.throughput = DataRate::kbps(800), .probed = found(100)}, Timestamp(1s));
  EXPECT_EQ(sender.controller.rate(), DataRate::kbps(680));
}

TEST(DelayController, TakesTheRateAtWhichAProbeLeftWhereItsLastPacketDidNotWait) {
  Sender sender;
  sender.run(1s, 0ms);
  ProbeResult probe = found(1100);
  probe.sent = DataRate::kbps(2000);
  probe.last_took = 31ms;
  sender.probe(probe);
  EXPECT_EQ(sender.controller.rate(), DataRate::kbps(2000));
}

TEST(DelayController, TakesTheRateAtWhichAProbeArrivedWhereItsLastPacketWaited) {
  Sender sender;
  sender.run(1s, 0ms);
  ProbeResult probe = found(1600);
  probe.sent = DataRate::kbps(2000);
  probe.last_took = 45ms;
  sender.probe(probe);
  EXPECT_EQ(sender.controller.rate(), DataRate::kbps(1600));
}

TEST(DelayController, SendsLessThanTheRateWhileAQueueIsLong) {
  Sender sender;
  sender.run(1s, 0ms);
  sender.delay += 90ms;
  sender.run(300ms, 0ms);
  // 60 ms beyond what may stay are a fifth of the time in which they are to be gone.
  EXPECT_NEAR(to_kbps(sender.controller.target()), 0.8 * to_kbps(sender.controller.rate()), 1);
  sender.delay -= 90ms;
  sender.run(200ms, 0ms);
  EXPECT_EQ(sender.controller.target(), sender.controller.rate());
}

TEST(DelayController, GivesUpADrainThatLeadsToNothing) {
  Sender sender;
  sender.run(1s, 0ms);
  sender.delay += 90ms;
  sender.run(4s, 0ms);
  EXPECT_EQ(sender.controller.target(), sender.controller.rate());
}

TEST(DelayController, TakesASlopeWithoutAQueueForTheBurstsOfOthers) {
  Sender sender;
  sender.run(1s, 0ms);
  sender.run(100ms, 1ms);
  EXPECT_LT(sender.delay, 30ms + DelayController::LeastQueue);
  EXPECT_GE(sender.controller.rate(), DataRate::kbps(1000));
}

// After an over-use at 800 kbit/s, that is at 680 kbit/s, with the queue gone again.
Sender after_over_use() {
  Sender sender;
  sender.run(1s, 0ms);
  sender.run(500ms, 1ms);
  sender.delay = 30ms;
  sender.run(1s, 0ms);
  EXPECT_NEAR(to_kbps(sender.controller.rate()), 700, 25);
  return sender;
}

TEST(DelayController, IsNotMovedByAProbeThatFindsWhatWasThereAtTheLastOverUse) {
  Sender sender = after_over_use();
  const DataRate before = sender.controller.rate();
  sender.probe(found(1000));
  EXPECT_NEAR(to_kbps(sender.controller.rate()), to_kbps(before), 5);
  EXPECT_FALSE(sender.controller.poll_doubted());
}

TEST(DelayController, DoubtsAShortProbeThatFindsMuchMoreSoonAfterAnOverUse) {
  Sender sender = after_over_use();
  const DataRate before = sender.controller.rate();
  sender.probe(found(1300));
  EXPECT_NEAR(to_kbps(sender.controller.rate()), to_kbps(before), 5);
  EXPECT_EQ(sender.controller.poll_doubted(), DataRate::kbps(1300));
  EXPECT_FALSE(sender.controller.poll_doubted()) << "each once";
}

TEST(DelayController, BelievesAThoroughProbeSoonAfterAnOverUseWithCare) {
  Sender sender = after_over_use();
  const DataRate before = sender.controller.rate();
  ProbeResult probe = found(1300);
  probe.thorough = true;
  sender.probe(probe);
  EXPECT_NEAR(to_kbps(sender.controller.rate()), 1.5 * to_kbps(before), 1);
  sender.probe(found(3000));
  EXPECT_EQ(sender.controller.rate(), DataRate::kbps(3000)) << "and then any";
}

TEST(DelayController, ReturnsToWhereOneOverUseLeadsFromWhereSeveralHave) {
  Sender sender = after_over_use();
  sender.controller.rate_control().reduce_to(DataRate::kbps(300), sender.sent);
  sender.probe(found(1000));
  EXPECT_EQ(sender.controller.rate(), DataRate::kbps(680));
}

}  // namespace
}  // namespace viaduct::congestion
