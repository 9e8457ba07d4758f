// Packets and bytes of a stream, and its rate over the last full second.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "base/units.h"

namespace viaduct::conference {

class RateMeter {
 public:
  void add(size_t bytes, Timestamp now) {
    roll(now);
    ++packets_;
    bytes_ += bytes;
    in_window_.bytes += static_cast<int64_t>(bytes);
  }
  uint64_t packets() const { return packets_; }
  uint64_t bytes() const { return bytes_; }
  DataRate rate(Timestamp now) {
    roll(now);
    return last_;
  }

 private:
  void roll(Timestamp now) {
    const Duration elapsed = now - window_start_;
    if (elapsed < 1s) return;
    last_ = elapsed < 2s ? in_window_ / elapsed : DataRate{};
    in_window_ = {};
    window_start_ = now;
  }

  uint64_t packets_ = 0;
  uint64_t bytes_ = 0;
  DataSize in_window_;
  Timestamp window_start_{};
  DataRate last_;
};

}  // namespace viaduct::conference
