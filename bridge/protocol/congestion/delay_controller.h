// The rate that queueing delay allows: arrival groups, trendline, over-use detector and rate control in a row.
#pragma once

#include <optional>
#include <span>

#include "base/time.h"
#include "base/units.h"
#include "protocol/congestion/arrival_groups.h"
#include "protocol/congestion/over_use_detector.h"
#include "protocol/congestion/rate_control.h"
#include "protocol/congestion/sent_history.h"
#include "protocol/congestion/trendline.h"

namespace viaduct::congestion {

class DelayController {
 public:
  explicit DelayController(const RateLimits& limits) : rate_(limits) {}

  // A packet whose arrival is known, in the order of arrival.
  void on_arrival(const PacketResult& packet);
  // The receiver's clock has leapt.
  void restart();

  struct Seen {
    std::optional<DataRate> throughput;
    std::optional<DataRate> probed;
    bool limited_by_application = false;
  };
  // All packets of a report have been told.
  void update(const Seen& seen, Timestamp now);

  RateControl& rate_control() { return rate_; }
  DataRate rate() const { return rate_.rate(); }
  Usage usage() const { return detector_.usage(); }

 private:
  ArrivalGroups groups_;
  Trendline trendline_;
  OverUseDetector detector_;
  RateControl rate_;
};

}  // namespace viaduct::congestion
