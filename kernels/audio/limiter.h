// The limiter of a mix: what the CPU and the kernels share of it, so that their sound is the same
// bit for bit. Integers only; no look-ahead beyond the frame.
//
// A frame is cut into sub-blocks. Each needs a gain: the largest with which its peak stays within
// the limit.
//
//   needs      n0   n1   n2   ...   n7       of the sub-blocks
//   borders  b0   b1   b2   ...   b7   b8    gains at their ends: none above a need beside it
//
// Between two borders the gain runs in a straight line, so it never exceeds the need of its
// sub-block, and no sample exceeds the limit. Down it goes at once, up by Release a sub-block. The
// next frame starts from b8. With all gains at 1 a frame comes out as it went in.
#pragma once

#include <cstdint>

namespace viaduct::kernels {

inline constexpr uint32_t SubBlocks = 8;
inline constexpr uint32_t SubBlockSamples = 120;  // 2.5 ms
inline constexpr int32_t MixLimit = 32392;        // -0.1 dBFS
inline constexpr uint32_t UnityGain = 32768;      // gains count in 1/32768
inline constexpr uint32_t Release = 273;          // from half to full gain in 150 ms

struct LimiterBorders {
  uint32_t gains[SubBlocks + 1];
};

// The size of a sample, of any sum that 32 bits hold.
constexpr uint32_t magnitude(int32_t sample) {
  const uint32_t bits = static_cast<uint32_t>(sample);
  return sample < 0 ? 0u - bits : bits;
}

constexpr uint32_t needed_gain(uint32_t peak) {
  const uint32_t limit = static_cast<uint32_t>(MixLimit);
  return peak <= limit ? UnityGain : limit * UnityGain / peak;
}

constexpr uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

// The gains of a frame with these peaks, after a frame that ended with `gain`.
constexpr void set_borders(LimiterBorders& borders, uint32_t gain, const uint32_t* peaks) {
  uint32_t before = needed_gain(peaks[0]);
  borders.gains[0] = smaller(gain, before);
  for (uint32_t i = 1; i <= SubBlocks; ++i) {
    const uint32_t after = i < SubBlocks ? needed_gain(peaks[i]) : UnityGain;
    borders.gains[i] = smaller(borders.gains[i - 1] + Release, smaller(before, after));
    before = after;
  }
}

// The gain of sample `index` of a sub-block that starts with gain `from` and ends with `to`.
constexpr uint32_t gain_between(uint32_t from, uint32_t to, uint32_t index) {
  return (from * (SubBlockSamples - index) + to * index) / SubBlockSamples;
}

// Rounds to the nearest. The gain keeps the sample within the limit; the clamp proves it.
constexpr int16_t limited_sample(int32_t sample, uint32_t gain) {
  const int64_t scaled = (int64_t{sample} * static_cast<int64_t>(gain) + UnityGain / 2) >> 15;
  const int64_t floored = scaled < -MixLimit ? -MixLimit : scaled;
  return static_cast<int16_t>(floored > MixLimit ? MixLimit : floored);
}

}  // namespace viaduct::kernels
