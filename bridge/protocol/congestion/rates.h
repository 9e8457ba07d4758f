// Arithmetic of rates, as the estimators need it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"
#include "base/units.h"

namespace viaduct::congestion {

constexpr double to_kbps(DataRate rate) { return static_cast<double>(rate.bits_per_second) / 1000; }
constexpr double to_milliseconds(Duration d) { return to_seconds(d) * 1000; }

// Saturates: what is compared with limits may come from dividing by very little.
constexpr DataRate from_kbps(double kbps) {
  constexpr double Most = 1e15;
  return {static_cast<int64_t>(std::clamp(kbps * 1000, 0.0, Most))};
}

constexpr DataRate operator*(DataRate rate, double factor) { return from_kbps(to_kbps(rate) * factor); }
constexpr double operator/(DataRate a, DataRate b) { return to_kbps(a) / to_kbps(b); }

// How long `size` takes at `rate`, which is not zero.
constexpr Duration operator/(DataSize size, DataRate rate) {
  return Duration(static_cast<int64_t>(static_cast<double>(size.bytes) * 8e9 /
                                       static_cast<double>(rate.bits_per_second)));
}

constexpr DataSize operator*(DataRate rate, Duration time) {
  return {static_cast<int64_t>(static_cast<double>(rate.bits_per_second) * to_seconds(time) / 8)};
}

}  // namespace viaduct::congestion
