// What the first bytes of an H.264 packet say (RFC 6184 section 5): NAL unit types, through STAP-A and FU-A.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "protocol/codec/frame_start.h"

namespace viaduct::codec {

// A key frame is a sequence parameter set or the first slice of an IDR picture, alone, in an aggregate or as a first
// fragment. A frame starts there, at a delimiter, parameter set or enhancement information, or at a slice whose first
// macroblock is 0. Nothing when a NAL unit is cut short or of a type that RFC 6184 leaves undefined.
std::optional<FrameHint> parse_h264(Bytes payload);

}  // namespace viaduct::codec
