// Does the first packet of a frame look like plain codec data? For evidence alone, never to forward by.
//
// It reads a few tens of bytes at most. Random bytes fit with a probability that body_evidence.h counts on: VP8 and VP9
// below 1/30, AV1 1/8 behind the OBU header that encrypted frames keep, H.264 and Opus below 1/5.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "protocol/codec/codec.h"

namespace viaduct::codec {

struct PlainCheck {
  bool fits = false;
  uint8_t shape = 0;         // of Opus: mode, bandwidth, frame size and channels, which seldom change
  uint32_t frame_bytes = 0;  // of VP8: what the frame must have at least to hold what its header announces
  uint32_t duration = 0;     // of Opus: in ticks of 48 kHz; 0 elsewhere
  // Four bytes where plain frames have headers, behind what encrypting formats are known to leave in clear.
  std::array<uint8_t, 4> probe{};
  // The frame from where its packetizer needs nothing in clear: behind VP8's and AV1's first byte, H.264's NAL header.
  Bytes opaque;
};

// `payload` is that of the first packet of a frame, without RTP padding. Nothing when no frame begins there, or too
// little of it to tell.
std::optional<PlainCheck> check_plain(CodecType codec, Bytes payload);

}  // namespace viaduct::codec
