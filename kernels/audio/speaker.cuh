// The speech activity scores of a source, by one warp: each lane looks at two of the 50 immediates,
// and a vote gathers which of them are active.
#pragma once

#include <cuda_language.h>

#include "kernels/audio/level.cuh"
#include "kernels/audio/speaker_score.h"

namespace viaduct::kernels {

__device__ __forceinline__ SpeakerScores warp_scores(const SpeakerHistory& history,
                                                     const SpeakerTables& tables) {
  const uint32_t newer = threadIdx.x % WarpThreads;
  const uint32_t older = newer + WarpThreads;
  const uint32_t newer_band = sub_band(history.loudness[newer], history.quietest);
  const uint32_t older_band =
      older < Immediates ? sub_band(history.loudness[older], history.quietest) : 0;
  const uint32_t low = __ballot_sync(FullWarp, is_active(newer_band));
  const uint32_t high = __ballot_sync(FullWarp, is_active(older_band));
  const uint32_t newest_band = __shfl_sync(FullWarp, newer_band, 0);
  return scores_of(newest_band, static_cast<uint64_t>(high) << 32 | low, tables);
}

}  // namespace viaduct::kernels
