// What is remembered of each peer, by its address.
//
// A fixed table in sets of a few places. A newcomer takes an empty place of its set or else the last one, and moves
// forward each time it is heard again: a flood of forged addresses pushes out other newcomers, not the peers that keep
// talking.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "base/socket_address.h"

namespace viaduct {

template <typename Value, size_t Sets>
class PeerTable {
 public:
  PeerTable() : sets_(Sets) {}

  // `peer` has a port.
  void learn(const SocketAddress& peer, const Value& value) {
    Set& set = sets_[index_of(peer)];
    size_t i = 0;
    while (i < Places && set[i].peer != peer && set[i].peer.port != 0) ++i;  // empty places are the last ones
    if (i == Places) {
      set.back() = {peer, value};
      return;
    }
    const bool is_newcomer = set[i].peer != peer;
    set[i] = {peer, value};
    if (!is_newcomer && i > 0) std::swap(set[i], set[i - 1]);
  }

  // Null for a peer that was never heard or has been pushed out.
  const Value* find(const SocketAddress& peer) const {
    for (const Entry& entry : sets_[index_of(peer)]) {
      if (entry.peer == peer) return &entry.value;
    }
    return nullptr;
  }

  static constexpr size_t capacity() { return Sets * Places; }

 private:
  static constexpr size_t Places = 4;

  struct Entry {
    SocketAddress peer;  // port 0 in an empty place
    Value value;
  };
  using Set = std::array<Entry, Places>;

  static size_t index_of(const SocketAddress& peer) { return std::hash<SocketAddress>{}(peer) % Sets; }

  std::vector<Set> sets_;
};

}  // namespace viaduct
