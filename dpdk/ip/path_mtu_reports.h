// News from routers about how long packets to a peer may be (RFC 1191, RFC 8201), until somebody takes them: the latest
// for each peer, and of few peers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/socket_address.h"

namespace viaduct::dpdk::ip {

struct PathMtu {
  SocketAddress peer;
  uint16_t bytes = 0;  // of an IP packet to the peer
  friend bool operator==(const PathMtu&, const PathMtu&) = default;
};

class PathMtuReports {
 public:
  static constexpr size_t Capacity = 16;

  // Where there is no room, the oldest makes it: its router will say it again.
  void put(const PathMtu& report) {
    for (size_t i = 0; i < count_; ++i) {
      if (at(i).peer != report.peer) continue;
      at(i) = report;
      return;
    }
    if (count_ == Capacity) take();
    at(count_++) = report;
  }

  std::optional<PathMtu> take() {
    if (count_ == 0) return std::nullopt;
    const PathMtu report = at(0);
    first_ = (first_ + 1) % Capacity;
    --count_;
    return report;
  }

 private:
  PathMtu& at(size_t i) { return reports_[(first_ + i) % Capacity]; }

  std::array<PathMtu, Capacity> reports_{};
  size_t first_ = 0;
  size_t count_ = 0;
};

}  // namespace viaduct::dpdk::ip
