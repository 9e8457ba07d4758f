#include "protocol/congestion/pacer.h"

#include <algorithm>

#include "protocol/congestion/rates.h"

namespace viaduct::congestion {
namespace {

constexpr DataRate LeastRate = DataRate::kbps(1);  // a debt is paid off in the end

double bits_in(DataRate rate, Duration time) { return static_cast<double>(rate.bits_per_second) * to_seconds(time); }

}  // namespace

void Pacer::set_rate(DataRate target, DataSize queued, Timestamp now) {
  expire_probe(now);
  debt_bits_ = debt_at(now);
  looked_at_ = now;
  rate_ = std::max({target * RateFactor, queued / (LongestQueue / 2), LeastRate});
}

void Pacer::set_unlimited() {
  rate_.reset();
  probe_.reset();
  debt_bits_ = 0;
}

Timestamp Pacer::next_send(Timestamp now) const {
  if (probe_) return std::max(now, probe_->began + probe_->sent / probe_->cluster.rate);
  if (!rate_) return now;
  const double beyond = debt_at(now) - bits_in(*rate_, Burst);
  return beyond <= 0 ? now : now + DataSize{static_cast<int64_t>(beyond / 8) + 1} / *rate_;
}

void Pacer::on_sent(size_t bytes, Timestamp now) {
  if (rate_) {
    const double debt = debt_at(now) + static_cast<double>(bytes) * 8;
    debt_bits_ = std::min(debt, bits_in(*rate_, LongestDebt));
    looked_at_ = now;
  }
  expire_probe(now);
  if (!probe_) return;
  probe_->sent.bytes += static_cast<int64_t>(bytes);
  ++probe_->packets;
  if (probe_->sent >= probe_->cluster.bytes && probe_->packets >= probe_->cluster.packets) probe_.reset();
}

void Pacer::start_probe(const ProbeCluster& probe, Timestamp now) {
  if (probe.rate < LeastRate) return;
  probe_ = {.cluster = probe, .began = now};
}

std::optional<int32_t> Pacer::probe() const {
  if (!probe_) return std::nullopt;
  return probe_->cluster.id;
}

// The first packet of a probe is due when it begins.
size_t Pacer::padding_due(Timestamp now) const {
  constexpr int64_t FirstPacket = 1;
  if (!probe_ || now - probe_->began > LongestProbe) return 0;
  const DataSize due = probe_->cluster.rate * (now - probe_->began);
  return static_cast<size_t>(std::max<int64_t>(0, due.bytes + FirstPacket - probe_->sent.bytes));
}

double Pacer::debt_at(Timestamp now) const {
  if (!rate_ || now <= looked_at_) return debt_bits_;
  const Duration time = std::min(now - looked_at_, LongestDebt);
  return std::max(0.0, debt_bits_ - bits_in(*rate_, time));
}

void Pacer::expire_probe(Timestamp now) {
  if (probe_ && now - probe_->began > LongestProbe) probe_.reset();
}

}  // namespace viaduct::congestion
