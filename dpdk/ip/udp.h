// UDP headers (RFC 768): source port, destination port, length of header and payload, checksum.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace viaduct::dpdk::ip {

inline constexpr size_t UdpBytes = 8;

// Of a datagram whose header is all there; false when it is not. Reads it when asked, so that nothing is copied about.
struct UdpView {
  const uint8_t* datagram = nullptr;

  explicit operator bool() const { return datagram != nullptr; }

  uint16_t source_port() const { return load_be16(datagram); }
  uint16_t destination_port() const { return load_be16(datagram + 2); }
  size_t bytes() const { return load_be16(datagram + 4); }  // header and payload
  bool has_checksum() const { return (datagram[6] | datagram[7]) != 0; }
};

// Of a datagram that may be quoted, and then its payload cut short. False when the header is not all there.
inline UdpView parse_udp_header(Bytes datagram) {
  return datagram.size() < UdpBytes ? UdpView{} : UdpView{datagram.data()};
}

// False as well when the length is not one that fits. What the IP packet holds behind it is no part of it.
inline UdpView parse_udp(Bytes datagram) {
  const UdpView view = parse_udp_header(datagram);
  return view && view.bytes() >= UdpBytes && view.bytes() <= datagram.size() ? view : UdpView{};
}

}  // namespace viaduct::dpdk::ip
