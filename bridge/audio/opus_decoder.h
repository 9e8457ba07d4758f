// Opus (RFC 6716) to sound: mono, 48 kHz, 16 bits.
//
// Input is hostile. What cannot be decoded yields no samples, and the state survives it. The
// decoder's memory holds the end of what was said, and is wiped with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "audio/wiped_bytes.h"
#include "base/bytes.h"

namespace viaduct::audio {

inline constexpr uint32_t SampleRate = 48'000;
inline constexpr size_t MaxPacketSamples = 5760;     // 120 ms (RFC 6716 section 2.1.4)
inline constexpr size_t ShortestFrameSamples = 120;  // 2.5 ms: every duration is a multiple

// How long the packet plays; empty when it is no Opus packet.
std::optional<uint32_t> duration_of(Bytes packet);
// Whether it brings a copy of the sound before it along (RFC 6716 section 4.2.4).
bool has_redundancy(Bytes packet);

class OpusDecoder {
 public:
  OpusDecoder();

  // Each fills `out` from its front and returns how many samples there are; 0 when the packet is
  // damaged.
  //
  // `out` has room for the packet's duration.
  size_t decode(Bytes packet, std::span<int16_t> out);
  // The last out.size() samples before `next`, from what that brings along. At most its duration.
  size_t recover(Bytes next, std::span<int16_t> out);
  // out.size() samples that sound as what came before, ever quieter. A multiple of 2.5 ms, 120 ms
  // at most.
  size_t conceal(std::span<int16_t> out);
  // As if nothing had been decoded.
  void reset();

 private:
  WipedBytes state_;
};

}  // namespace viaduct::audio
