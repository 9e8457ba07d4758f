// Rates and sizes as types, so that bits are never taken for bytes.
#pragma once

#include <compare>
#include <cstdint>

#include "base/time.h"

namespace viaduct {

struct DataSize {
  int64_t bytes = 0;
  friend constexpr auto operator<=>(DataSize, DataSize) = default;
  constexpr DataSize& operator+=(DataSize o) { bytes += o.bytes; return *this; }
};

struct DataRate {
  int64_t bits_per_second = 0;
  static constexpr DataRate kbps(int64_t v) { return {v * 1000}; }
  friend constexpr auto operator<=>(DataRate, DataRate) = default;
  friend constexpr DataRate operator+(DataRate a, DataRate b) { return {a.bits_per_second + b.bits_per_second}; }
};

// `size` spread over `time`; zero when no time has passed.
constexpr DataRate operator/(DataSize size, Duration time) {
  if (time.count() <= 0) return {};
  return {static_cast<int64_t>(static_cast<double>(size.bytes) * 8.0 / to_seconds(time))};
}

}  // namespace viaduct
