// The dependency descriptor header extension (RTP Payload Format For AV1, appendix A), as far as the bridge needs it:
// where frames and key frames begin, and the number of the frame. It works for every codec, and under end-to-end
// encryption, since it stands beside the payload.
//
//        |S|E| template (6) |       frame_number (16)       |   S: first packet of the frame, E: last
//        |T|A|D|F|C| ...                                        when there is a fourth byte; T: a structure follows
//
// The structure that other descriptors refer to is carried along unread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace viaduct::rtp {

struct DependencyDescriptor {
  bool start_of_frame = false;
  bool end_of_frame = false;
  uint8_t template_id = 0;  // 6 bits
  uint16_t frame_number = 0;
  bool structure_present = false;

  // A receiver can begin to decode here: structures come with the first packet of a coded video sequence (section A.4).
  bool begins_key_frame() const { return start_of_frame && structure_present; }
  friend bool operator==(const DependencyDescriptor&, const DependencyDescriptor&) = default;
};

inline constexpr size_t MandatoryDescriptorBytes = 3;
inline constexpr size_t MaxDescriptorBytes = 255;  // of any header extension element

// Nothing when the mandatory three bytes are cut short.
std::optional<DependencyDescriptor> parse_dependency_descriptor(Bytes element);

// Puts another frame number into a descriptor that was parsed.
void write_frame_number(MutableBytes element, uint16_t frame_number);

}  // namespace viaduct::rtp
