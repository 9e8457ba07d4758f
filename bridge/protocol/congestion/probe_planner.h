// When to try a higher rate, and which (libwebrtc's probe controller, with a try now and then for what is wanted and
// not sent).
//
// At first 3 and 6 times the initial rate; whenever a probe has shown more, twice the new estimate; every few seconds
// while more is wanted than the network is thought to take; and after a sharp drop that may have been a mistake. Never
// more than is wanted, and never while queues or loss say that it is too much already.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "base/time.h"
#include "base/units.h"
#include "protocol/congestion/loss_controller.h"
#include "protocol/congestion/over_use_detector.h"
#include "protocol/congestion/pacer.h"
#include "protocol/congestion/rate_limits.h"

namespace viaduct::congestion {

class ProbePlanner {
 public:
  static constexpr double FirstFactors[] = {3, 6};
  static constexpr double Factor = 2;
  static constexpr double FurtherAbove = 0.7;          // of a probe's rate: so much of it was found
  static constexpr double LossLimitedFactor = 1.5;     // while a rate recovers from loss
  static constexpr double MarginOverDemand = 1.3;
  static constexpr double DemandGrowth = 1.2;          // by which it makes a probe follow at once
  static constexpr Duration Interval = 3s;             // while more is wanted
  static constexpr Duration RetryWait = 200ms;         // after a moment at which the network had too much
  static constexpr Duration ResultWait = 1s;
  static constexpr Duration ProbeTime = 15ms;
  static constexpr Duration ThoroughTime = 50ms;       // pictures are 33 ms apart
  static constexpr int ProbePackets = 5;
  static constexpr double SharpDrop = 0.66;            // of the estimate before
  static constexpr double RecoveryFactor = 0.85;       // of it is tried then
  static constexpr Duration DropMemory = 5s;

  explicit ProbePlanner(const RateLimits& limits) : limits_(limits), network_{.estimate = limits.initial} {}

  struct Network {
    DataRate estimate;
    Usage usage = Usage::Normal;
    LossState loss = LossState::DelayBased;
    bool has_long_queue = false;
    bool lately_limited_by_application = false;
  };

  // What could be sent if there were room for it. With the first probes begin: also where nothing has left yet, since a
  // picture that needs more than the initial rate is paused until a probe shows that there is room.
  void set_demand(DataRate demand, Timestamp now);
  // What reports have led to.
  void update(const Network& network, Timestamp now);
  void run_timers(Timestamp now);
  Timestamp next_deadline() const;

  // A probe has found so much, and is not believed: a longer one looks again.
  void plan_thorough(DataRate found, Timestamp now);
  // A probe that should be sent now, each once.
  std::optional<ProbeCluster> poll(Timestamp now);

 private:
  void plan(DataRate rate, Timestamp now);
  void plan_first(Timestamp now);
  void plan_regular(Timestamp now);
  bool wants_more() const;
  bool may_probe() const;
  DataRate most() const;
  void note_drop(const Network& network, Timestamp now);
  void recover(Timestamp now);

  RateLimits limits_;
  std::optional<DataRate> demand_;
  DataRate demand_looked_at_;      // when a probe was last thought of, or less where it has fallen since
  Network network_;

  std::array<ProbeCluster, 2> planned_;
  size_t planned_count_ = 0;
  int32_t last_id_ = 0;
  std::optional<Timestamp> last_probe_;      // or when one was thought of, and left out
  std::optional<Timestamp> waiting_until_;   // for the results of the last ones
  DataRate further_above_;

  struct Drop {
    DataRate before;
    Timestamp at;
  };
  std::optional<Drop> drop_;
};

}  // namespace viaduct::congestion
