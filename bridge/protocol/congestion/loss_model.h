// What loss would be seen at what rate: part of the loss is the network's own ("inherent"), the rest is what is sent
// beyond a link's bandwidth. Given the losses of the last seconds, how likely is a pair of both?
// (libwebrtc's LossBasedBweV2.)
//
// An observation is what was reported of at least 250 ms of sending; the last 15 are kept, older ones weigh less.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "base/units.h"
#include "protocol/congestion/sent_history.h"

namespace viaduct::congestion {

struct LossCandidate {
  DataRate bandwidth;
  double inherent_loss = 0.01;
};

class LossModel {
 public:
  static constexpr Duration ObservationTime = 250ms;
  static constexpr size_t Window = 15;
  static constexpr size_t RequiredObservations = 3;
  static constexpr double WeightOfOlder = 0.9;             // each observation against the one after it
  static constexpr double LeastInherentLoss = 1e-3;
  static constexpr double MostInherentLossOffset = 0.05;   // at a high rate; more at a low one:
  static constexpr DataRate MostInherentLossBalance = DataRate::kbps(100);
  static constexpr double HighRateBias = 0.0002;           // per kbit/s
  static constexpr double HighRateLogBias = 0.02;
  static constexpr double HighRateBiasEnds = 0.2;          // above this loss the lower rate is preferred
  static constexpr double HighRateBiasSmoothing = 0.002;

  // A packet that was reported, the first time that it was. True when that completes an observation.
  bool add(const PacketResult& packet);

  bool is_ready() const { return count_ >= RequiredObservations; }
  // Of all bytes lately, the newest weighing most.
  double average_loss() const { return average_loss_; }
  // So much of it is not explained by chance: a standard deviation less, since few packets say little.
  double certain_loss() const { return average_loss_ - deviation_; }
  Timestamp last_sent() const { return last_sent_; }

  // Moves the inherent loss towards what fits the observations best with its bandwidth.
  void fit(LossCandidate& candidate) const;
  // How well it explains the observations; the greater the better.
  double likelihood(const LossCandidate& candidate) const;

 private:
  struct Observation {
    double received = 0;  // kilobytes
    double lost = 0;
    double packets = 0;
    DataRate sending;
  };

  void complete();
  void average();
  // Calls f(observation, weight) for all that are kept, from the newest on.
  template <typename F>
  void for_each(F&& f) const;

  std::array<Observation, Window> observations_;
  size_t count_ = 0;  // ever completed
  Observation partial_;
  std::optional<Timestamp> began_;  // when the last packet of the observation before was sent
  Timestamp last_sent_;
  double average_loss_ = 0;
  double deviation_ = 0;   // of a share that is drawn from so many packets
};

}  // namespace viaduct::congestion
