// How strongly one voice speaks, on three time scales, from the levels that its packets state in clear (RFC 6464):
// Volfin and Cohen, "Dominant Speaker Identification for Multipoint Videoconferencing".
//
//   50 immediates, one for each level   the sub-band of the loudness, of 13 that are 10 dB wide each
//   10 mediums of 5 immediates          how many of them lie above sub-band 7
//    1 long of 10 mediums               how many of them lie above 4, that is, are active throughout
//
// Loudness is 127 - level, and 0 for silence. What lies near the least loudness of the last while is noise and counts
// as silence. The kernels' twin of the counts and scores is kernels/speaker_scores.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/time.h"

namespace viaduct::conference {

// The newest of each scale: all that a decision goes by.
struct SpeechCounts {
  uint8_t immediate = 0;  // 0 to 12
  uint8_t medium = 0;     // 0 to 5
  uint8_t long_term = 0;  // 0 to 10
  friend bool operator==(const SpeechCounts&, const SpeechCounts&) = default;
};

// Natural logarithms of the scores that the counts have: how much likelier they are for speech than for noise.
struct SpeechScores {
  double immediate = 0;
  double medium = 0;
  double long_term = 0;
};
SpeechScores scores_of(const SpeechCounts& counts);

inline constexpr size_t SpeechImmediates = 50;
using LoudnessHistory = std::array<uint8_t, SpeechImmediates>;  // newest first
SpeechCounts count_speech(const LoudnessHistory& loudness, uint8_t quietest);

class SpeechActivity {
 public:
  static constexpr Duration SilentAfter = 40ms;                // without a level
  static constexpr Duration Forgotten = std::chrono::hours(1);  // without a level
  static constexpr Duration QuietestWindow = 15s;              // over which the quietest is learned anew

  // One packet's level, 0 (loudest) to 127.
  void on_level(uint8_t level, Timestamp now);
  // What another worker counts, until it says something else.
  void hold(const SpeechCounts& counts, Timestamp now);

  SpeechCounts counts(Timestamp now) const;
  // When anything was last heard of it; the beginning of time: never.
  Timestamp last_level() const { return last_level_; }

 private:
  size_t silent_intervals(Timestamp now) const;
  static LoudnessHistory shifted(const LoudnessHistory& history, size_t by);
  void learn_quietest(uint8_t loudness, Timestamp now);

  LoudnessHistory history_{};
  SpeechCounts held_;
  bool is_held_ = false;
  uint8_t quietest_ = 0;       // 0: not known
  uint8_t quietest_since_ = 0;  // of the running window; 0: none runs
  Timestamp window_start_{};
  Timestamp last_level_{};
};

}  // namespace viaduct::conference
