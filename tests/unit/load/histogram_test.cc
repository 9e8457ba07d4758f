#include "tests/load/histogram.h"

#include <gtest/gtest.h>

namespace viaduct::load {
namespace {

TEST(Histogram, HasNothingToSayWhenNothingCame) {
  const Histogram h;
  EXPECT_EQ(h.count(), 0u);
  EXPECT_EQ(h.percentile(99), 0ns);
  EXPECT_EQ(h.max(), 0ns);
}

TEST(Histogram, GivesPercentilesToWithinOnePartIn32) {
  Histogram h;
  for (int i = 1; i <= 1000; ++i) h.add(std::chrono::microseconds(i));
  EXPECT_EQ(h.count(), 1000u);
  for (const double percent : {1.0, 50.0, 95.0, 99.0}) {
    const double exact = percent * 10'000;  // ns
    const auto found = static_cast<double>(h.percentile(percent).count());
    EXPECT_GE(found, exact) << percent;
    EXPECT_LE(found, exact * 33 / 32) << percent;
  }
  EXPECT_EQ(h.percentile(100), 1ms);
  EXPECT_EQ(h.max(), 1ms);
  EXPECT_EQ(h.mean(), 500'500ns);
}

TEST(Histogram, TakesValuesFromNothingToHours) {
  Histogram h;
  h.add(0ns);
  h.add(-5ns);
  h.add(31ns);
  h.add(48h);
  EXPECT_EQ(h.percentile(50), 0ns);
  EXPECT_EQ(h.percentile(75), 31ns);
  EXPECT_EQ(h.percentile(100), 48h);
}

TEST(Histogram, AddsUp) {
  Histogram a, b;
  for (int i = 0; i < 99; ++i) a.add(1ms);
  b.add(100ms);
  a.add(b);
  EXPECT_EQ(a.count(), 100u);
  EXPECT_LT(a.percentile(99), 2ms);
  EXPECT_EQ(a.percentile(99.5), 100ms);
}

}  // namespace
}  // namespace viaduct::load
