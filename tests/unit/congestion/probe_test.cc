#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "protocol/congestion/probe_estimator.h"
#include "protocol/congestion/probe_planner.h"
#include "protocol/congestion/rates.h"

namespace viaduct::congestion {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr DataRate kbps(int64_t v) { return DataRate::kbps(v); }

// A probe of ten packets of 1250 bytes; they leave `sent` apart and arrive `arrived` apart.
std::optional<DataRate> measure(Duration sent, Duration arrived, int packets = 10) {
  ProbeEstimator estimator;
  estimator.begin({.id = 1, .rate = kbps(5000), .bytes = {12500}, .packets = 5});
  std::optional<DataRate> measured;
  for (int i = 0; i < packets; ++i) {
    const auto m = estimator.add({.sent = Timestamp(i * sent), .bytes = 1250, .probe = 1, .received = true,
                                  .arrival = 1s + i * arrived});
    if (m) measured = m->rate;
  }
  return measured;
}

TEST(ProbeEstimator, FindsTheRateAtWhichAProbeLeftWhereItArrivesAsFast) {
  EXPECT_NEAR(to_kbps(measure(2ms, 2ms).value()), 5000, 1);
}

TEST(ProbeEstimator, StaysALittleBelowTheRateOfALinkThatIsFull) {
  EXPECT_NEAR(to_kbps(measure(2ms, 4ms).value()), 2500 * 0.95, 1);
}

TEST(ProbeEstimator, NeedsFourOfFivePackets) {
  EXPECT_FALSE(measure(2ms, 2ms, 7));
  EXPECT_TRUE(measure(2ms, 2ms, 8));
}

TEST(ProbeEstimator, DoesNotBelieveAReceiverThatClaimsMuchMoreThanWasSent) {
  EXPECT_FALSE(measure(4ms, 1ms));
  EXPECT_FALSE(measure(4ms, 0ms));
  EXPECT_NEAR(to_kbps(measure(4ms, 3ms).value()), 2500, 1) << "a little more is jitter, and no gain";
}

TEST(ProbeEstimator, LeavesOutAProbeThatTookTooLong) {
  EXPECT_FALSE(measure(2ms, 200ms));
  EXPECT_FALSE(measure(200ms, 200ms));
}

TEST(ProbeEstimator, SaysHowLongTheLastPacketTook) {
  ProbeEstimator estimator;
  estimator.begin({.id = 1, .rate = kbps(5000), .bytes = {5000}, .packets = 5, .thorough = true});
  std::optional<ProbeResult> result;
  for (uint32_t i = 0; i < 5; ++i) {
    result = estimator.add({.sent = Timestamp(i * 2ms), .bytes = 1000 + i, .probe = 1, .received = true,
                            .arrival = 1s + i * 5ms});
  }
  ASSERT_TRUE(result);
  EXPECT_EQ(result->last_took, 1s + 4 * 3ms);
  EXPECT_EQ(result->last_bytes, 1004u);
  EXPECT_NEAR(to_kbps(result->sent), 4006 * 8 / 8.0, 1);
  EXPECT_TRUE(result->thorough);
}

TEST(ProbeEstimator, KnowsOnlyProbesThatWereBegun) {
  ProbeEstimator estimator;
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(estimator.add({.bytes = 1250, .probe = 3, .received = true, .arrival = i * 1ms}));
    EXPECT_FALSE(estimator.add({.bytes = 1250, .probe = 0, .received = true, .arrival = i * 1ms}));
    EXPECT_FALSE(estimator.add({.bytes = 1250, .probe = -5, .received = true, .arrival = i * 1ms}));
  }
}

// A planner and what it has asked for.
struct Planner {
  ProbePlanner planner{RateLimits{.initial = kbps(500)}};
  Timestamp now{1s};
  ProbePlanner::Network network{.estimate = kbps(500)};

  std::vector<int64_t> probes() {
    std::vector<int64_t> out;
    while (const auto probe = planner.poll(now)) out.push_back(probe->rate.bits_per_second / 1000);
    return out;
  }
  std::vector<int64_t> after(Duration time, DataRate estimate) {
    now += time;
    network.estimate = estimate;
    planner.update(network, now);
    return probes();
  }
  void begin(DataRate demand) {
    planner.set_demand(demand, now);
  }
};

