// What is remembered of each peer, by its address.
//
// A fixed table in sets of a few places. A newcomer takes the last place of its set and moves forward each time it is
// heard again: a flood of forged addresses pushes out other newcomers, not the peers that keep talking.
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

  void learn(const SocketAddress& peer, const Value& value) {
    Set& set = sets_[index_of(peer)];
    for (size_t i = 0; i < Places; ++i) {
      if (set[i].peer != peer) continue;
      set[i].value = value;
      if (i > 0) std::swap(set[i], set[i - 1]);
      return;
    }
    set.back() = {peer, value};
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
