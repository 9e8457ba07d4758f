#include "protocol/congestion/trendline.h"

#include <algorithm>

#include "protocol/congestion/rates.h"

namespace viaduct::congestion {

void Trendline::add(const GroupDelta& delta) {
  if (!first_) first_ = delta.at;
  deltas_ = std::min(deltas_ + 1, MostDeltas);
  accumulated_ += to_milliseconds(delta.arrived - delta.sent);
  smoothed_ = Smoothing * smoothed_ + (1 - Smoothing) * accumulated_;
  points_[next_] = {.at = to_milliseconds(delta.at - *first_), .delay = smoothed_};
  next_ = (next_ + 1) % Window;
  size_ = std::min(size_ + 1, Window);
  if (size_ == Window) slope_ = fit().value_or(slope_);
}

// Least squares.
std::optional<double> Trendline::fit() const {
  double at = 0;
  double delay = 0;
  for (const Point& p : points_) {
    at += p.at / Window;
    delay += p.delay / Window;
  }
  double covariance = 0;
  double variance = 0;
  for (const Point& p : points_) {
    covariance += (p.at - at) * (p.delay - delay);
    variance += (p.at - at) * (p.at - at);
  }
  if (variance == 0) return std::nullopt;
  return covariance / variance;
}

}  // namespace viaduct::congestion
