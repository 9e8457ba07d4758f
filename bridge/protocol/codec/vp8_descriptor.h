// The VP8 payload descriptor (RFC 7741 section 4.2) as values, and its writer.
//
//         0 1 2 3 4 5 6 7
//        |X|R|N|S|R| PID |
//     X: |I|L|T|K|  RSV  |
//     I: |M| PictureID   |   M: the low 8 of 15 bits follow
//     L: |   TL0PICIDX   |
//   T/K: |TID|Y| KEYIDX  |
//
// The bridge rewrites PictureID and TL0PICIDX, so that a receive slot is one stream whatever source it carries. This
// header looks at no payload: what reads one is vp8.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace viaduct::codec {

struct Vp8Descriptor {
  size_t descriptor_bytes = 0;         // as parsed: where the frame's bytes start; the writer ignores it
  bool non_reference = false;          // N: no other frame depends on this one
  bool start_of_partition = false;     // S
  uint8_t partition_id = 0;            // PID, 0 to 7
  std::optional<uint16_t> picture_id;  // 15 bits, or 7 when picture_id_15_bit is false
  bool picture_id_15_bit = true;       // as parsed; the writer always uses 15 bits
  std::optional<uint8_t> tl0_pic_idx;
  std::optional<uint8_t> temporal_id;  // TID, 0 to 3
  bool layer_sync = false;             // Y, with temporal_id
  std::optional<uint8_t> key_idx;      // KEYIDX, 0 to 31

  // What the frame header says, in the packet that begins a frame; the writer ignores it.
  bool key_frame = false;
  uint16_t width = 0;                  // in pixels, of a key frame whose header is whole; 0 when unknown
  uint16_t height = 0;

  bool starts_frame() const { return start_of_partition && partition_id == 0; }
};

// The size write_vp8_descriptor() will return, 1 to 6.
size_t vp8_descriptor_bytes(const Vp8Descriptor& descriptor);

// Writes the descriptor to the front of `out` and returns its size; 0, with `out` untouched, when it does not fit.
size_t write_vp8_descriptor(MutableBytes out, const Vp8Descriptor& descriptor);

}  // namespace viaduct::codec
