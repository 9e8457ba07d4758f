// How long a queue packets wait in, even the luckiest of each report: how much more time they take than they once did.
// A short memory of what they once took follows a way through the network that changes, and clocks that drift.
#pragma once

#include <algorithm>
#include <optional>

#include "base/time.h"

namespace viaduct::congestion {

class StandingQueue {
 public:
  static constexpr Duration Memory = 10s;  // to twice as long

  // A packet of the report that is read.
  void add(Duration took) {
    least_ = std::min(least_.value_or(took), took);
  }

  void end_report(Timestamp now) {
    if (!least_) return;
    if (!since_ || now - *since_ >= Memory) {
      before_ = lately_;
      lately_.reset();
      since_ = now;
    }
    lately_ = std::min(lately_.value_or(*least_), *least_);
    length_ = *wait_of(*least_);
    least_.reset();
  }

  // How much longer than it once took; nothing before a report has ended.
  std::optional<Duration> wait_of(Duration took) const {
    if (!lately_) return std::nullopt;
    return took - std::min(before_.value_or(*lately_), *lately_);
  }
  Duration length() const { return length_; }
  void reset() { *this = StandingQueue(); }

 private:
  std::optional<Duration> least_;   // of this report
  std::optional<Duration> lately_;  // of all since since_
  std::optional<Duration> before_;  // and in the memory before
  std::optional<Timestamp> since_;
  Duration length_{0};
};

}  // namespace viaduct::congestion
