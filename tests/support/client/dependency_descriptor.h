// Writes the dependency descriptor (AV1 RTP specification, appendix A) of a stream without layers.
#pragma once

#include <cstdint>
#include <vector>

namespace viaduct::client {

// Where in its frame a packet stands. The first packet of a key frame carries the structure.
struct FramePosition {
  bool key = false;
  bool first_packet = false;
  bool last_packet = false;
  uint16_t frame_number = 0;
};

// `width` and `height` are the picture's, which a structure names.
std::vector<uint8_t> write_dependency_descriptor(const FramePosition& position, uint16_t width,
                                                 uint16_t height);

}  // namespace viaduct::client
