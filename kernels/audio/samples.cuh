// A thread's share of a frame: eight samples, which it loads and stores as one word of 128 bits.
#pragma once

#include <cuda_language.h>

#include <cstdint>

#include "kernels/audio/limiter.h"

namespace viaduct::kernels {

inline constexpr uint32_t ThreadSamples = 8;
inline constexpr uint32_t FrameVectors = SubBlocks * SubBlockSamples / ThreadSamples;

__device__ __forceinline__ int32_t low_sample(uint32_t pair) {
  return static_cast<int16_t>(pair & 0xffff);
}

__device__ __forceinline__ int32_t high_sample(uint32_t pair) {
  return static_cast<int16_t>(pair >> 16);
}

__device__ __forceinline__ uint32_t sample_pair(int16_t low, int16_t high) {
  return static_cast<uint16_t>(low) | static_cast<uint32_t>(static_cast<uint16_t>(high)) << 16;
}

struct Samples {
  int32_t at[ThreadSamples];
};

__device__ __forceinline__ Samples unpack_samples(uint4 packed) {
  return {{low_sample(packed.x), high_sample(packed.x), low_sample(packed.y), high_sample(packed.y),
           low_sample(packed.z), high_sample(packed.z), low_sample(packed.w),
           high_sample(packed.w)}};
}

__device__ __forceinline__ void add_samples(Samples& sum, const Samples& samples) {
  for (uint32_t i = 0; i < ThreadSamples; ++i) sum.at[i] += samples.at[i];
}

__device__ __forceinline__ void subtract_samples(Samples& sum, const Samples& samples) {
  for (uint32_t i = 0; i < ThreadSamples; ++i) sum.at[i] -= samples.at[i];
}

__device__ __forceinline__ uint32_t peak_of(const Samples& samples) {
  uint32_t peak = 0;
  for (uint32_t i = 0; i < ThreadSamples; ++i) {
    const uint32_t size = magnitude(samples.at[i]);
    peak = size > peak ? size : peak;
  }
  return peak;
}

// No more than 2^33: the sum over a frame has room.
__device__ __forceinline__ uint64_t energy_of(const Samples& samples) {
  uint64_t energy = 0;
  for (uint32_t i = 0; i < ThreadSamples; ++i) {
    energy += static_cast<uint32_t>(samples.at[i] * samples.at[i]);
  }
  return energy;
}

}  // namespace viaduct::kernels
