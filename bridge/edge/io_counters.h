// What a PacketIo counts. Any edge that moves packets fills the same numbers, so that one dashboard fits all of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/counters.h"

namespace viaduct::edge {

// Why a packet handed to send() did not leave.
enum class SendRefusal : uint8_t {
  BufferFull,    // the socket buffer or the device queue has no room; retrying would block
  Unreachable,   // no route to the peer
  TooLong,       // larger than the path MTU allows
  NotPermitted,  // a firewall rule, or a broadcast address
  NoSocket,      // nothing is bound for the peer's address family
  Other,
};
inline constexpr size_t SendRefusals = 6;
std::string_view to_string(SendRefusal reason);

struct IoCounters {
  Counter packets_received;
  Counter bytes_received;    // UDP payload
  Counter batches_received;  // calls that brought at least one packet
  Counter packets_sent;
  Counter packets_segmented; // of those sent: cut by the kernel or the device out of one datagram (UDP GSO)
  Counter bytes_sent;
  Counter batches_sent;      // system calls that took at least one packet
  std::array<Counter, SendRefusals> refused;
  Counter kernel_drops;      // lost in a full socket receive buffer
  Counter truncated;         // longer than limits::MaxPacketBytes
  Counter pool_dry;          // times that a buffer was wanted and none was free
  Gauge pool_free;
  Gauge pool_size;

  void refuse(SendRefusal reason, size_t packets = 1) { refused[static_cast<size_t>(reason)].add(packets); }
  // Describes every number as viaduct_io_*, labelled with the worker.
  void visit(MetricVisitor& visitor, std::string_view worker) const;
};

}  // namespace viaduct::edge
