// The rate that the delay allows: additive or multiplicative increase, multiplicative decrease
// (draft-ietf-rmcat-gcc-02 section 5.5, with libwebrtc's link capacity estimate).
#pragma once

#include <optional>

#include "base/time.h"
#include "base/units.h"
#include "protocol/congestion/link_capacity.h"
#include "protocol/congestion/over_use_detector.h"
#include "protocol/congestion/rate_limits.h"

namespace viaduct::congestion {

class RateControl {
 public:
  static constexpr double BackOff = 0.85;              // of what arrived
  static constexpr double GrowthPerSecond = 1.08;      // far from the link's capacity
  static constexpr double GrowthPerRoot = 1.5;         // near it: kbit/s in a second, times the root of the rate
  static constexpr double MostOverThroughput = 1.5;    // what did not arrive cannot be built upon
  static constexpr DataRate MarginOverThroughput = DataRate::kbps(10);

  explicit RateControl(const RateLimits& limits) : limits_(limits), rate_(limits.initial) {}

  // `throughput`: what arrived lately. `hold`: no reason to grow, as when less is sent than may be.
  void update(Usage usage, std::optional<DataRate> throughput, bool hold, Timestamp now);
  // What a probe has measured.
  void set_measured(DataRate rate, Timestamp now);
  // Up to it: it was left for no good reason.
  void raise_to(DataRate rate, Timestamp now);
  // Down to it for other reasons than delay.
  void reduce_to(DataRate rate, Timestamp now);
  void set_round_trip(Duration round_trip) { round_trip_ = round_trip; }

  DataRate rate() const { return rate_; }
  // What arrived when too much was sent the last time, unless that is longer ago or a probe has found more since.
  std::optional<DataRate> over_used_within(Duration time, Timestamp now) const;
  // Not while the rate was lowered so lately that its effect cannot have been seen yet.
  bool may_reduce(std::optional<DataRate> throughput, Timestamp now) const;

 private:
  enum class State : uint8_t { Hold, Increase };

  void decrease(std::optional<DataRate> throughput, Timestamp now);
  void increase(std::optional<DataRate> throughput, Timestamp now);
  DataRate additive_step(Duration time) const;
  DataRate multiplicative_step(Duration time) const;
  void set(DataRate rate, Timestamp now);

  RateLimits limits_;
  DataRate rate_;
  State state_ = State::Hold;
  LinkCapacity capacity_;
  Duration round_trip_ = 200ms;
  std::optional<Timestamp> changed_;
  std::optional<Timestamp> reduced_;
  std::optional<DataRate> ceiling_;  // what arrived at reduced_
};

}  // namespace viaduct::congestion
