#include "dpdk/device_clock.h"

namespace viaduct::dpdk {

void DeviceClock::observe(uint64_t ticks, Timestamp now) {
  const bool runs = observations_ > 0 && ticks > latest_ticks_ && now > latest_;
  if (!runs) {  // the first one, or the clock was set: begin anew
    *this = DeviceClock();
    first_ticks_ = ticks;
    first_ = now;
  }
  latest_ticks_ = ticks;
  latest_ = now;
  ++observations_;
  if (runs)
    ns_per_tick_ = static_cast<double>((latest_ - first_).count()) / static_cast<double>(latest_ticks_ - first_ticks_);
}

Timestamp DeviceClock::to_host(uint64_t ticks, Timestamp now) const {
  if (!is_set()) return now;
  const auto since = static_cast<double>(static_cast<int64_t>(ticks - latest_ticks_)) * ns_per_tick_;
  const double most = static_cast<double>((Interval + Oldest).count()) * 2;
  if (since > most || since < -most) return now;
  const Timestamp at = latest_ + Duration(static_cast<int64_t>(since));
  return at > now || now - at > Oldest ? now : at;
}

}  // namespace viaduct::dpdk
