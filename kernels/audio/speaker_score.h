// How strongly a source speaks, on three time scales: Volfin and Cohen, "Dominant Speaker
// Identification for Multipoint Videoconferencing". What the CPU and the kernels share of it.
//
//   50 immediates of 20 ms   the sub-band of the loudness, of 13 that are 10 dB wide each
//   10 mediums of 100 ms     how many of its 5 immediates lie above sub-band 7
//    1 long of 1 s           how many of the 10 mediums lie above 4, that is, are active throughout
//
// Each scale has a score: how much likelier so much activity is from a speaker than from noise. It
// depends on a small number alone, so it comes from a table.
#pragma once

#include <cstdint>

#include "kernels/audio/audio_job.h"

namespace viaduct::kernels {

inline constexpr uint32_t SubBands = 13;
inline constexpr uint32_t ImmediatesPerMedium = 5;
inline constexpr uint32_t Mediums = 10;
static_assert(Mediums * ImmediatesPerMedium == Immediates);

// ln(score) in 1/65536, by the count of each scale.
struct SpeakerTables {
  int32_t immediate[SubBands + 1];
  int32_t medium[ImmediatesPerMedium + 1];
  int32_t long_term[Mediums + 1];
  uint32_t unused;
};
static_assert(sizeof(SpeakerTables) == 128);

constexpr uint32_t sub_band(uint32_t loudness, uint32_t quietest) {
  constexpr uint32_t Width = 10;
  return loudness < quietest + Width ? 0 : loudness / Width;  // near the quietest: noise
}

constexpr bool is_active(uint32_t band) {
  constexpr uint32_t Threshold = 7;
  return band > Threshold;
}

// Of the newest immediate's sub-band and one bit per active immediate, the newest lowest.
constexpr SpeakerScores scores_of(uint32_t newest, uint64_t active, const SpeakerTables& tables) {
  constexpr uint32_t All = (1u << ImmediatesPerMedium) - 1;
  uint32_t medium = 0;
  for (uint32_t i = 0; i < ImmediatesPerMedium; ++i) medium += (active >> i & 1) != 0 ? 1 : 0;
  uint32_t long_term = 0;
  for (uint32_t i = 0; i < Mediums; ++i) {
    long_term += (active >> ImmediatesPerMedium * i & All) == All ? 1 : 0;
  }
  return {tables.immediate[newest], tables.medium[medium], tables.long_term[long_term]};
}

}  // namespace viaduct::kernels
