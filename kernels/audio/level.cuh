// The level of a frame, by one warp.
#pragma once

#include "kernels/audio/level.h"
#include "kernels/audio/samples.cuh"
#include "kernels/warp.cuh"

namespace viaduct::kernels {

// Every lane learns the sum of what all lanes bring.
__device__ __forceinline__ uint64_t warp_sum(uint64_t value) {
  for (int distance = 16; distance > 0; distance /= 2) {
    const uint32_t low = static_cast<uint32_t>(value);
    const uint32_t high = static_cast<uint32_t>(value >> 32);
    value += __shfl_xor_sync(FullWarp, low, distance) |
             static_cast<uint64_t>(__shfl_xor_sync(FullWarp, high, distance)) << 32;
  }
  return value;
}

__device__ __forceinline__ uint8_t warp_level(const uint4* frame, const uint64_t* thresholds) {
  uint64_t energy = 0;
  for (uint32_t i = threadIdx.x % WarpThreads; i < FrameVectors; i += WarpThreads) {
    energy += energy_of(unpack_samples(frame[i]));
  }
  return level_of(warp_sum(energy), thresholds);
}

}  // namespace viaduct::kernels
