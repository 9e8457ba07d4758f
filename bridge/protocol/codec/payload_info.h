// All that forwarding needs of an unencrypted payload, whichever codec's it is: where it stands among frames and
// layers, the numbers at its front, the size of the picture.
//
// A fallback for clients without the dependency descriptor, but for the numbers, which stand in the payload alone;
// never asked in an end-to-end encrypted conference. A malformed payload says nothing, and never crashes (test S17).
#pragma once

#include <array>
#include <optional>

#include "base/bytes.h"
#include "protocol/codec/codec.h"
#include "protocol/codec/payload_front.h"
#include "protocol/rtp/frame_info.h"

namespace viaduct::codec {

struct PayloadInfo {
  rtp::FrameInfo frame;
  std::optional<PayloadFront> front;                         // VP8 and VP9
  std::array<rtp::PictureSize, rtp::SpatialLayers> sizes{};  // of each spatial layer, in packets that begin key frames
};

// `payload` is without RTP padding; `marker` is the packet's, which ends frames where the codec does not say.
PayloadInfo parse_payload(CodecType codec, Bytes payload, bool marker);

}  // namespace viaduct::codec
