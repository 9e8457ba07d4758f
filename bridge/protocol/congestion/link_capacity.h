// What the narrowest link takes, as seen whenever it was over-used: a mean with its deviation. Near it a rate grows
// with care, far from it fast (libwebrtc's link capacity estimator).
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/units.h"
#include "protocol/congestion/rates.h"

namespace viaduct::congestion {

class LinkCapacity {
 public:
  // What arrived while the link was over-used, and what a probe measured.
  void on_over_use(DataRate arrived) { update(to_kbps(arrived), 0.05); }
  void on_probe(DataRate measured) { update(to_kbps(measured), 0.5); }

  bool is_known() const { return kbps_.has_value(); }
  DataRate estimate() const { return from_kbps(kbps_.value_or(0)); }
  // Three standard deviations around it.
  DataRate lower() const { return from_kbps(kbps_.value_or(0) - 3 * deviation()); }
  DataRate upper() const { return kbps_ ? from_kbps(*kbps_ + 3 * deviation()) : from_kbps(1e12); }
  void reset() { kbps_.reset(); }

 private:
  void update(double sample, double weight) {
    if (!kbps_) {
      kbps_ = sample;
      return;
    }
    kbps_ = (1 - weight) * *kbps_ + weight * sample;
    const double error = *kbps_ - sample;
    variance_ = (1 - weight) * variance_ + weight * error * error / std::max(*kbps_, 1.0);
    variance_ = std::clamp(variance_, 0.4, 2.5);
  }
  double deviation() const { return std::sqrt(variance_ * kbps_.value_or(0)); }

  std::optional<double> kbps_;
  double variance_ = 0.4;  // of the error, in units of the estimate
};

}  // namespace viaduct::congestion
