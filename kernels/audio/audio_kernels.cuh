// The audio kernels, as the host launches them. Each says that it is done as completion.cuh tells.
#pragma once

#include <cuda_language.h>

#include "kernels/audio/audio_job.h"
#include "kernels/audio/audio_tables.h"

// levels[i] of frames[i], a frame being 120 words of 128 bits: a warp each.
extern "C" __global__ void viaduct_audio_measure(const uint4* frames, uint32_t frame_count,
                                                 const viaduct::kernels::AudioTables* tables,
                                                 uint8_t* levels, uint32_t* finished_blocks,
                                                 volatile uint64_t* completion,
                                                 uint64_t batch_number);

// Block i mixes conference jobs[i]: see MixBatch of audio_engine.h. Blocks of 128 threads.
extern "C" __global__ void viaduct_audio_mix(const viaduct::kernels::MixJob* jobs,
                                             const uint4* frames, const uint8_t* chosen,
                                             uint4* without, uint16_t* source_gains, uint4* all,
                                             uint16_t* group_gains, uint32_t* finished_blocks,
                                             volatile uint64_t* completion, uint64_t batch_number);

// scores[i] of histories[i]: a warp each.
extern "C" __global__ void viaduct_speaker_scores(
    const viaduct::kernels::SpeakerHistory* histories, uint32_t count,
    const viaduct::kernels::AudioTables* tables, viaduct::kernels::SpeakerScores* scores,
    uint32_t* finished_blocks, volatile uint64_t* completion, uint64_t batch_number);
