#include "protocol/rtp/dependency_descriptor.h"

namespace viaduct::rtp {

std::optional<DependencyDescriptor> parse_dependency_descriptor(Bytes element) {
  if (element.size() < MandatoryDescriptorBytes) return std::nullopt;
  return DependencyDescriptor{
      .start_of_frame = (element[0] & 0x80) != 0,
      .end_of_frame = (element[0] & 0x40) != 0,
      .template_id = static_cast<uint8_t>(element[0] & 0x3f),
      .frame_number = load_be16(&element[1]),
      .structure_present = element.size() > MandatoryDescriptorBytes && (element[3] & 0x80) != 0,
  };
}

void write_frame_number(MutableBytes element, uint16_t frame_number) { store_be16(&element[1], frame_number); }

}  // namespace viaduct::rtp
