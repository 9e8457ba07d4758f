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
#include <optional>

#include "base/bytes.h"
#include "base/socket_address.h"
#include "dpdk/ip/checksum.h"
#include "dpdk/ip/ipv4.h"

namespace viaduct::dpdk::ip {

inline constexpr size_t Ipv6Bytes = 40;
inline constexpr size_t MaxExtensionHeaders = 8;

using Ipv6Address = std::array<uint8_t, 16>;

struct Ipv6View {
  enum class Way : uint8_t {
    Open,      // `protocol` stands at header_bytes
    Fragment,  // one of several; `protocol` is that of the whole
    Closed,    // extension headers that must not be passed over, too many of them, or cut short
  };
  Way way = Way::Open;
  size_t header_bytes = 0;  // extension headers included
  size_t packet_bytes = 0;  // all of it, without what Ethernet pads
  uint8_t protocol = 0;
  uint8_t hop_limit = 0;
  Ipv6Address source{};
  Ipv6Address destination{};
};

// Of a packet that may be quoted, and then cut short. Empty when the header is not all there.
std::optional<Ipv6View> parse_ipv6_header(Bytes packet);

// Empty as well when the packet claims to be longer than what is there.
std::optional<Ipv6View> parse_ipv6(Bytes packet);

inline bool is_multicast_v6(const Ipv6Address& address) { return address[0] == 0xff; }

// Whether a host can have it: not multicast, unspecified, loopback or IPv4's (RFC 4291 section 2.5).
bool is_host_v6(const Ipv6Address& address);

// ff02::1:ffXX:XXXX, where who has an address is asked (RFC 4291 section 2.7.1), and the multicast MAC for it (RFC 2464
// section 7).
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
