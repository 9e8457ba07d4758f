#include "base/counters.h"

#include <gtest/gtest.h>

#include <thread>

namespace viaduct {
namespace {

TEST(Counter, OnlyGrows) {
  Counter counter;
  counter.add();
  counter.add(41);
  EXPECT_EQ(counter.value(), 42u);
}

TEST(Counter, IsReadWhileAnotherThreadCounts) {
  Counter counter;
  std::thread writer([&] {
    for (int i = 0; i < 100'000; ++i) counter.add();
  });
  uint64_t last = 0;
  bool grows = true;
  while (last < 100'000) {
    const uint64_t now = counter.value();
    grows = grows && now >= last;
    last = now;
    std::this_thread::yield();
  }
  writer.join();
  EXPECT_TRUE(grows);
}

TEST(Gauge, GoesUpAndDown) {
  Gauge gauge;
  gauge.set(5);
  gauge.set(-3);
  EXPECT_EQ(gauge.value(), -3);
}

TEST(Histogram, PutsAnObservationIntoTheFirstBucketThatHoldsIt) {
  Histogram<3> histogram({1.0, 2.0, 4.0});
  for (const double v : {0.5, 1.0, 1.5, 4.0, 9.0, -1.0}) histogram.observe(v);
  EXPECT_EQ(histogram.bucket(0), 3u);  // an upper bound belongs to its bucket
  EXPECT_EQ(histogram.bucket(1), 1u);
  EXPECT_EQ(histogram.bucket(2), 1u);
  EXPECT_EQ(histogram.bucket(3), 1u);
  EXPECT_DOUBLE_EQ(histogram.sum(), 15.0);
}

TEST(MetricVisitor, IsHandedAHistogramsBucketsOneByOne) {
  class Recorder final : public MetricVisitor {
   public:
    using MetricVisitor::histogram;
    void counter(std::string_view, std::string_view, MetricLabels, double) override {}
    void gauge(std::string_view, std::string_view, MetricLabels, double) override {}
    void histogram(std::string_view name, std::string_view, MetricLabels labels, std::span<const double> bounds,
                   std::span<const uint64_t> buckets, double sum) override {
      seen_name = name;
      seen_labels = labels.size();
      seen_bounds.assign(bounds.begin(), bounds.end());
      seen_buckets.assign(buckets.begin(), buckets.end());
      seen_sum = sum;
    }
    std::string seen_name;
    size_t seen_labels = 0;
    std::vector<double> seen_bounds;
    std::vector<uint64_t> seen_buckets;
    double seen_sum = 0;
  };
  Histogram<2> histogram({1.0, 2.0});
  histogram.observe(0.5);
  histogram.observe(3.0);
  Recorder recorder;
  recorder.histogram("latency_seconds", "help", {{"kind", "rtp"}}, histogram);
  EXPECT_EQ(recorder.seen_name, "latency_seconds");
  EXPECT_EQ(recorder.seen_labels, 1u);
  EXPECT_EQ(recorder.seen_bounds, (std::vector<double>{1.0, 2.0}));
  EXPECT_EQ(recorder.seen_buckets, (std::vector<uint64_t>{1, 0, 1}));
  EXPECT_DOUBLE_EQ(recorder.seen_sum, 3.5);
}

}  // namespace
}  // namespace viaduct
