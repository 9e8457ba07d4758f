// The bad network in the process.
#include "tests/load/impairment.h"

#include <gtest/gtest.h>

#include <vector>

namespace viaduct::load {
namespace {

constexpr Timestamp Start{1000s};

std::vector<std::optional<Timestamp>> outcomes(const ImpairmentPlan& plan, uint64_t seed,
                                               int datagrams, Duration step = 1ms,
                                               size_t bytes = 1200) {
  Impairment network(plan, seed);
  std::vector<std::optional<Timestamp>> out;
  for (int i = 0; i < datagrams; ++i) out.push_back(network.pass(bytes, Start + i * step));
  return out;
}

TEST(Impairment, LosesTheShareThatItIsTold) {
  int lost = 0;
  for (const auto& arrival : outcomes({.loss = 0.1}, 1, 20'000)) lost += arrival ? 0 : 1;
  EXPECT_NEAR(lost, 2000, 150);
}

TEST(Impairment, LosesTheSameForTheSameSeed) {
  const ImpairmentPlan plan{.loss = 0.3, .delay = 10ms, .jitter = 5ms};
  EXPECT_EQ(outcomes(plan, 9, 500), outcomes(plan, 9, 500));
  EXPECT_NE(outcomes(plan, 9, 500), outcomes(plan, 10, 500));
}

TEST(Impairment, DelaysWithinItsJitterAndKeepsTheOrder) {
  Timestamp last{};
  int i = 0;
  for (const auto& arrival : outcomes({.delay = 50ms, .jitter = 20ms}, 4, 1000)) {
    const Timestamp sent = Start + 1ms * i++;
    ASSERT_TRUE(arrival);
    EXPECT_GE(*arrival, sent + 50ms);
    EXPECT_LE(*arrival, sent + 70ms);
    EXPECT_GE(*arrival, last);
    last = *arrival;
  }
}

TEST(Impairment, LetsNoMoreThroughThanItsRate) {
  // 1200 bytes a millisecond are 9.6 Mbit/s: a link of 4.8 takes half of it.
  const auto all = outcomes({.rate = DataRate::kbps(4800), .queue = 100ms}, 1, 5000);
  int passed = 0;
  for (const auto& arrival : all) {
    if (!arrival) continue;
    ++passed;
  }
  EXPECT_NEAR(passed, 2550, 20);
  EXPECT_LE(*all[49], Start + 49ms + 102ms);
}

TEST(Impairment, OfNothingPassesEverythingAtOnce) {
  EXPECT_TRUE(ImpairmentPlan{}.is_nothing());
  int i = 0;
  for (const auto& arrival : outcomes({}, 1, 100)) EXPECT_EQ(arrival, Start + 1ms * i++);
}

}  // namespace
}  // namespace viaduct::load
