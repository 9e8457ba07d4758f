#include "protocol/congestion/rate_control.h"

#include <gtest/gtest.h>

#include "protocol/congestion/application_limit.h"
#include "protocol/congestion/rates.h"

namespace viaduct::congestion {
namespace {

constexpr DataRate kbps(int64_t v) { return DataRate::kbps(v); }
constexpr RateLimits Limits{.initial = kbps(1000)};

// A report every 100 ms that says the same.
void update(RateControl& control, Usage usage, DataRate throughput, Duration time, Timestamp& now) {
  for (const Timestamp end = now + time; now < end; now += 100ms) control.update(usage, throughput, false, now);
}

TEST(RateControl, GrowsByEightPercentASecondFarFromCapacity) {
  RateControl control(Limits);
  Timestamp now{};
  update(control, Usage::Normal, kbps(2000), 5s, now);
  EXPECT_NEAR(to_kbps(control.rate()), 1000 * 1.08 * 1.08 * 1.08 * 1.08 * 1.08, 30);
}

TEST(RateControl, NeverBuildsOnWhatDidNotArrive) {
  RateControl control(Limits);
  Timestamp now{};
  update(control, Usage::Normal, kbps(700), 20s, now);
  EXPECT_EQ(control.rate(), kbps(1060)) << "1.5 x 700 + 10";
}

TEST(RateControl, DoesNotFallOnlyBecauseLittleIsSent) {
  RateControl control(Limits);
  Timestamp now{};
  update(control, Usage::Normal, kbps(50), 5s, now);
  EXPECT_EQ(control.rate(), kbps(1000));
}

TEST(RateControl, DoesNotGrowWhileTheApplicationIsTheLimit) {
  RateControl control(Limits);
  for (Timestamp now{}; now < Timestamp(5s); now += 100ms) control.update(Usage::Normal, kbps(900), true, now);
  EXPECT_EQ(control.rate(), kbps(1000));
}

TEST(RateControl, FallsTo85PercentOfWhatArrived) {
  RateControl control(Limits);
  control.update(Usage::Over, kbps(800), false, Timestamp(1s));
  EXPECT_EQ(control.rate(), kbps(680));
}

TEST(RateControl, WaitsToSeeTheEffectBeforeItFallsAgain) {
  RateControl control(Limits);
  control.set_round_trip(100ms);
  control.update(Usage::Over, kbps(800), false, Timestamp(1s));
  control.update(Usage::Over, kbps(700), false, Timestamp(1050ms));
  EXPECT_EQ(control.rate(), kbps(680));
  control.update(Usage::Over, kbps(700), false, Timestamp(1100ms));
  EXPECT_EQ(control.rate(), kbps(595));
}

TEST(RateControl, FallsAtOnceWhenLessThanHalfArrives) {
  RateControl control(Limits);
  control.update(Usage::Over, kbps(800), false, Timestamp(1s));
  control.update(Usage::Over, kbps(300), false, Timestamp(1001ms));
  EXPECT_EQ(control.rate(), kbps(255));
}

TEST(RateControl, HalvesWhenNothingIsKnownOfWhatArrives) {
  RateControl control(Limits);
  control.update(Usage::Over, std::nullopt, false, Timestamp(1s));
  EXPECT_EQ(control.rate(), kbps(500));
}

TEST(RateControl, WaitsWhileAQueueDrains) {
  RateControl control(Limits);
  Timestamp now{1s};
  control.update(Usage::Over, kbps(800), false, now);
  update(control, Usage::Under, kbps(800), 3s, now);
  EXPECT_EQ(control.rate(), kbps(680));
}

TEST(RateControl, GrowsWithTheRootOfTheRateNearCapacity) {
  RateControl control(Limits);
  Timestamp now{};
  control.update(Usage::Over, kbps(800), false, now);
  update(control, Usage::Normal, kbps(780), 1s, now);
  EXPECT_NEAR(to_kbps(control.rate()), 680 + 0.9 * 1.5 * 26.1, 2);
}

TEST(RateControl, RemembersWhatArrivedWhenTooMuchWasSent) {
  RateControl control(Limits);
  EXPECT_FALSE(control.over_used_within(10s, Timestamp(1s)));
  control.update(Usage::Over, kbps(800), false, Timestamp(1s));
  EXPECT_EQ(control.over_used_within(10s, Timestamp(5s)), kbps(800));
  EXPECT_FALSE(control.over_used_within(10s, Timestamp(11s)));
  control.set_measured(kbps(2000), Timestamp(5s));
  EXPECT_FALSE(control.over_used_within(10s, Timestamp(5s))) << "there is more now";
}

TEST(RateControl, ForgetsACapacityThatIsExceeded) {
  RateControl control(Limits);
  Timestamp now{};
  control.update(Usage::Over, kbps(800), false, now);
  update(control, Usage::Normal, kbps(3000), 5s, now);
  EXPECT_GT(control.rate(), kbps(900)) << "multiplicative again";
}

TEST(RateControl, StaysWithinItsLimits) {
  RateControl control(Limits);
  Timestamp now{};
  update(control, Usage::Normal, kbps(1'000'000), 100s, now);
  EXPECT_EQ(control.rate(), Limits.most);
  update(control, Usage::Over, kbps(0), 10s, now);
  EXPECT_EQ(control.rate(), Limits.least);
  control.set_measured(kbps(1'000'000'000), now);
  EXPECT_EQ(control.rate(), Limits.most);
}

TEST(LinkCapacity, IsAMeanWithThreeDeviationsAround) {
  LinkCapacity capacity;
  EXPECT_FALSE(capacity.is_known());
  for (int i = 0; i < 100; ++i) capacity.on_over_use(kbps(i % 2 ? 950 : 1050));
  EXPECT_NEAR(to_kbps(capacity.estimate()), 1000, 10);
  EXPECT_LT(capacity.lower(), kbps(920));
  EXPECT_GT(capacity.upper(), kbps(1080));
}

TEST(ApplicationLimit, IsSeenWhereMuchLessIsSentThanMayBe) {
  ApplicationLimit limit;
  Timestamp now{};
  for (; now < Timestamp(2s); now += 10ms) limit.on_sent(250, kbps(1000), now);  // 200 kbit/s
  EXPECT_TRUE(limit.is_limited());
  for (; now < Timestamp(4s); now += 10ms) limit.on_sent(1250, kbps(1000), now);
  EXPECT_FALSE(limit.is_limited());
  EXPECT_TRUE(limit.was_limited_within(3s, now));
  EXPECT_FALSE(limit.was_limited_within(1s, now));
}

TEST(ApplicationLimit, IsNotSeenWhereMostOfTheRateIsUsed) {
  ApplicationLimit limit;
  for (Timestamp now{}; now < Timestamp(10s); now += 10ms) {
    limit.on_sent(900, kbps(1000), now);  // 720 kbit/s
    ASSERT_FALSE(limit.is_limited());
  }
}

}  // namespace
}  // namespace viaduct::congestion
