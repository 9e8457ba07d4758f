// The parameters of an a=fmtp line, as far as the bridge must understand them: which variants of a codec are the
// same format.
#pragma once

#include <optional>
#include <string_view>

#include "protocol/codec/codec.h"

namespace viaduct::sdp {

// The value of `key` in "key=value;key=value".
std::optional<std::string_view> fmtp_parameter(std::string_view fmtp, std::string_view key);

// Whether a payload type with these parameters is a variant that the bridge forwards: VP9 profile 0 (RFC 9628
// section 6), AV1 profile 0 (AV1 RTP section 7.2), every H.264, VP8 and Opus.
bool forwards_variant(codec::CodecType type, std::string_view fmtp);

// How well every H.264 decoder can be expected to take this variant (RFC 6184 section 8.1): 2 for constrained
// baseline, 1 for other profiles, 0 when it is not packetization-mode=1, which browsers need for frames longer
// than a packet.
int h264_rank(std::string_view fmtp);

}  // namespace viaduct::sdp
