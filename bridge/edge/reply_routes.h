// Remembers which of the host's addresses each peer talks to, so that replies leave from there. A peer that was pushed
// out is answered from the kernel's choice of address until its next packet.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/peer_table.h"
#include "base/socket_address.h"
#include "limits.h"

namespace viaduct::edge {

struct ReplyRoute {
  IpAddress source;
  uint32_t socket = 0;  // index of the socket that heard the peer
  friend bool operator==(const ReplyRoute&, const ReplyRoute&) = default;
};

inline constexpr size_t ReplyRouteSets = 4096;

using ReplyRoutes = PeerTable<ReplyRoute, ReplyRouteSets>;
static_assert(ReplyRoutes::capacity() >= 4 * limits::EndpointsPerWorker, "sparse, so that sets rarely fill");

}  // namespace viaduct::edge
