// Neighbour solicitations and advertisements (RFC 4861), which are to IPv6 what ARP is to IPv4.
//
//   0               1               2               3
//  | type: 135, 136| code: 0       | checksum                      |
//  | advertisements: router, solicited, override; reserved         |
//  | target (16 bytes)                                             |
//  then options: type, length in units of 8 bytes, value
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "dpdk/ip/interface.h"
#include "dpdk/ip/ipv6.h"

namespace viaduct::dpdk::ip {

inline constexpr size_t NeighbourMessageBytes = 32;  // as we write them, with one option

struct Solicitation {
  Ipv6Address target{};
};

struct Advertisement {
  Ipv6Address target{};
  bool overrides = false;          // what is known already
  std::optional<MacAddress> mac;
};

// Empty for what RFC 4861 section 7.1 says to discard. `message`: the ICMPv6 message, whose checksum has been verified.
std::optional<Solicitation> parse_solicitation(Bytes message, const Ipv6View& ip);
std::optional<Advertisement> parse_advertisement(Bytes message, const Ipv6View& ip);

// These write a frame and return its size. There is room for MaxOwnFrameBytes.

// Asks at the target's multicast address, or with `at` just the neighbour who had it when last asked.
size_t write_solicitation(uint8_t* out, const Interface& interface, const Ipv6Address& own, const Ipv6Address& target,
                          const std::optional<MacAddress>& at);
// Answers `asker`, or everyone where that has no address yet (RFC 4861 section 7.2.4).
size_t write_advertisement(uint8_t* out, const Interface& interface, const Ipv6Address& own, const Ipv6Address& asker,
                           const MacAddress& asker_mac);
size_t write_unsolicited_advertisement(uint8_t* out, const Interface& interface, const Ipv6Address& own);

}  // namespace viaduct::dpdk::ip
