// What arrived of late in a second: the acknowledged rate, robust against packets that arrive in bursts or out of order
// (libwebrtc's robust throughput estimator).
//
// The longest pause of the window counts as the second longest, since networks that send in turns pause now and then.
// Never more than what was sent in the same time, whatever the receiver says.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "base/time.h"
#include "base/units.h"
#include "protocol/congestion/sent_history.h"

namespace viaduct::congestion {

class Throughput {
 public:
  static constexpr size_t RequiredPackets = 10;
  static constexpr size_t EnoughPackets = 20;  // a window of so many need not be longer than EnoughTime
  static constexpr size_t MostPackets = 512;
  static constexpr Duration EnoughTime = 350ms;
  static constexpr Duration LongestTime = 5s;

  // A packet whose arrival is known.
  void add(const PacketResult& packet);
  // Nothing before there is enough to tell.
  std::optional<DataRate> rate() const;
  void reset() { first_ = size_ = 0; }

 private:
  struct Arrival {
    Timestamp sent;
    Duration arrival{0};
    uint32_t bytes = 0;
    uint32_t unreported_before = 0;
  };
  struct Sums;

  Arrival& at(size_t i) { return ring_[(first_ + i) % MostPackets]; }
  const Arrival& at(size_t i) const { return ring_[(first_ + i) % MostPackets]; }
  bool front_is_outside() const;
  void drop_front();
  Sums sum() const;

  std::array<Arrival, MostPackets> ring_;  // by arrival
  size_t first_ = 0;
  size_t size_ = 0;
  std::optional<Timestamp> last_dropped_sent_;
};

}  // namespace viaduct::congestion
