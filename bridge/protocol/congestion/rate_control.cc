#include "protocol/congestion/rate_control.h"

#include <algorithm>
#include <cmath>

#include "protocol/congestion/rates.h"

namespace viaduct::congestion {

void RateControl::update(Usage usage, std::optional<DataRate> throughput, bool hold, Timestamp now) {
  switch (usage) {
    case Usage::Over:
      decrease(throughput, now);
      state_ = State::Hold;
      return;
    case Usage::Under:  // queues drain: wait until they have
      state_ = State::Hold;
      changed_ = now;
      return;
    case Usage::Normal:
      if (state_ == State::Hold) {
        state_ = State::Increase;
        changed_ = now;
      }
      if (hold) {
        changed_ = now;
      } else {
        increase(throughput, now);
      }
  }
}

void RateControl::set_measured(DataRate rate, Timestamp now) {
  capacity_.on_probe(rate);
  ceiling_.reset();
  set(rate, now);
}

void RateControl::raise_to(DataRate rate, Timestamp now) {
  if (rate > rate_) set(rate, now);
}

void RateControl::reduce_to(DataRate rate, Timestamp now) {
  if (rate < rate_) set(rate, now);
}

std::optional<DataRate> RateControl::over_used_within(Duration time, Timestamp now) const {
  if (!ceiling_ || now - *reduced_ >= time) return std::nullopt;
  return ceiling_;
}

bool RateControl::may_reduce(std::optional<DataRate> throughput, Timestamp now) const {
  if (!reduced_ || now - *reduced_ >= std::clamp<Duration>(round_trip_, 10ms, 200ms)) return true;
  return throughput && *throughput < rate_ * 0.5;
}

// From what arrived, not from what was sent: that is what the link takes.
void RateControl::decrease(std::optional<DataRate> throughput, Timestamp now) {
  if (!may_reduce(throughput, now)) return;
  reduced_ = now;
  if (!throughput) {
    set(rate_ * 0.5, now);
    return;
  }
  DataRate reduced = *throughput * BackOff;
  if (reduced > rate_ && capacity_.is_known()) reduced = capacity_.estimate() * BackOff;
  if (*throughput < capacity_.lower()) capacity_.reset();
  capacity_.on_over_use(*throughput);
  ceiling_ = throughput;
  set(std::min(reduced, rate_), now);
}

void RateControl::increase(std::optional<DataRate> throughput, Timestamp now) {
  constexpr Duration LongestStep = 1s;
  const Duration time = std::clamp<Duration>(now - changed_.value_or(now), 0s, LongestStep);
  changed_ = now;
  if (throughput && *throughput > capacity_.upper()) capacity_.reset();
  DataRate step = multiplicative_step(time);
  if (capacity_.is_known()) step = std::min(step, additive_step(time));
  const DataRate most = throughput ? *throughput * MostOverThroughput + MarginOverThroughput : limits_.most;
  set(std::max(rate_, std::min(rate_ + step, most)), now);
}

// With the root of the rate: 8 % a second at 350 kbit/s, 2 % at 5 Mbit/s. A small flow thus gains on a large one, at
// whatever round-trip times, and yet does not outgrow a narrow link before that can be seen.
DataRate RateControl::additive_step(Duration time) const {
  return from_kbps(GrowthPerRoot * std::sqrt(to_kbps(rate_)) * to_seconds(time));
}

DataRate RateControl::multiplicative_step(Duration time) const {
  return rate_ * (std::pow(GrowthPerSecond, to_seconds(time)) - 1) + from_kbps(to_seconds(time));
}

void RateControl::set(DataRate rate, Timestamp now) {
  rate_ = std::clamp(rate, limits_.least, limits_.most);
  changed_ = now;
}

}  // namespace viaduct::congestion
