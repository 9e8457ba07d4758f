// Where frames and key frames start, read from the first bytes of an unencrypted payload.
//
// A fallback for clients without the dependency descriptor extension; never asked in an end-to-end encrypted
// conference. A malformed payload gives no hint and never a crash (test S17).
#pragma once

#include "base/bytes.h"
#include "protocol/codec/codec.h"

namespace viaduct::codec {

struct FrameHint {
  bool starts_frame = false;
  bool key_frame = false;  // decoding can begin at this packet
  friend bool operator==(const FrameHint&, const FrameHint&) = default;
};

// `payload` is without RTP padding. Every Opus packet is a frame that decoding can begin with; an empty payload never
// is.
FrameHint hint_of(CodecType codec, Bytes payload);

}  // namespace viaduct::codec
