// The VP9 payload descriptor (RFC 9628 section 4.2), as far as the bridge needs it: picture id, layers, key frames,
// and the sizes of the spatial layers.
//
//         0 1 2 3 4 5 6 7
//        |I|P|L|F|B|E|V|Z|
//     I: |M| PictureID   |   M: the low 8 of 15 bits follow
//     L: |TID|U| SID |D|
//        |   TL0PICIDX   |   when not F
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "protocol/codec/payload_front.h"
#include "protocol/rtp/frame_info.h"

namespace viaduct::codec {

struct Vp9Descriptor {
  size_t descriptor_bytes = 0;           // where the frame's bytes start
  bool inter_picture = false;            // P: predicted from an earlier picture
  bool flexible_mode = false;            // F
  bool start_of_frame = false;           // B: of one spatial layer's frame
  bool end_of_frame = false;             // E
  bool scalability_structure = false;    // V
  bool nothing_above = false;            // Z: no frame of a higher spatial layer is predicted from this one
  std::optional<uint16_t> picture_id;    // 15 bits, or 7 when picture_id_15_bit is false
  bool picture_id_15_bit = false;
  std::optional<uint8_t> temporal_id;    // TID, 0 to 7; with L
  uint8_t spatial_id = 0;                // SID, 0 to 7; 0 without L
  bool switching_up = false;             // U
  bool inter_layer = false;              // D: predicted from the layer below
  std::optional<uint8_t> tl0_pic_idx;    // with L, without F
  std::array<rtp::PictureSize, rtp::SpatialLayers> sizes{};  // of the scalability structure; zero where it has none

  // Begins a picture: the first packet of its lowest layer.
  bool starts_picture() const { return start_of_frame && spatial_id == 0; }
  // A receiver can begin to decode here.
  bool key_frame() const { return starts_picture() && !inter_picture && !inter_layer; }
};

// Nothing when the descriptor is cut short or nothing follows it.
std::optional<Vp9Descriptor> parse_vp9(Bytes payload);

// Where the packet stands among the layers; which of them there are is not said, and those above the fourth count as
// the fourth.
rtp::FrameInfo frame_info(const Vp9Descriptor& descriptor);

// `payload` is what was parsed. Nothing without a picture id of 15 bits: one of 7 is not continued over switches.
std::optional<PayloadFront> front_of(const Vp9Descriptor& descriptor, Bytes payload);

}  // namespace viaduct::codec
