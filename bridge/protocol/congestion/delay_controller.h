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
#include "protocol/congestion/standing_queue.h"
#include "protocol/congestion/trendline.h"

namespace viaduct::congestion {

class DelayController {
 public:
  static constexpr double LeastGain = 1.1;  // that a probe must show to raise the rate

  static constexpr double FarLess = 0.5;        // of the rate: what a probe must show to lower it
  static constexpr double MostGainLately = 1.5; // that is believed at once where too much was sent lately
  static constexpr Duration Lately = 10s;
  static constexpr Duration LongQueue = 50ms;   // that has to drain: the rate falls as by an over-use
  static constexpr Duration DrainStep = 600ms;  // after so long,
  static constexpr int MostDrainSteps = 3;      // but not more often, lest others who keep it full take all

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
  bool has_long_queue() const { return queue_.length() > LongQueue; }

 private:
  Usage usage_with_queue(Timestamp now);
  bool take_probe(DataRate probed, std::optional<DataRate> throughput, Timestamp now);

  ArrivalGroups groups_;
  Trendline trendline_;
  OverUseDetector detector_;
  StandingQueue queue_;
  RateControl rate_;
  std::optional<Timestamp> drain_step_at_;  // when the long queue was first seen, or last acted upon
  int drain_steps_ = 0;
};

}  // namespace viaduct::congestion
