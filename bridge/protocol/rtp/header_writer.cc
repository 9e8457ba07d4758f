#include "protocol/rtp/header_writer.h"

#include <optional>

#include "protocol/rtp/packet.h"

namespace viaduct::rtp {
namespace {

struct Layout {
  bool two_byte = false;
  size_t element_bytes = 0;  // padded to a multiple of 4; 0 = no extension
};

size_t total_bytes(const Layout& layout) {
  return FixedHeaderBytes + (layout.element_bytes > 0 ? 4 + layout.element_bytes : 0);
}

// Nothing when an element fits neither form.
std::optional<Layout> lay_out(std::span<const ExtensionElement> elements) {
  Layout layout;
  size_t bytes = 0;
  for (const ExtensionElement& element : elements) {
    if (element.id == 0 || element.data.size() > 255) return std::nullopt;
    if (element.id > 14 || element.data.empty() || element.data.size() > 16) layout.two_byte = true;
    bytes += 1 + element.data.size();
  }
  if (layout.two_byte) bytes += elements.size();
  layout.element_bytes = (bytes + 3) & ~size_t{3};
  if (total_bytes(layout) > 0xffff) return std::nullopt;  // what HeaderView can tell of
  return layout;
}

uint8_t* write_element(uint8_t* at, const ExtensionElement& element, bool two_byte) {
  const auto bytes = static_cast<uint8_t>(element.data.size());
  if (two_byte) {
    *at++ = element.id;
    *at++ = bytes;
  } else {
    *at++ = static_cast<uint8_t>((element.id << 4) | (bytes - 1));
  }
  if (bytes > 0) std::memcpy(at, element.data.data(), bytes);
  return at + bytes;
}

}  // namespace

size_t header_bytes(std::span<const ExtensionElement> elements) {
  const std::optional<Layout> layout = lay_out(elements);
  return layout ? total_bytes(*layout) : 0;
}

size_t write_header(MutableBytes out, const HeaderFields& fields, std::span<const ExtensionElement> elements) {
  const std::optional<Layout> layout = lay_out(elements);
  if (!layout || total_bytes(*layout) > out.size()) return 0;
  const bool has_extension = layout->element_bytes > 0;

  uint8_t* at = out.data();
  at[0] = static_cast<uint8_t>(0x80 | (fields.padding ? 0x20 : 0) | (has_extension ? 0x10 : 0));
  at[1] = static_cast<uint8_t>((fields.marker ? 0x80 : 0) | (fields.payload_type & 0x7f));
  store_be16(at + 2, fields.sequence);
  store_be32(at + 4, fields.timestamp);
  store_be32(at + 8, fields.ssrc);
  at += FixedHeaderBytes;
  if (has_extension) {
    store_be16(at, layout->two_byte ? TwoByteProfile : OneByteProfile);
    store_be16(at + 2, static_cast<uint16_t>(layout->element_bytes / 4));
    at += 4;
    uint8_t* const end = at + layout->element_bytes;
    for (const ExtensionElement& element : elements) at = write_element(at, element, layout->two_byte);
    while (at < end) *at++ = 0;
  }
  return total_bytes(*layout);
}

}  // namespace viaduct::rtp
