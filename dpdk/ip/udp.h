// UDP headers (RFC 768): source port, destination port, length of header and payload, checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace viaduct::dpdk::ip {

inline constexpr size_t UdpBytes = 8;

struct UdpView {
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  size_t bytes = 0;          // header and payload
  bool has_checksum = false;
};

// Of a datagram that may be quoted, and then its payload cut short. Empty when the header is not all there.
inline std::optional<UdpView> parse_udp_header(Bytes datagram) {
  if (datagram.size() < UdpBytes) return std::nullopt;
  const uint8_t* p = datagram.data();
  return UdpView{load_be16(p), load_be16(p + 2), load_be16(p + 4), (p[6] | p[7]) != 0};
}

// Empty as well when the length is not one that fits. What the IP packet holds behind it is no part of it.
inline std::optional<UdpView> parse_udp(Bytes datagram) {
  const auto view = parse_udp_header(datagram);
  return view && view->bytes >= UdpBytes && view->bytes <= datagram.size() ? view : std::nullopt;
}

}  // namespace viaduct::dpdk::ip
