#include "protocol/rtp/red_writer.h"

#include <algorithm>

namespace viaduct::rtp {

size_t write_red_front(MutableBytes to, uint8_t block_payload_type, uint32_t timestamp_offset, Bytes block) {
  if (timestamp_offset > MaxRedTimestampOffset || block.size() > MaxRedBlockBytes) return 0;
  const size_t bytes = red_front_bytes(block.size());
  if (to.size() < bytes) return 0;
  const uint32_t type = block_payload_type & 0x7fu;
  store_be32(to.data(), 0x80000000u | type << 24 | timestamp_offset << 10 | static_cast<uint32_t>(block.size()));
  to[RedBlockHeaderBytes] = static_cast<uint8_t>(type);
  std::ranges::copy(block, to.data() + RedBlockHeaderBytes + RedPrimaryHeaderBytes);
  return bytes;
}

}  // namespace viaduct::rtp
