#include "tests/sim/congestion/bottleneck.h"

#include <algorithm>

namespace viaduct::testing {

std::optional<Crossing> Bottleneck::send(size_t bytes, Timestamp now) {
  if (!fits(bytes, now)) return std::nullopt;
  const Timestamp start = std::max(now, free_at_);
  free_at_ = sent_at(bytes, start);
  queue_.push_back({free_at_, bytes});
  queued_bytes_ += bytes;
  if (is_lost(now)) return std::nullopt;
  const Duration jitter = settings_.jitter.count() > 0
                              ? Duration(static_cast<int64_t>(random_.below(uint64_t(settings_.jitter.count()))))
                              : Duration(0);
  last_arrival_ = std::max(last_arrival_, free_at_ + settings_.delay + jitter);
  return Crossing{.arrival = last_arrival_, .queued = start - now};
}

DataRate Bottleneck::rate_at(Timestamp t) const {
  DataRate rate = settings_.rates.front().rate;
  for (const RateFrom& r : settings_.rates) {
    if (r.at <= t) rate = r.rate;
  }
  return rate;
}

bool Bottleneck::fits(size_t bytes, Timestamp now) {
  while (!queue_.empty() && queue_.front().leaves <= now) {
    queued_bytes_ -= queue_.front().bytes;
    queue_.pop_front();
  }
  const double room = static_cast<double>(rate_at(now).bits_per_second) / 8 * to_seconds(settings_.queue);
  return static_cast<double>(queued_bytes_ + bytes) <= std::max(room, static_cast<double>(LeastQueue.bytes));
}

// A packet that is on the link when its rate changes goes on at the new one.
Timestamp Bottleneck::sent_at(size_t bytes, Timestamp start) const {
  double bits = static_cast<double>(bytes) * 8;
  for (const RateFrom& next : settings_.rates) {
    if (next.at <= start) continue;
    const auto rate = static_cast<double>(rate_at(start).bits_per_second);
    const double until_change = rate * to_seconds(next.at - start);
    if (until_change >= bits) break;
    bits -= until_change;
    start = next.at;
  }
  return start + Duration(static_cast<int64_t>(bits * 1e9 / static_cast<double>(rate_at(start).bits_per_second)));
}

bool Bottleneck::is_lost(Timestamp now) {
  bad_state_ = bad_state_ ? !random_.chance(settings_.bursts.ends) : random_.chance(settings_.bursts.begins);
  if (bad_state_ && random_.chance(settings_.bursts.loss)) return true;
  return settings_.loss > 0 && now < settings_.loss_ends && random_.chance(settings_.loss);
}

}  // namespace viaduct::testing
