// What a probe has found out, from its own packets: at what rate they left and at what rate they arrived.
//
// A probe has at least 5 packets, and counts once 80 % of its packets and bytes are back. It says no more than the rate
// it was sent at, whatever the receiver says.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "base/units.h"
#include "protocol/congestion/pacer.h"
#include "protocol/congestion/sent_history.h"

namespace viaduct::congestion {

struct ProbeResult {
  DataRate rate;            // by its arrivals; no more than it was sent at
  DataRate sent;
  Duration last_took{0};    // PacketResult::took() of the packet that arrived last
  uint32_t last_bytes = 0;  // and its size
  bool thorough = false;    // as it was planned
};

class ProbeEstimator {
 public:
  static constexpr double EnoughBack = 0.8;
  static constexpr int LeastPackets = 5;
  static constexpr double Saturated = 0.9;       // arrived slower than sent by more than this: the link's rate
  static constexpr double UsedPart = 0.95;       // of a link's rate, so that its queue drains
  static constexpr double MostRatio = 2;         // arrived so much faster than sent: no measure
  static constexpr Duration LongestProbe = 1s;

  void begin(const ProbeCluster& probe);
  // A packet of a probe whose arrival is known.
  std::optional<ProbeResult> add(const PacketResult& packet);
  void reset() { *this = ProbeEstimator(); }

 private:
  struct Cluster {
    ProbeCluster probe;
    int packets = 0;
    DataSize bytes{};
    Timestamp first_sent;
    Timestamp last_sent;
    Duration first_arrival{0};
    Duration last_arrival{0};
    uint32_t last_sent_bytes = 0;
    uint32_t first_arrival_bytes = 0;
    Duration last_took{0};
    uint32_t last_arrival_bytes = 0;
  };

  void extend(Cluster& cluster, const PacketResult& packet);
  static std::optional<ProbeResult> evaluate(const Cluster& cluster);

  std::array<Cluster, 4> clusters_;  // by their number; 0 is none
};

}  // namespace viaduct::congestion
