// Numbers that one thread writes and the metrics page reads. No lock, no allocation, no map look-up where they
// are counted.
//
// A component keeps its numbers in a struct of these and describes them to a MetricVisitor; names and labels
// stand in one place beside the code that counts.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace viaduct {

// Only ever grows. One writing thread.
class Counter {
 public:
  void add(uint64_t n = 1) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// Goes up and down. One writing thread.
class Gauge {
 public:
  void set(int64_t v) { value_.store(v, std::memory_order_relaxed); }
  void add(int64_t n) { set(value() + n); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// Counts observations into buckets with fixed upper bounds. One writing thread.
template <size_t N>
class Histogram {
 public:
  explicit constexpr Histogram(const std::array<double, N>& upper_bounds) : bounds_(upper_bounds) {}
  // `n` observations of one value.
  void observe(double v, uint64_t n = 1) {
    size_t i = 0;
    while (i < N && v > bounds_[i]) ++i;
    buckets_[i].add(n);
    sum_.store(sum_.load(std::memory_order_relaxed) + v * static_cast<double>(n), std::memory_order_relaxed);
  }
  std::span<const double> bounds() const { return bounds_; }
  uint64_t bucket(size_t i) const { return buckets_[i].value(); }  // i == N: above the last bound
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::array<double, N> bounds_;
  std::array<Counter, N + 1> buckets_;
  std::atomic<double> sum_{0};
};

using MetricLabels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// Takes one reading of each number. The same name may come many times with different labels, from many sources.
class MetricVisitor {
 public:
  virtual ~MetricVisitor() = default;
  virtual void counter(std::string_view name, std::string_view help, MetricLabels labels, double value) = 0;
  virtual void gauge(std::string_view name, std::string_view help, MetricLabels labels, double value) = 0;
  // `buckets` are counts per bucket, not cumulative; one more than `bounds`.
  virtual void histogram(std::string_view name, std::string_view help, MetricLabels labels,
                         std::span<const double> bounds, std::span<const uint64_t> buckets, double sum) = 0;

  template <size_t N>
  void histogram(std::string_view name, std::string_view help, MetricLabels labels, const Histogram<N>& h) {
    std::array<uint64_t, N + 1> buckets;
    for (size_t i = 0; i <= N; ++i) buckets[i] = h.bucket(i);
    histogram(name, help, labels, h.bounds(), buckets, h.sum());
  }
};

// Whoever has numbers to show. visit() runs on the control thread while the owner keeps counting.
class MetricSource {
 public:
  virtual ~MetricSource() = default;
  virtual void visit(MetricVisitor& visitor) const = 0;
};

}  // namespace viaduct
