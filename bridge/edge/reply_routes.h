// Remembers which of the host's addresses each peer talks to, so that replies leave from there.
//
// A fixed table in sets of a few places. A newcomer takes the last place of its set and moves forward each time it is
// heard again: a flood of forged addresses pushes out other newcomers, not the peers that keep talking. A peer that was
// pushed out is answered from the kernel's choice of address until its next packet.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/socket_address.h"
#include "limits.h"

namespace viaduct::edge {

class ReplyRoutes {
 public:
  struct Route {
    IpAddress source;
    uint32_t socket = 0;  // index of the socket that heard the peer
    friend bool operator==(const Route&, const Route&) = default;
  };

  ReplyRoutes() : sets_(Sets) {}

  void learn(const SocketAddress& peer, const Route& route) {
    Set& set = set_of(peer);
    for (size_t i = 0; i < Places; ++i) {
      if (set[i].peer != peer) continue;
      set[i].route = route;
      if (i > 0) std::swap(set[i], set[i - 1]);
      return;
    }
    set.back() = {peer, route};
  }

  // Null for a peer that was never heard or has been pushed out.
  const Route* find(const SocketAddress& peer) const {
    for (const Entry& entry : sets_[index_of(peer)]) {
      if (entry.peer == peer) return &entry.route;
    }
    return nullptr;
  }

  static constexpr size_t capacity() { return Sets * Places; }

 private:
  static constexpr size_t Places = 4;
  static constexpr size_t Sets = 4096;
  static_assert(Sets * Places >= 4 * limits::EndpointsPerWorker, "sparse, so that sets rarely fill");

  struct Entry {
    SocketAddress peer;  // port 0 in an empty place
    Route route;
  };
  using Set = std::array<Entry, Places>;

  static size_t index_of(const SocketAddress& peer) { return std::hash<SocketAddress>{}(peer) % Sets; }
  Set& set_of(const SocketAddress& peer) { return sets_[index_of(peer)]; }

  std::vector<Set> sets_;
};

}  // namespace viaduct::edge
