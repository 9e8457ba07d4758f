// The AV1 aggregation header (RTP Payload Format For AV1, section 4.4) and the header of the first OBU behind it.
//
//        |Z|Y| W |N|-|-|-|   Z: continues an OBU, W: OBU elements or 0, N: first packet of a coded video sequence
#pragma once

#include <optional>

#include "base/bytes.h"
#include "protocol/codec/frame_start.h"

namespace viaduct::codec {

// A key frame is where a coded video sequence starts (N). A frame starts where an OBU that can be its first one does.
// Nothing when the first element is cut short, or a new sequence claims to continue an OBU.
std::optional<FrameHint> parse_av1(Bytes payload);

}  // namespace viaduct::codec
