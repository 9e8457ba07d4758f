// Reads the VP8 payload descriptor (RFC 7741 section 4.2, drawn in vp8_descriptor.h) and the start of the frame behind
// it (section 4.3) from an unencrypted payload.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "protocol/codec/payload_front.h"
#include "protocol/codec/vp8_descriptor.h"
#include "protocol/rtp/frame_info.h"

namespace viaduct::codec {

// Nothing when the descriptor is cut short or nothing follows it.
std::optional<Vp8Descriptor> parse_vp8(Bytes payload);

// Where the packet stands among the temporal layers; which of them there are is not said. Where the frame ends is said
// by the RTP marker alone.
rtp::FrameInfo frame_info(const Vp8Descriptor& descriptor);

// `payload` is what was parsed. Nothing without a picture id of 15 bits: one of 7 is not continued over switches.
std::optional<PayloadFront> front_of(const Vp8Descriptor& descriptor, Bytes payload);

}  // namespace viaduct::codec
