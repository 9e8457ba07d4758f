// One UDP datagram in a buffer that belongs to an edge (edge/packet_io.h). A small value; copying it copies no bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/socket_address.h"
#include "base/time.h"

namespace viaduct {

// | headroom ... | data: length bytes | tailroom ... |
struct Packet {
  uint8_t* buffer = nullptr;   // start of the buffer; null in an empty Packet
  uint32_t buffer_bytes = 0;
  uint32_t offset = 0;         // where the datagram starts in the buffer
  uint32_t length = 0;         // bytes in the datagram
  uint64_t owner = 0;          // the edge's own note (pool index, mbuf); the holder keeps it as it is
  SocketAddress peer;          // who sent it, or where it goes
  Timestamp arrival;           // when it was received; zero for a packet made here

  explicit operator bool() const { return buffer != nullptr; }
  MutableBytes bytes() const { return {buffer + offset, length}; }
  size_t headroom() const { return offset; }
  size_t tailroom() const { return buffer_bytes - offset - length; }
};

}  // namespace viaduct
