// Whether the network is used more than it can bear: the slope of the delay against a threshold that adapts to it
// (draft-ietf-rmcat-gcc-02 section 5.4).
//
// The threshold grows under flows that fill queues, lest they starve ours, and shrinks again slowly.
#pragma once

#include <optional>

#include "base/time.h"

namespace viaduct::congestion {

enum class Usage : uint8_t { Normal, Over, Under };

class OverUseDetector {
 public:
  static constexpr double Gain = 4.0;
  static constexpr int MostDeltas = 60;              // that make the same slope weigh more
  static constexpr double ThresholdUp = 0.0087;      // per ms, towards a slope above it
  static constexpr double ThresholdDown = 0.039;     // and towards one below
  static constexpr double InitialThreshold = 12.5;
  static constexpr double LeastThreshold = 6;
  static constexpr double MostThreshold = 600;
  static constexpr double LargestAdaptedExcess = 15; // a spike beyond it is no reason to adapt
  static constexpr Duration OverUseTime = 10ms;      // that the slope must stay above

  // `slope` after `deltas` groups, `sent` apart from the group before, at `at` on the receiver's line.
  void update(double slope, int deltas, Duration sent, Duration at);
  Usage usage() const { return usage_; }
  double threshold() const { return threshold_; }

 private:
  void adapt(double trend, Duration at);

  Usage usage_ = Usage::Normal;
  double threshold_ = InitialThreshold;
  std::optional<Duration> adapted_;
  std::optional<Duration> over_for_;  // how long the slope has been above
  int over_groups_ = 0;
  double last_slope_ = 0;
};

}  // namespace viaduct::congestion
