// Levels and mixes of one tick's sound, for any number of conferences at once. On the CPU or, by the
// kernels of kernels/audio, on a GPU: integer arithmetic, and bit for bit the same on both.
//
// Sound is mono, 48 kHz, 16 bits, in frames of 20 ms.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/audio/audio_job.h"

namespace viaduct::kernels {

inline constexpr size_t FrameSamples = 960;

struct alignas(16) Frame {
  std::array<int16_t, FrameSamples> samples{};
};

// How far a limiter has turned one output down: the gain at the end of its last frame, in 1/32768.
// Each output has one and keeps it from frame to frame.
struct LimiterState {
  uint16_t gain_q15 = 32768;
};

// The sources of one conference: frames[first_frame] and those that follow.
struct MixGroup {
  uint32_t first_frame = 0;
  uint32_t frame_count = 0;
};

// Who hears what: a chosen source (one of the K loudest) hears the sum of the other chosen ones of
// its group; everybody else in the conference hears the sum of all chosen ones, and so shares one
// output. Sums are of 32 bits, and limited to 16 after the listener's own voice has been taken out.
struct MixBatch {
  std::span<const MixGroup> groups;
  std::span<const Frame> frames;            // by source
  std::span<const uint8_t> chosen;          // by source: 1 for those that are heard, else 0
  std::span<Frame> without;                 // by source, out: for a chosen one; others are left alone
  std::span<LimiterState> source_limiters;  // by source, in and out, as `without`
  std::span<Frame> all;                     // by group, out: for everyone who is not chosen
  std::span<LimiterState> group_limiters;   // by group, in and out
};

class AudioEngine {
 public:
  virtual ~AudioEngine() = default;

  // The level of each frame as RFC 6464 counts it: -dBov, 0 the loudest, 127 silence.
  virtual void measure(std::span<const Frame> frames, std::span<uint8_t> levels) = 0;
  virtual void mix(const MixBatch& batch) = 0;
  // How strongly each source speaks, on three time scales (audio/speaker_score.h).
  virtual void score_speakers(std::span<const SpeakerHistory> histories,
                              std::span<SpeakerScores> scores) = 0;
  // "cpu", "cuda" or "cuda-emulated", for metrics and logs.
  virtual const char* name() const = 0;
};

}  // namespace viaduct::kernels