TEST(ProbePlanner, BeginsWithThreeAndSixTimesTheInitialRate) {
  Planner p;
  p.begin(kbps(10'000));
  EXPECT_THAT(p.probes(), ElementsAre(1500, 3000));
  EXPECT_THAT(p.probes(), IsEmpty()) << "each once";
}

TEST(ProbePlanner, BeginsWhenSomethingIsWanted) {
  Planner p;
  p.begin(DataRate{});
  EXPECT_THAT(p.probes(), IsEmpty());
  p.begin(kbps(10'000));
  EXPECT_THAT(p.probes(), ElementsAre(1500, 3000));
}

TEST(ProbePlanner, MakesProbesOfFivePacketsAndFifteenMilliseconds) {
  Planner p;
  p.begin(kbps(10'000));
  const auto probe = p.planner.poll(p.now);
  EXPECT_EQ(probe->packets, 5);
  EXPECT_EQ(probe->bytes, DataSize{2812});
}

TEST(ProbePlanner, DoublesAsLongAsProbesShowMore) {
  Planner p;
  p.begin(kbps(50'000));
  p.probes();
  EXPECT_THAT(p.after(200ms, kbps(2900)), ElementsAre(5800));
  EXPECT_THAT(p.after(200ms, kbps(5700)), ElementsAre(11'400));
  EXPECT_THAT(p.after(200ms, kbps(6000)), IsEmpty()) << "not enough of it was found";
}

TEST(ProbePlanner, LooksNotMuchHigherThanIsWanted) {
  Planner p;
  p.begin(kbps(1000));
  EXPECT_THAT(p.probes(), ElementsAre(1300));
  EXPECT_THAT(p.after(200ms, kbps(1100)), IsEmpty());
  EXPECT_THAT(p.after(20s, kbps(1100)), IsEmpty());
  EXPECT_EQ(p.planner.next_deadline(), Never);
}

TEST(ProbePlanner, TriesAgainNowAndThenWhileMoreIsWanted) {
  Planner p;
  p.begin(kbps(2000));
  p.probes();
  EXPECT_THAT(p.after(2s, kbps(600)), IsEmpty());
  EXPECT_EQ(p.planner.next_deadline(), Timestamp(1s) + ProbePlanner::Interval);
  EXPECT_THAT(p.after(1s, kbps(600)), ElementsAre(1200));
  EXPECT_THAT(p.after(3s, kbps(600)), ElementsAre(1200));
}

TEST(ProbePlanner, TriesAtOnceWhenTheDemandGrows) {
  Planner p;
  p.begin(kbps(400));
  EXPECT_THAT(p.after(10s, kbps(500)), IsEmpty());
  p.planner.set_demand(kbps(3000), p.now);
  EXPECT_THAT(p.probes(), ElementsAre(1000));
}

TEST(ProbePlanner, LeavesANetworkAloneThatHasTooMuchAlready) {
  Planner p;
  p.begin(kbps(5000));
  p.probes();
  p.network.usage = Usage::Over;
  EXPECT_THAT(p.after(10s, kbps(500)), IsEmpty());
  p.network = {.usage = Usage::Normal, .loss = LossState::Decreasing};
  EXPECT_THAT(p.after(10s, kbps(500)), IsEmpty());
  p.network.loss = LossState::Increasing;
  EXPECT_THAT(p.after(10s, kbps(500)), ElementsAre(750)) << "with care";
}

TEST(ProbePlanner, TriesToRecoverFromASharpDropOfAnUnusedRate) {
  Planner p;
  p.begin(kbps(5000));
  p.probes();
  p.network.lately_limited_by_application = true;
  EXPECT_THAT(p.after(1200ms, kbps(2000)), IsEmpty());
  EXPECT_THAT(p.after(100ms, kbps(1000)), IsEmpty());
  EXPECT_THAT(p.after(1s, kbps(1000)), ElementsAre(1700));
}

TEST(ProbePlanner, LooksAgainForLongerAtWhatIsNotBelieved) {
  Planner p;
  p.begin(kbps(10'000));
  p.probes();
  p.planner.plan_thorough(kbps(900), p.now);
  const auto probe = p.planner.poll(p.now);
  ASSERT_TRUE(probe);
  EXPECT_EQ(probe->rate, kbps(900));
  EXPECT_TRUE(probe->thorough);
  EXPECT_EQ(probe->bytes, kbps(900) * ProbePlanner::ThoroughTime);
  p.planner.plan_thorough(kbps(9000), p.now);
  EXPECT_THAT(p.probes(), ElementsAre(1000)) << "no more than twice the estimate";
  p.network.usage = Usage::Over;
  EXPECT_THAT(p.after(10s, kbps(500)), IsEmpty());
  p.planner.plan_thorough(kbps(900), p.now);
  EXPECT_THAT(p.probes(), IsEmpty()) << "there is too much already";
}

TEST(ProbePlanner, DropsAProbeThatNobodyCameFor) {
  Planner p;
  p.begin(kbps(5000));
  p.now += 2s;
  EXPECT_THAT(p.probes(), IsEmpty());
}

}  // namespace
}  // namespace viaduct::congestion
