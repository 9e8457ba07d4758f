#include "kernels/audio/audio_kernels.cuh"
#include "kernels/audio/level.cuh"
#include "kernels/audio/mix.cuh"
#include "kernels/audio/speaker.cuh"
#include "kernels/completion.cuh"

using namespace viaduct::kernels;

// The number of the running warp in the whole grid.
__device__ __forceinline__ uint32_t grid_warp() {
  return (blockIdx.x * blockDim.x + threadIdx.x) / WarpThreads;
}

__device__ __forceinline__ bool is_first_lane() { return threadIdx.x % WarpThreads == 0; }

extern "C" __global__ void __launch_bounds__(128)
    viaduct_audio_measure(const uint4* frames, uint32_t frame_count, const AudioTables* tables,
                          uint8_t* levels, uint32_t* finished_blocks, volatile uint64_t* completion,
                          uint64_t batch_number) {
  const uint32_t index = grid_warp();
  if (index < frame_count) {
    const uint8_t level =
        warp_level(frames + size_t{index} * FrameVectors, tables->level_thresholds);
    if (is_first_lane()) levels[index] = level;
  }
  complete(finished_blocks, completion, batch_number);
}

extern "C" __global__ void __launch_bounds__(128)
    viaduct_audio_mix(const MixJob* jobs, const uint4* frames, const uint8_t* chosen,
                      uint4* without, uint16_t* source_gains, uint4* all, uint16_t* group_gains,
                      uint32_t* finished_blocks, volatile uint64_t* completion,
                      uint64_t batch_number) {
  BLOCK_SHARED(MixShared, shared);
  const MixArrays arrays = {frames, chosen, without, source_gains, all, group_gains};
  block_mix(jobs[blockIdx.x], blockIdx.x, arrays, shared);
  complete(finished_blocks, completion, batch_number);
}

extern "C" __global__ void __launch_bounds__(128)
    viaduct_speaker_scores(const SpeakerHistory* histories, uint32_t count,
                           const AudioTables* tables, SpeakerScores* scores,
                           uint32_t* finished_blocks, volatile uint64_t* completion,
                           uint64_t batch_number) {
  const uint32_t index = grid_warp();
  if (index < count) {
    const SpeakerScores result = warp_scores(histories[index], tables->speaker);
    if (is_first_lane()) scores[index] = result;
  }
  complete(finished_blocks, completion, batch_number);
}
