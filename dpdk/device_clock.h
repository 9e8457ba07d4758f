// When a network card received a packet, told by its own clock, in the host's time. Pure.
//
// The card's clock runs at a rate that has to be measured: from pairs of readings of both clocks, the first and the
// latest. A result that cannot be (later than now, or long ago) becomes now.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace viaduct::dpdk {

class DeviceClock {
 public:
  // Both clocks, read one right after the other. From time to time: Interval suffices.
  void observe(uint64_t ticks, Timestamp now);
  // Whether a rate is known.
  bool is_set() const { return ns_per_tick_ > 0; }
  bool is_due(Timestamp now) const { return observations_ == 0 || now - latest_ >= Interval; }
  Timestamp to_host(uint64_t ticks, Timestamp now) const;

  static constexpr Duration Interval = 100ms;
  static constexpr Duration Oldest = 100ms;  // that a packet can have waited in a queue

 private:
  uint64_t first_ticks_ = 0;
  uint64_t latest_ticks_ = 0;
  Timestamp first_{};
  Timestamp latest_{};
  double ns_per_tick_ = 0;
  unsigned observations_ = 0;
};

}  // namespace viaduct::dpdk
