// How long a source's packets are under way, compared with each other: the fastest of late, and how
// much later than that nearly all come. In samples; the two clocks need not agree.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace viaduct::audio {

class TransitTimes {
 public:
  static constexpr int64_t BucketSamples = 240;  // 5 ms
  static constexpr size_t Buckets = 40;          // 200 ms: who is later than that is given up
  static constexpr int64_t LeastSamples = 2 * BucketSamples;
  static constexpr int64_t MostSamples = BucketSamples * static_cast<int64_t>(Buckets);

  TransitTimes() { share_[FirstGuess] = Whole; }

  // One packet: when it came minus when it plays. `at` is when it came.
  void note(int64_t transit, int64_t at) {
    if (at >= next_window_) {  // a floor of two windows follows clocks that drift apart
      before_ = current_;
      current_.reset();
      next_window_ = at + WindowSamples;
    }
    current_ = std::min(current_.value_or(transit), transit);
    for (uint32_t& s : share_) s -= s / Memory;
    const int64_t later = std::max<int64_t>(transit - fastest(), 0);
    share_[std::min(static_cast<size_t>(later / BucketSamples), Buckets - 1)] += Whole / Memory;
  }
  bool started() const { return current_ || before_; }
  // The smallest of the last seconds. There has been one.
  int64_t fastest() const {
    return current_ && before_ ? std::min(*current_, *before_) : current_ ? *current_ : *before_;
  }
  // How much later than that all but three of a hundred come.
  int64_t spread() const {
    uint64_t all = 0;
    for (const uint32_t s : share_) all += s;
    uint64_t later = all;
    for (size_t i = 0; i < Buckets; ++i) {
      later -= share_[i];
      if (later * 100 > all * 3) continue;
      return std::max(LeastSamples, static_cast<int64_t>(i + 1) * BucketSamples);
    }
    return MostSamples;
  }

 private:
  static constexpr int64_t WindowSamples = 4 * 48'000;
  static constexpr uint32_t Whole = 1u << 30;
  static constexpr uint32_t Memory = 256;  // packets
  static constexpr size_t FirstGuess = 7;  // 40 ms

  std::array<uint32_t, Buckets> share_{};  // of packets, by how much later they came
  std::optional<int64_t> current_, before_;
  int64_t next_window_ = INT64_MIN;
};

}  // namespace viaduct::audio
