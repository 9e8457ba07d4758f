// The mix of a conference, by one block. Thread t owns samples 8t to 8t + 7 of every frame; fifteen
// threads own a sub-block of the limiter. The last eight threads of the block only keep step.
#pragma once

#include <cuda_language.h>

#include "kernels/audio/audio_job.h"
#include "kernels/audio/samples.cuh"

namespace viaduct::kernels {

inline constexpr uint32_t MixThreads = 128;
inline constexpr uint32_t SubBlockThreads = SubBlockSamples / ThreadSamples;
static_assert(FrameVectors <= MixThreads && SubBlocks <= 32);

struct MixShared {
  uint32_t thread_peaks[MixThreads];
  uint32_t peaks[SubBlocks];
  LimiterBorders borders;
};

// The block's first warp: from the peaks of threads to the gains of the frame.
__device__ __forceinline__ void warp_borders(MixShared& shared, uint16_t* gain) {
  const uint32_t lane = threadIdx.x;
  if (lane < SubBlocks) {
    uint32_t peak = 0;
    for (uint32_t i = 0; i < SubBlockThreads; ++i) {
      const uint32_t other = shared.thread_peaks[lane * SubBlockThreads + i];
      peak = other > peak ? other : peak;
    }
    shared.peaks[lane] = peak;
  }
  __syncwarp();
  if (lane == 0) {
    set_borders(shared.borders, *gain, shared.peaks);
    *gain = static_cast<uint16_t>(shared.borders.gains[SubBlocks]);
  }
}

// Samples `index` and the next of a sub-block whose gain runs from one border to the other.
__device__ __forceinline__ uint32_t limited_pair(int32_t low, int32_t high, uint32_t from,
                                                 uint32_t to, uint32_t index) {
  return sample_pair(limited_sample(low, gain_between(from, to, index)),
                     limited_sample(high, gain_between(from, to, index + 1)));
}

__device__ __forceinline__ uint4 limit_samples(const Samples& sum, const LimiterBorders& borders) {
  const uint32_t sub_block = threadIdx.x / SubBlockThreads;
  const uint32_t first = threadIdx.x % SubBlockThreads * ThreadSamples;
  const uint32_t from = borders.gains[sub_block];
  const uint32_t to = borders.gains[sub_block + 1];
  return make_uint4(limited_pair(sum.at[0], sum.at[1], from, to, first),
                    limited_pair(sum.at[2], sum.at[3], from, to, first + 2),
                    limited_pair(sum.at[4], sum.at[5], from, to, first + 4),
                    limited_pair(sum.at[6], sum.at[7], from, to, first + 6));
}

// Brings the block's sum within the limit and writes it as a frame.
__device__ __forceinline__ void block_limit(const Samples& sum, MixShared& shared, uint16_t* gain,
                                            uint4* frame) {
  shared.thread_peaks[threadIdx.x] = peak_of(sum);
  __syncthreads();
  if (threadIdx.x < 32) warp_borders(shared, gain);
  __syncthreads();
  if (threadIdx.x < FrameVectors) frame[threadIdx.x] = limit_samples(sum, shared.borders);
}

// This thread's samples of a frame.
__device__ __forceinline__ Samples load_samples(const uint4* frame) {
  if (threadIdx.x < FrameVectors) return unpack_samples(frame[threadIdx.x]);
  return {};
}

// What the kernels read and write of all conferences: by source, or by conference.
struct MixArrays {
  const uint4* frames;
  const uint8_t* chosen;
  uint4* without;
  uint16_t* source_gains;
  uint4* all;
  uint16_t* group_gains;
};

__device__ __forceinline__ void block_mix(const MixJob& job, uint32_t group,
                                          const MixArrays& arrays, MixShared& shared) {
  const uint32_t end = job.first_frame + job.frame_count;
  Samples sum = {};
  for (uint32_t source = job.first_frame; source < end; ++source) {
    if (arrays.chosen[source] == 0) continue;
    add_samples(sum, load_samples(arrays.frames + size_t{source} * FrameVectors));
  }
  block_limit(sum, shared, &arrays.group_gains[group], arrays.all + size_t{group} * FrameVectors);
  for (uint32_t source = job.first_frame; source < end; ++source) {
    if (arrays.chosen[source] == 0) continue;
    Samples others = sum;
    subtract_samples(others, load_samples(arrays.frames + size_t{source} * FrameVectors));
    block_limit(others, shared, &arrays.source_gains[source],
                arrays.without + size_t{source} * FrameVectors);
  }
}

}  // namespace viaduct::kernels
