// What host and kernels tell each other about a batch of sound. Plain memory of fixed layout:
// frames lie one after the other, and jobs name them by number.
#pragma once

#include <cstddef>
#include <cstdint>

namespace viaduct::kernels {

// A conference: block number i of viaduct_audio_mix works on job i.
struct MixJob {
  uint32_t first_frame;  // of the sources of this conference
  uint32_t frame_count;
};
static_assert(sizeof(MixJob) == 8 && offsetof(MixJob, frame_count) == 4);

// What viaduct_speaker_scores knows of a source: how loud it was in the last 50 intervals of 20 ms,
// the newest first, as 127 - level (RFC 6464), and the least it has been of late.
inline constexpr uint32_t Immediates = 50;
struct SpeakerHistory {
  uint8_t loudness[Immediates];
  uint8_t quietest;
  uint8_t unused;
};
static_assert(sizeof(SpeakerHistory) == 52 && offsetof(SpeakerHistory, quietest) == 50);

// Natural logarithms of the three speech activity scores, in 1/65536: the ratio of two scores is
// the difference of these.
struct SpeakerScores {
  int32_t immediate;
  int32_t medium;
  int32_t long_term;
};
static_assert(sizeof(SpeakerScores) == 12 && offsetof(SpeakerScores, long_term) == 8);

}  // namespace viaduct::kernels
