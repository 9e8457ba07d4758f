// Whether less is sent than may be, because there is no more to send. Then nothing that arrives proves the rate right
// (libwebrtc's application limited region).
#pragma once

#include <algorithm>
#include <optional>

#include "base/time.h"
#include "base/units.h"
#include "protocol/congestion/rates.h"

namespace viaduct::congestion {

// A budget that fills at a part of the rate and is emptied by what is sent.
class ApplicationLimit {
 public:
  static constexpr double UsedPart = 0.65;    // of the rate, which is enough use
  static constexpr double StartLevel = 0.8;   // of the budget left: limited
  static constexpr double StopLevel = 0.5;    // not any more
  static constexpr Duration Window = 500ms;

  void on_sent(size_t bytes, DataRate rate, Timestamp now) {
    const DataRate filling = rate * UsedPart;
    const auto most = static_cast<double>((filling * Window).bytes);
    const Duration time = std::clamp<Duration>(now - updated_.value_or(now), 0s, Window);
    updated_ = now;
    budget_ = std::min(budget_ + static_cast<double>((filling * time).bytes), most);
    budget_ = std::max(budget_ - static_cast<double>(bytes), -most);
    if (budget_ > StartLevel * most && !since_) since_ = now;
    if (budget_ < StopLevel * most && since_) {
      since_.reset();
      ended_ = now;
    }
  }

  bool is_limited() const { return since_.has_value(); }
  std::optional<Timestamp> since() const { return since_; }
  // Whether it is, or was not long ago.
  bool was_limited_within(Duration time, Timestamp now) const { return since_ || (ended_ && now - *ended_ < time); }

 private:
  double budget_ = 0;
  std::optional<Timestamp> updated_;
  std::optional<Timestamp> since_;
  std::optional<Timestamp> ended_;
};

}  // namespace viaduct::congestion
