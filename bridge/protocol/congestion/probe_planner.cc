#include "protocol/congestion/probe_planner.h"

#include <algorithm>
#include <limits>

#include "protocol/congestion/rates.h"

namespace viaduct::congestion {
namespace {

constexpr DataRate Unreachable = {std::numeric_limits<int64_t>::max()};

}  // namespace

void ProbePlanner::set_demand(DataRate demand, Timestamp now) {
  demand_ = demand;
  demand_looked_at_ = std::min(demand_looked_at_, demand);
  if (!last_probe_ && demand.bits_per_second > 0) plan_first(now);
  if (last_probe_ && !waiting_until_ && demand > demand_looked_at_ * DemandGrowth) plan_regular(now);
}

// As long as probes show more than was known, the next one follows at once.
void ProbePlanner::update(const Network& network, Timestamp now) {
  note_drop(network, now);
  network_ = network;
  if (waiting_until_ && network.estimate > further_above_) {
    waiting_until_.reset();
    plan_regular(now);
  }
  recover(now);
  run_timers(now);
}

void ProbePlanner::run_timers(Timestamp now) {
  if (waiting_until_ && now >= *waiting_until_) waiting_until_.reset();
  if (last_probe_ && now >= *last_probe_ + Interval) plan_regular(now);
}

Timestamp ProbePlanner::next_deadline() const {
  if (!last_probe_ || !wants_more()) return Never;
  return *last_probe_ + Interval;
}

std::optional<ProbeCluster> ProbePlanner::poll(Timestamp now) {
  if (!waiting_until_ || now >= *waiting_until_) planned_count_ = 0;  // nobody has come for them in time
  if (planned_count_ == 0) return std::nullopt;
  const ProbeCluster next = planned_[0];
  std::shift_left(planned_.begin(), planned_.end(), 1);
  --planned_count_;
  return next;
}

void ProbePlanner::plan_first(Timestamp now) {
  last_probe_ = now;
  demand_looked_at_ = *demand_;
  for (const double factor : FirstFactors) plan(limits_.initial * factor, now);
}

void ProbePlanner::plan_regular(Timestamp now) {
  demand_looked_at_ = *demand_;
  // Also where it is left out, so as to look again after the interval; or soon, where only the moment is wrong.
  last_probe_ = may_probe() || !wants_more() ? now : now - Interval + RetryWait;
  if (!may_probe() || !wants_more()) return;
  const bool recovers = network_.loss == LossState::Increasing;
  plan(network_.estimate * (recovers ? LossLimitedFactor : Factor), now);
}

void ProbePlanner::plan(DataRate rate, Timestamp now) {
  const DataRate bounded = std::min(rate, most());
  if (planned_count_ == planned_.size() || bounded <= network_.estimate) return;
  if (planned_count_ > 0 && planned_[planned_count_ - 1].rate >= bounded) return;
  planned_[planned_count_++] = {
      .id = ++last_id_, .rate = bounded, .bytes = bounded * ProbeTime, .packets = ProbePackets};
  if (last_id_ == std::numeric_limits<int32_t>::max()) last_id_ = 0;
  last_probe_ = now;
  waiting_until_ = now + ResultWait;
  further_above_ = bounded < rate ? Unreachable : bounded * FurtherAbove;
}

void ProbePlanner::plan_thorough(DataRate found, Timestamp now) {
  if (!may_probe() || !wants_more() || planned_count_ > 0) return;
  plan(std::min(found, network_.estimate * Factor), now);
  if (planned_count_ == 0) return;
  ProbeCluster& probe = planned_.front();
  probe.bytes = probe.rate * ThoroughTime;
  probe.thorough = true;
}

DataRate ProbePlanner::most() const {
  return std::min(limits_.most, *demand_ * MarginOverDemand);
}

bool ProbePlanner::wants_more() const { return demand_ && network_.estimate < std::min(*demand_, limits_.most); }

bool ProbePlanner::may_probe() const {
  return network_.usage == Usage::Normal && !network_.has_long_queue && network_.loss != LossState::Decreasing;
}

void ProbePlanner::note_drop(const Network& network, Timestamp now) {
  if (network.estimate < network_.estimate * SharpDrop) drop_ = {.before = network_.estimate, .at = now};
}

// A rate that the application did not use was no cause of a queue: it may well be there again when that has drained.
void ProbePlanner::recover(Timestamp now) {
  if (!drop_) return;
  if (now - drop_->at > DropMemory) drop_.reset();
  if (!drop_ || !network_.lately_limited_by_application || !may_probe() || waiting_until_) return;
  if (now - drop_->at < ResultWait) return;
  const DataRate rate = drop_->before * RecoveryFactor;
  drop_.reset();
  if (wants_more()) plan(rate, now);
}

}  // namespace viaduct::congestion
