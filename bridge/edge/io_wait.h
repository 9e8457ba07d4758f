// How an edge over sockets waits for packets.
#pragma once

#include <cstdint>

namespace viaduct::edge {

enum class IoWait : uint8_t {
  Block,     // sleeps in the kernel until a packet comes: an idle worker costs next to nothing
  Adaptive,  // looks again and again for a moment before it sleeps, as long as packets come thick
  Poll,      // never sleeps, not even to let packets gather: a whole core, for the shortest way
};

}  // namespace viaduct::edge
