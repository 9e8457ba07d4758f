#include "kernels/speaker_scores.h"

#include "kernels/audio/audio_tables.h"

namespace viaduct::kernels {

SpeakerScores speaker_scores(const SpeakerHistory& history) {
  uint64_t active = 0;
  for (uint32_t i = 0; i < Immediates; ++i) {
    if (is_active(sub_band(history.loudness[i], history.quietest))) active |= uint64_t{1} << i;
  }
  return scores_of(sub_band(history.loudness[0], history.quietest), active, audio_tables().speaker);
}

}  // namespace viaduct::kernels
