#include "protocol/congestion/over_use_detector.h"

#include <algorithm>
#include <cmath>

#include "protocol/congestion/rates.h"

namespace viaduct::congestion {

void OverUseDetector::update(double slope, int deltas, Duration sent, Duration at) {
  if (deltas < 2) return;
  const double trend = std::min(deltas, MostDeltas) * slope * Gain;
  if (trend > threshold_) {
    // Half of the first gap, since the slope may have passed the threshold anywhere within it.
    over_for_ = over_for_ ? *over_for_ + sent : sent / 2;
    ++over_groups_;
    if (*over_for_ > OverUseTime && over_groups_ > 1 && slope >= last_slope_) {
      over_for_ = Duration(0);
      over_groups_ = 0;
      usage_ = Usage::Over;
    }
  } else {
    over_for_.reset();
    over_groups_ = 0;
    usage_ = trend < -threshold_ ? Usage::Under : Usage::Normal;
  }
  last_slope_ = slope;
  adapt(trend, at);
}

void OverUseDetector::adapt(double trend, Duration at) {
  constexpr Duration LongestStep = 100ms;
  const double size = std::abs(trend);
  const Duration step = std::clamp(at - adapted_.value_or(at), Duration(0), LongestStep);
  adapted_ = at;
  if (size > threshold_ + LargestAdaptedExcess) return;
  const double k = size < threshold_ ? ThresholdDown : ThresholdUp;
  threshold_ = std::clamp(threshold_ + k * (size - threshold_) * to_milliseconds(step), LeastThreshold, MostThreshold);
}

}  // namespace viaduct::congestion
