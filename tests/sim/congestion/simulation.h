// Scenarios of congestion control: flows over one bottleneck, and what came of them in figures. The same scenario gives
// the same figures each time it runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "base/units.h"
#include "tests/sim/congestion/bottleneck.h"
#include "tests/sim/congestion/flow.h"

namespace viaduct::testing {

// Traffic without any control: packets of 1200 bytes at a rate, for `on` of each `period`.
struct CrossTraffic {
  DataRate rate;
  Timestamp begins{};
  Timestamp ends = Never;
  Duration on = 1s;
  Duration period = 1s;
};

// A stretch of time that is judged by itself.
struct Phase {
  std::string name;
  Timestamp begins;
  Timestamp ends;
  DataRate available;            // to all flows together
  Duration settling = 5s;        // left out of all figures but the convergence
};

struct Scenario {
  std::string name;
  BottleneckSettings link;
  std::vector<FlowSettings> flows = {{}};
  std::optional<CrossTraffic> cross;
  std::vector<Phase> phases;
  uint64_t seed = 1;
};

struct PhaseResult {
  std::string scenario;
  std::string phase;
  DataRate available;
  std::optional<Duration> converged;  // after the phase began; nothing when never
  double utilisation = 0;             // of what is available, without padding, after settling
  Duration queued_p50{0};             // queueing delay of packets that arrived, after settling
  Duration queued_p95{0};
  double loss = 0;                    // of packets, after settling
  double fairness = 1;                // Jain's index of the flows' throughputs
  friend bool operator==(const PhaseResult&, const PhaseResult&) = default;
};

std::vector<PhaseResult> run(const Scenario& scenario);

}  // namespace viaduct::testing
