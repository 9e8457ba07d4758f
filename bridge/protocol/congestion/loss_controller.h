// The rate that loss allows (libwebrtc's LossBasedBweV2): of a few candidates around the present rate, the one that
// explains the losses best. Random loss thus costs little, while loss that grows with the rate lowers it.
#pragma once

#include <optional>

#include "base/time.h"
#include "base/units.h"
#include "protocol/congestion/loss_model.h"
#include "protocol/congestion/rate_limits.h"

namespace viaduct::congestion {

enum class LossState : uint8_t {
  DelayBased,  // loss limits nothing
  Decreasing,  // and for a while after: hold
  Increasing,
};

class LossController {
 public:
  static constexpr double CandidateFactors[] = {1.02, 1.0, 0.95};
  static constexpr double InstantLossOffset = 0.05;           // average loss beyond it bounds the rate:
  static constexpr DataRate InstantLossBalance = DataRate::kbps(100);
  static constexpr double MostGrowth = 1.3;                   // in GrowthWindow
  static constexpr Duration GrowthWindow = 300ms;
  static constexpr double MostOverThroughput = 1.5;           // while growing again,
  static constexpr double MostOverThroughputInHold = 1.2;     // until HoldLeft above the hold's rate arrives
  static constexpr double HoldLeft = 1.3;
  static constexpr Duration FirstHold = 300ms;
  static constexpr Duration LongestHold = 60s;
  static constexpr int HoldGrowth = 2;                        // of the next hold

  static constexpr double Gone = 0.01;                        // average loss that limits nothing any more, at once;
  static constexpr Duration SoonAgain = 10s;                  // and if the last limit was lifted less than this ago,
  static constexpr Duration FirstPatience = 4s;               // after so long, twice as long each time
  static constexpr Duration LongestPatience = 60s;

  explicit LossController(const RateLimits& limits) : limits_(limits), rate_(limits.initial) {
    best_.bandwidth = limits.initial;
  }

  // A packet that was reported.
  void on_packet(const PacketResult& packet);

  struct Seen {
    std::optional<DataRate> throughput;
    DataRate delay_based;
    bool limited_by_application = false;
  };
  // All packets of a report have been told.
  void update(const Seen& seen);

  DataRate rate() const { return rate_; }
  LossState state() const { return state_; }
  double average_loss() const { return model_.average_loss(); }

 private:
  LossCandidate pick_candidate(const Seen& seen) const;
  DataRate most_for_candidates() const;
  void bound_growth(LossCandidate& best, const Seen& seen);
  DataRate instant_most() const;
  DataRate least(const Seen& seen) const;
  bool is_gone();
  void lift(const Seen& seen);
  bool holds(DataRate bounded, const Seen& seen);
  void settle(DataRate bounded, const Seen& seen);
  bool is_limited() const { return state_ != LossState::DelayBased; }

  RateLimits limits_;
  LossModel model_;
  bool observed_ = false;  // something new since the last update
  LossState state_ = LossState::DelayBased;
  DataRate rate_;
  LossCandidate best_;

  struct Hold {
    std::optional<Timestamp> until;
    Duration next = FirstHold;
    DataRate rate;
  };
  Hold hold_;
  std::optional<Timestamp> gone_since_;
  std::optional<Timestamp> lifted_;   // when loss was last found to be gone
  Duration patience_{0};              // how long it must be
  std::optional<Timestamp> growth_began_;
  DataRate growth_limit_;
};

}  // namespace viaduct::congestion
