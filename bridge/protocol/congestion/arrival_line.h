// The receiver's clock, as its reports show it, on a line that does not wrap.
//
// Reports carry times that wrap after hours or days. A clock that runs away from ours by more than Tolerance was set,
// or is a lie: the line begins anew, so that it never leaves what can be counted.
#pragma once

#include <chrono>
#include <optional>

#include "base/time.h"

namespace viaduct::congestion {

class ArrivalLine {
 public:
  static constexpr Duration Tolerance = 60s;

  // After `wrap` the reported times begin at 0 again.
  explicit ArrivalLine(Duration wrap) : wrap_(wrap) {}

  // A report of the time `reported` came at `now`. False when the line has begun anew: what was measured on the old one
  // cannot be compared with what comes.
  bool advance(Duration reported, Timestamp now) {
    if (!start_) start_ = now, last_ = reported, place_ = Duration(0);
    Duration step = (reported - last_) % wrap_;
    if (step > wrap_ / 2) step -= wrap_;
    if (step < -wrap_ / 2) step += wrap_;
    last_ = reported;
    place_ += step;
    const Duration ours = now - *start_;
    if (std::chrono::abs(place_ - ours) <= Tolerance) return true;
    place_ = ours;
    return false;
  }

  // Where the last report lies on the line.
  Duration place() const { return place_; }

 private:
  Duration wrap_;
  std::optional<Timestamp> start_;
  Duration last_{0};
  Duration place_{0};
};

}  // namespace viaduct::congestion
