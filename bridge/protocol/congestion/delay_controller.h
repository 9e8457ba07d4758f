// The rate that queueing delay allows: arrival groups, trendline, over-use detector and rate control in a row.
#pragma once

#include <optional>
#include <span>
#include <utility>

#include "base/time.h"
#include "base/units.h"
#include "protocol/congestion/arrival_groups.h"
#include "protocol/congestion/over_use_detector.h"
#include "protocol/congestion/probe_estimator.h"
#include "protocol/congestion/rate_control.h"
#include "protocol/congestion/sent_history.h"
#include "protocol/congestion/standing_queue.h"
#include "protocol/congestion/trendline.h"

namespace viaduct::congestion {

class DelayController {
 public:
  static constexpr double LeastGain = 1.1;      // that a probe must show to raise the rate
  static constexpr double FarLess = 0.5;        // of the rate: what a probe must show to lower it

  // Where too much was sent lately:
  static constexpr Duration Lately = 8s;
  static constexpr double NewRegime = 1.3;      // times what arrived then: the network has changed, or others pause
  static constexpr double MostGainLately = 1.5; // that is believed at once

  static constexpr Duration LeastQueue = 15ms;  // without which there is no over-use
  static constexpr Duration EffectTime = 1s;    // for so long an over-use may be the shadow of one that was seen to
  static constexpr Duration LongQueue = 50ms;   // that has to drain: the rate falls as by an over-use
  static constexpr Duration DrainStep = 600ms;  // after so long,
  static constexpr int MostDrainSteps = 3;      // but not more often, lest others who keep it full take all
  static constexpr Duration DrainedQueue = 30ms;  // what is beyond it is to be gone
  static constexpr Duration DrainTime = 300ms;    // in so long, were nobody else there
  static constexpr double MostDrain = 0.4;        // of the rate

  explicit DelayController(const RateLimits& limits) : rate_(limits) {}

  // A packet whose arrival is known, in the order of arrival.
  void on_arrival(const PacketResult& packet);
  // The receiver's clock has leapt.
  void restart();

  struct Seen {
    std::optional<DataRate> throughput;
    std::optional<ProbeResult> probed;
    bool limited_by_application = false;
  };
  // All packets of a report have been told.
  void update(const Seen& seen, Timestamp now);

  RateControl& rate_control() { return rate_; }
  // What the network takes, and what should be sent now.
  DataRate rate() const { return rate_.rate(); }
  DataRate target() const;
  Usage usage() const { return detector_.usage(); }
  bool has_long_queue() const { return queue_.length() > LongQueue; }
  // What a probe has found that was too short to be believed, each once.
  std::optional<DataRate> poll_doubted() { return std::exchange(doubted_, std::nullopt); }

 private:
  bool drains() const { return has_long_queue() && drain_steps_ < MostDrainSteps; }
  Usage judge(std::optional<DataRate> throughput, Timestamp now);
  Usage usage_with_queue(Timestamp now);
  DataRate found_by(const ProbeResult& probe) const;
  bool take_probe(const ProbeResult& probe, std::optional<DataRate> throughput, Timestamp now);
  bool return_to(DataRate rate_before, Timestamp now);

  ArrivalGroups groups_;
  Trendline trendline_;
  OverUseDetector detector_;
  StandingQueue queue_;
  RateControl rate_;
  std::optional<Timestamp> drain_step_at_;  // when the long queue was first seen, or last acted upon
  int drain_steps_ = 0;
  Duration reduced_at_{0};                  // the queue when the rate fell the last time
  std::optional<DataRate> doubted_;
};

}  // namespace viaduct::congestion
