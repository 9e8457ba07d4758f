// Reads the VP8 payload descriptor (RFC 7741 section 4.2, drawn in vp8_descriptor.h) and the start of the frame behind
// it (section 4.3) from an unencrypted payload.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "protocol/codec/vp8_descriptor.h"

namespace viaduct::codec {

// Nothing when the descriptor is cut short or nothing follows it.
std::optional<Vp8Descriptor> parse_vp8(Bytes payload);

}  // namespace viaduct::codec
