// The speech activity scores of a source on this CPU: the twin of viaduct_speaker_scores.
#pragma once

#include "kernels/audio/audio_job.h"

namespace viaduct::kernels {

SpeakerScores speaker_scores(const SpeakerHistory& history);

}  // namespace viaduct::kernels
