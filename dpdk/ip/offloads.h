// What a device does about checksums, and how much room headers take.
#pragma once

#include <cstddef>
#include <cstdint>

namespace viaduct::dpdk::ip {

// What it says of one that has arrived.
enum class Verified : uint8_t { Unknown, Good, Bad };
struct RxChecksums {
  Verified ip = Verified::Unknown;
  Verified udp = Verified::Unknown;
};

// Those that it fills in. The IP header's is then left zero, UDP's holds the sum of the pseudo-header.
struct TxOffloads {
  bool ip = false;
  bool udp = false;
};

inline constexpr size_t MaxHeaderBytes = 14 + 4 + 40 + 8;     // Ethernet, tag, IPv6, UDP
inline constexpr size_t MaxOwnFrameBytes = 14 + 4 + 40 + 32;  // a neighbour solicitation

}  // namespace viaduct::dpdk::ip
