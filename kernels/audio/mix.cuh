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
    shared.borders = limiter_borders(*gain, shared.peaks);
    *gain = static_cast<uint16_t>(shared.borders.gains[SubBlocks]);
  }
}

__device__ __forceinline__ uint4 limit_samples(const Samples& sum, const LimiterBorders& borders) {
  const uint32_t sub_block = threadIdx.x / SubBlockThreads;
  const uint32_t first = threadIdx.x % SubBlockThreads * ThreadSamples;
  const uint32_t from = borders.gains[sub_block];
  const uint32_t to = borders.gains[sub_block + 1];
  int16_t out[ThreadSamples];
  for (uint32_t i = 0; i < ThreadSamples; ++i) {
    out[i] = limited_sample(sum.at[i], gain_between(from, to, first + i));
  }
  return make_uint4(sample_pair(out[0], out[1]), sample_pair(out[2], out[3]),
                    sample_pair(out[4], out[5]), sample_pair(out[6], out[7]));
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
