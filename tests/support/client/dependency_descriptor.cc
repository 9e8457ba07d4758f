#include "tests/support/client/dependency_descriptor.h"

#include <cstddef>

namespace viaduct::client {

std::vector<uint8_t> write_dependency_descriptor(const FramePosition& position, uint16_t width,
                                                 uint16_t height) {
  std::vector<uint8_t> out;
  size_t bits_used = 0;
  const auto put = [&](uint32_t value, size_t bits) {
    for (size_t i = bits; i-- > 0; ++bits_used) {
      if (bits_used % 8 == 0) out.push_back(0);
      out.back() = static_cast<uint8_t>(out.back() | ((value >> i) & 1) << (7 - bits_used % 8));
    }
  };
  put(position.first_packet, 1);
  put(position.last_packet, 1);
  put(position.key ? 0 : 1, 6);  // frame_dependency_template_id
  put(position.frame_number, 16);
  if (!position.key || !position.first_packet) return out;

  put(0b10000, 5);      // a structure, no decode targets, no custom anything
  put(0, 6);            // template_id_offset
  put(0, 5);            // one decode target
  put(0b0011, 4);       // layers: the second template is of the same layer; no more
  put(0b1010, 4);       // both templates are switch points of the decode target
  put(0b0, 1);          // the key frame depends on nothing,
  put(0b100000, 6);     // the other on the frame before it
  put(1, 1);            // one chain,
  put(0b0000'0001, 8);  // which the key frame begins and the other continues
  put(1, 1);            // resolutions
  put(width - 1u, 16);
  put(height - 1u, 16);
  return out;
}

}  // namespace viaduct::client
