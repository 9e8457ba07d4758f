#include "protocol/congestion/delay_controller.h"

#include <algorithm>

#include "protocol/congestion/rates.h"

namespace viaduct::congestion {

void DelayController::on_arrival(const PacketResult& packet) {
  queue_.add(packet.sent, *packet.arrival);
  if (packet.probe) return;  // a probe makes a queue of its own, for a moment
  const std::optional<GroupDelta> delta = groups_.add(packet.sent, *packet.arrival);
  if (!delta) return;
  trendline_.add(*delta);
  detector_.update(trendline_.slope(), trendline_.deltas(), delta->sent, delta->at);
}

void DelayController::restart() {
  groups_.reset();
  trendline_.reset();
  detector_ = OverUseDetector();
  queue_.reset();
}

void DelayController::update(const Seen& seen, Timestamp now) {
  queue_.end_report(now);
  if (seen.probed && usage() != Usage::Over && take_probe(*seen.probed, seen.throughput, now)) return;
  const Usage with_queue = usage_with_queue(now);
  const bool drains = has_long_queue() && drain_steps_ < MostDrainSteps;
  rate_.update(with_queue, seen.throughput, seen.limited_by_application || drains, now);
}

// A queue that stays as long as it is has no slope. It is seen by how much longer packets take than they once did.
Usage DelayController::usage_with_queue(Timestamp now) {
  if (!has_long_queue()) {
    drain_step_at_.reset();
    drain_steps_ = 0;
    return usage();
  }
  if (!drain_step_at_ || usage() == Usage::Over) drain_step_at_ = now;
  if (usage() != Usage::Normal || drain_steps_ == MostDrainSteps || now - *drain_step_at_ < DrainStep) return usage();
  drain_step_at_ = now;
  ++drain_steps_;
  return Usage::Over;
}

// A probe that found less, or hardly more, has only met other traffic, or pushed it aside: a large flow would stay
// large by it. One that found far less says that the rate was a mistake; but what arrives can be sent. And one that
// found much more than was there lately may have met a pause of others.
bool DelayController::take_probe(DataRate probed, std::optional<DataRate> throughput, Timestamp now) {
  if (probed < rate() * LeastGain && probed > rate() * FarLess) return false;
  if (throughput) probed = std::max(probed, std::min(rate(), *throughput * RateControl::BackOff));
  if (rate_.was_reduced_within(Lately, now)) probed = std::min(probed, rate() * MostGainLately);
  rate_.set_measured(probed, now);
  return true;
}

}  // namespace viaduct::congestion
