#include "protocol/congestion/loss_controller.h"

#include <algorithm>

#include "protocol/congestion/rates.h"

namespace viaduct::congestion {

void LossController::on_packet(const PacketResult& packet) {
  if (!packet.counted_before && model_.add(packet)) observed_ = true;
}

void LossController::update(const Seen& seen) {
  if (!observed_ || !model_.is_ready()) {
    if (!is_limited()) rate_ = best_.bandwidth = seen.delay_based;
    rate_ = std::min(rate_, seen.delay_based);
    return;
  }
  observed_ = false;
  if (is_gone()) {
    lift(seen);
    return;
  }
  LossCandidate best = pick_candidate(seen);
  // Loss that the network is not known for is a reason to wait.
  if (model_.certain_loss() > best.inherent_loss && best.bandwidth > best_.bandwidth) best.bandwidth = best_.bandwidth;
  if (is_limited()) bound_growth(best, seen);
  const DataRate bounded =
      std::min(std::max(least(seen), std::min(best.bandwidth, instant_most())), seen.delay_based);
  best_ = {.bandwidth = std::min(best.bandwidth, bounded), .inherent_loss = best.inherent_loss};
  if (!holds(bounded, seen)) settle(bounded, seen);
}

// Loss that is gone says nothing any more; nor can it be seen from what is sent now what the network takes, where that
// is little for lack of need. If the limit turns out to be needed again soon, the next one stays longer.
bool LossController::is_gone() {
  const Timestamp now = model_.last_sent();
  if (!is_limited() || model_.average_loss() > Gone) {
    gone_since_.reset();
    return false;
  }
  if (!gone_since_) gone_since_ = now;
  return now - *gone_since_ >= patience_;
}

void LossController::lift(const Seen& seen) {
  lifted_ = model_.last_sent();
  gone_since_.reset();
  state_ = LossState::DelayBased;
  hold_ = {};
  rate_ = best_.bandwidth = seen.delay_based;
}

LossCandidate LossController::pick_candidate(const Seen& seen) const {
  const DataRate most = std::max(best_.bandwidth, most_for_candidates());
  LossCandidate best;
  std::optional<double> likelihood;
  const auto consider = [&](DataRate bandwidth) {
    LossCandidate candidate{.bandwidth = std::min(bandwidth, most), .inherent_loss = best_.inherent_loss};
    model_.fit(candidate);
    const double l = model_.likelihood(candidate);
    if (likelihood && l <= *likelihood) return;
    likelihood = l;
    best = candidate;
  };
  for (const double factor : CandidateFactors) consider(best_.bandwidth * factor);
  if (seen.throughput && !seen.limited_by_application) consider(*seen.throughput);
  if (seen.delay_based > best_.bandwidth) consider(seen.delay_based);
  return best;
}

DataRate LossController::most_for_candidates() const {
  return is_limited() && growth_began_ ? growth_limit_ : limits_.most;
}

void LossController::bound_growth(LossCandidate& best, const Seen& seen) {
  const Timestamp now = model_.last_sent();
  if (growth_began_ && now - *growth_began_ < GrowthWindow) best.bandwidth = std::min(best.bandwidth, growth_limit_);
  if (best.bandwidth <= best_.bandwidth || !seen.throughput) return;
  const bool in_hold = hold_.until && *seen.throughput < hold_.rate * HoldLeft;
  const DataRate most = *seen.throughput * (in_hold ? MostOverThroughputInHold : MostOverThroughput);
  best.bandwidth = std::max(best_.bandwidth, std::min(best.bandwidth, most));
}

DataRate LossController::instant_most() const {
  const double excess = model_.certain_loss() - InstantLossOffset;
  return excess > 0 ? InstantLossBalance * (1 / excess) : limits_.most;
}

// What arrives can be sent.
DataRate LossController::least(const Seen& seen) const {
  return std::max(limits_.least, seen.throughput.value_or(DataRate{}));
}

bool LossController::holds(DataRate bounded, const Seen& seen) {
  if (state_ != LossState::Decreasing || !hold_.until || *hold_.until <= model_.last_sent()) return false;
  if (bounded >= seen.delay_based) return false;
  hold_.rate = std::max(hold_.rate, least(seen));
  rate_ = std::min(hold_.rate, bounded);
  return true;
}

void LossController::settle(DataRate bounded, const Seen& seen) {
  const Timestamp now = model_.last_sent();
  const bool grows = bounded > rate_ || (bounded == rate_ && state_ == LossState::Increasing);
  if (bounded >= seen.delay_based) {
    state_ = LossState::DelayBased;
    hold_ = {};
  } else if (is_limited() && grows) {
    state_ = LossState::Increasing;
  } else {
    if (state_ == LossState::DelayBased) {
      const bool soon = lifted_ && now - *lifted_ < SoonAgain;
      patience_ = soon ? std::clamp(patience_ * 2, FirstPatience, LongestPatience) : Duration(0);
    }
    if (state_ != LossState::Decreasing) {
      hold_ = {.until = now + hold_.next, .next = std::min(hold_.next * HoldGrowth, LongestHold), .rate = bounded};
    }
    state_ = LossState::Decreasing;
  }
  rate_ = bounded;
  if (is_limited() && (!growth_began_ || now - *growth_began_ >= GrowthWindow)) {
    growth_limit_ = std::max(limits_.least, best_.bandwidth * MostGrowth);
    growth_began_ = now;
  }
}

}  // namespace viaduct::congestion
