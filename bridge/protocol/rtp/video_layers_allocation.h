// The video layers allocation header extension (webrtc.org/experiments/rtp-hdrext/video-layers-allocation00): which
// layers a sender produces now, in all encodings of a source, and what each of them costs.
//
//        |RID| NS| sl_bm |    RID: index of the encoding that this is sent on, NS: encodings - 1,
//        |sl_bm 0|sl_bm 1|    spatial layers of each, one bit a layer; here only where they differ: sl_bm is 0
//        |sl_bm 2|sl_bm 3|      of more than two encodings
//        |tl |tl |tl |tl |    temporal layers - 1 of each spatial layer, in as many bytes as needed
//        | rate ...           leb128, kbit/s, of each temporal layer of each spatial one
//        | width - 1  (16) | height - 1 (16) | frame rate |     of each spatial layer; or nothing at all
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/units.h"
#include "protocol/rtp/frame_info.h"

namespace viaduct::rtp {

struct VideoLayersAllocation {
  static constexpr size_t MaxEncodings = 4;

  struct SpatialLayer {
    uint8_t encoding = 0;  // its place among the RIDs that were negotiated
    uint8_t spatial = 0;
    uint8_t temporal_layers = 0;
    uint8_t frame_rate = 0;  // of the highest temporal layer; 0: not known
    PictureSize size;
    // What it takes to receive the layer up to each temporal one, with all that it builds on.
    std::array<DataRate, TemporalLayers> rates{};
    friend bool operator==(const SpatialLayer&, const SpatialLayer&) = default;
  };

  uint8_t encoding = 0;   // that it came on
  uint8_t encodings = 1;  // of the source
  uint8_t count = 0;      // of `layers`; 0 when nothing is sent
  std::array<SpatialLayer, MaxEncodings * SpatialLayers> layers{};  // by encoding and spatial layer

  std::span<const SpatialLayer> all() const { return std::span(layers).first(count); }
};

// Nothing when it is cut short, has bytes left over or names a rate that is none (above a terabit a second).
std::optional<VideoLayersAllocation> parse_video_layers_allocation(Bytes element);

}  // namespace viaduct::rtp
