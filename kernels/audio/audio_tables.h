// The numbers that levels and speaker scores are looked up in: computed once, by exact integers,
// and handed to the kernels as they are.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/audio/level.h"
#include "kernels/audio/speaker_score.h"

namespace viaduct::kernels {

struct AudioTables {
  uint64_t level_thresholds[Levels];  // see level_of
  SpeakerTables speaker;
};
static_assert(sizeof(AudioTables) == 8 * Levels + sizeof(SpeakerTables));

const AudioTables& audio_tables();

}  // namespace viaduct::kernels
