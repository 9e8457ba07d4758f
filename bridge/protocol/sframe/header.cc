#include "protocol/sframe/header.h"

namespace viaduct::sframe {
namespace {

constexpr uint64_t InConfiguration = 7;  // the greatest number that needs no bytes of its own

uint64_t read_number(ByteReader& reader, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; ++i) value = value << 8 | reader.u8();
  return value;
}

bool is_shortest(uint64_t value, size_t bytes) {
  return bytes == 1 ? value > InConfiguration : value >> (8 * (bytes - 1)) != 0;
}

}  // namespace

std::optional<Header> parse_header(Bytes frame) {
  ByteReader reader(frame);
  const uint8_t configuration = reader.u8();
  const size_t key_id_bytes = (configuration & 0x80) != 0 ? ((configuration >> 4) & 7u) + 1 : 0;
  const size_t counter_bytes = (configuration & 0x08) != 0 ? (configuration & 7u) + 1 : 0;
  Header header;
  header.key_id = key_id_bytes > 0 ? read_number(reader, key_id_bytes) : (configuration >> 4) & 7u;
  header.counter = counter_bytes > 0 ? read_number(reader, counter_bytes) : configuration & 7u;
  if (!reader.ok()) return std::nullopt;
  if (key_id_bytes > 0 && !is_shortest(header.key_id, key_id_bytes)) return std::nullopt;
  if (counter_bytes > 0 && !is_shortest(header.counter, counter_bytes)) return std::nullopt;
  header.counter_bytes = static_cast<uint8_t>(counter_bytes);
  header.header_bytes = static_cast<uint8_t>(1 + key_id_bytes + counter_bytes);
  return header;
}

}  // namespace viaduct::sframe
