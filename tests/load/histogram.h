// How often which value came, in buckets that grow with the value: a percentile is off by at most
// one part in 32, and two histograms add up.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "base/time.h"

namespace viaduct::load {

class Histogram {
 public:
  // Negative values, which clocks of one process do not give, count as 0.
  void add(Duration value) {
    const auto ns = static_cast<uint64_t>(std::max<int64_t>(value.count(), 0));
    ++buckets_[bucket_of(ns)];
    ++count_;
    sum_ns_ += static_cast<double>(ns);
    max_ns_ = std::max(max_ns_, ns);
  }

  void add(const Histogram& other) {
    for (size_t i = 0; i < Buckets; ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    sum_ns_ += other.sum_ns_;
    max_ns_ = std::max(max_ns_, other.max_ns_);
  }

  uint64_t count() const { return count_; }
  Duration max() const { return Duration(static_cast<int64_t>(max_ns_)); }
  Duration mean() const {
    return Duration(count_ == 0 ? 0 : static_cast<int64_t>(sum_ns_ / static_cast<double>(count_)));
  }

  // The smallest value that at least `percent` of all values do not exceed, rounded up to the end
  // of its bucket; zero when nothing came. 0 < percent <= 100.
  Duration percentile(double percent) const {
    const double wanted = static_cast<double>(count_) * percent / 100;
    uint64_t seen = 0;
    for (size_t i = 0; i < Buckets; ++i) {
      seen += buckets_[i];
      if (seen > 0 && static_cast<double>(seen) >= wanted)
        return Duration(static_cast<int64_t>(std::min(end_of(i), max_ns_)));
    }
    return max();
  }

 private:
  // Values below 32 have a bucket each; above, each power of two has 32.
  static constexpr unsigned StepBits = 5;
  static constexpr uint64_t Steps = 1u << StepBits;
  static constexpr size_t Buckets = (64 - StepBits + 1) * Steps;

  static size_t bucket_of(uint64_t ns) {
    if (ns < Steps) return ns;
    const auto shift = static_cast<unsigned>(std::bit_width(ns)) - StepBits - 1;
    return (shift + 1) * Steps + ((ns >> shift) - Steps);
  }
  static uint64_t end_of(size_t bucket) {
    if (bucket < Steps) return bucket;
    const uint64_t shift = bucket / Steps - 1;
    return (((bucket % Steps + Steps) + 1) << shift) - 1;
  }

  std::array<uint64_t, Buckets> buckets_{};
  uint64_t count_ = 0;
  uint64_t max_ns_ = 0;
  double sum_ns_ = 0;
};

}  // namespace viaduct::load
