// Levels as RFC 6464, section 3 counts them: -dBov, rounded, where 0 is a square wave of full scale
// (+-32767) and 127 stands for silence. By comparing the sum of squares of a frame with thresholds,
// so that no logarithm is computed and every machine comes to the same number.
#pragma once

#include <cstdint>

namespace viaduct::kernels {

inline constexpr uint32_t Levels = 128;

// The level of a frame whose squared samples add up to `energy`. thresholds[k] is the least energy
// of level k; they fall, and the last is 0.
constexpr uint8_t level_of(uint64_t energy, const uint64_t* thresholds) {
  uint32_t low = 0;
  uint32_t high = Levels - 1;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (energy >= thresholds[middle]) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return static_cast<uint8_t>(low);
}

}  // namespace viaduct::kernels
