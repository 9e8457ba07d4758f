// Sound to Opus (RFC 6716): mono, 48 kHz, 20 ms a packet, for speech.
//
// Each packet brings a coarse copy of the one before it along, so that a listener can lose some.
// The encoder's memory holds the end of what was said, and is wiped with it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "audio/wiped_bytes.h"
#include "base/bytes.h"
#include "limits.h"

namespace viaduct::audio {

class OpusEncoder {
 public:
  static constexpr int Bitrate = 32'000;
  // Of 10. 8 and more cost twice as much, 0 less than half (tests/bench/mix_bench.cc).
  static constexpr int Complexity = 5;

  explicit OpusEncoder(int complexity = Complexity);

  // Between limits::MixLossPercentLeast and limits::MixLossPercentMost, whatever is asked for: the
  // copies get the larger a share, the more is lost.
  void expect_loss(int percent);
  int expected_loss() const { return expected_loss_; }

  // One packet into `out`, and its size.
  size_t encode(std::span<const int16_t> frame, MutableBytes out);

 private:
  WipedBytes state_;
  int expected_loss_ = 0;
};

}  // namespace viaduct::audio
