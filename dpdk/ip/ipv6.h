// IPv6 headers and what may stand between them and the payload (RFC 8200).
//
//   0               1               2               3
//  | version, traffic class, flow label                            |
//  | payload length                | next header   | hop limit     |
//  | source (16 bytes)                                             |
//  | destination (16 bytes)                                        |
//  then extension headers
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"
#include "base/socket_address.h"
#include "dpdk/ip/checksum.h"
#include "dpdk/ip/ipv4.h"

namespace viaduct::dpdk::ip {

inline constexpr size_t Ipv6Bytes = 40;
inline constexpr size_t MaxExtensionHeaders = 8;

using Ipv6Address = std::array<uint8_t, 16>;

inline Ipv6Address address_at(const uint8_t* p) {
  Ipv6Address address;
  std::memcpy(address.data(), p, address.size());
  return address;
}

// Of a packet whose header is all there; false when it is not.
struct Ipv6View {
  enum class Way : uint8_t {
    Open,      // `protocol` stands at header_bytes
    Fragment,  // one of several; `protocol` is that of the whole
    Closed,    // extension headers that must not be passed over, too many of them, or cut short
  };
  const uint8_t* packet = nullptr;
  size_t header_bytes = Ipv6Bytes;  // extension headers included
  uint8_t protocol = 0;
  Way way = Way::Open;

  explicit operator bool() const { return packet != nullptr; }
  size_t packet_bytes() const { return Ipv6Bytes + load_be16(packet + 4); }  // without what Ethernet pads
  uint8_t hop_limit() const { return packet[7]; }
  Ipv6Address source() const { return address_at(packet + 8); }
  Ipv6Address destination() const { return address_at(packet + 24); }
};

namespace extension {
inline constexpr uint8_t HopByHop = 0;
inline constexpr uint8_t Routing = 43;
inline constexpr uint8_t Fragment = 44;
inline constexpr uint8_t DestinationOptions = 60;
}  // namespace extension

constexpr bool is_extension(uint8_t protocol) {
  return protocol == extension::HopByHop || protocol == extension::Routing || protocol == extension::Fragment ||
         protocol == extension::DestinationOptions;
}

// Goes on to what stands behind the extension headers, as far as `packet` has them.
Ipv6View behind_extensions(Bytes packet, Ipv6View view);

// Of a packet that may be quoted, and then cut short. False when the header is not all there.
inline Ipv6View parse_ipv6_header(Bytes packet) {
  if (packet.size() < Ipv6Bytes || packet[0] >> 4 != 6) return {};
  const Ipv6View view{.packet = packet.data(), .protocol = packet[6]};
  return is_extension(view.protocol) ? behind_extensions(packet, view) : view;
}

// False as well when the packet claims to be longer than what is there.
inline Ipv6View parse_ipv6(Bytes packet) {
  Ipv6View view = parse_ipv6_header(packet);
  if (view && view.packet_bytes() > packet.size()) view.packet = nullptr;
  return view;
}

inline bool is_multicast_v6(const Ipv6Address& address) { return address[0] == 0xff; }

// Whether a host can have it: not multicast, unspecified, loopback or IPv4's (RFC 4291 section 2.5).
bool is_host_v6(const Ipv6Address& address);

// Of ff02::1:ff00:0/104, where who has an address is asked (RFC 4291 section 2.7.1), and the multicast MAC for it (RFC
// 2464 section 7).
Ipv6Address solicited_node(const Ipv6Address& address);
inline constexpr Ipv6Address AllNodes{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

// Source, destination, protocol and length, as they go into the checksums of UDP and ICMPv6 (RFC 8200 section 8.1).
inline uint64_t pseudo_sum_v6(const uint8_t* packet, uint8_t protocol, size_t payload_bytes) {
  return word_sum_of<32>(packet + 8) + in_network_order(protocol) +
         in_network_order(static_cast<uint16_t>(payload_bytes));
}

void write_ipv6(uint8_t* out, uint8_t protocol, uint8_t hop_limit, const Ipv6Address& source,
                const Ipv6Address& destination, size_t payload_bytes);

}  // namespace viaduct::dpdk::ip
