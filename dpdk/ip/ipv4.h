// IPv4 headers (RFC 791).
//
//   0               1               2               3
//  | version | IHL | DSCP, ECN     | total length                  |
//  | identification                | flags, fragment offset        |
//  | time to live  | protocol      | header checksum               |
//  | source                                                        |
//  | destination                                                   |
//  then options up to IHL words
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/bytes.h"
#include "dpdk/ip/checksum.h"

namespace viaduct::dpdk::ip {

inline constexpr size_t Ipv4Bytes = 20;
inline constexpr uint8_t HopsToLive = 64;

namespace ip_protocol {
inline constexpr uint8_t Icmp = 1;
inline constexpr uint8_t Udp = 17;
inline constexpr uint8_t Icmpv6 = 58;
}  // namespace ip_protocol

struct Ipv4View {
  size_t header_bytes = 0;  // options included, which nobody here reads
  size_t packet_bytes = 0;  // header and payload, without what Ethernet pads
  uint8_t protocol = 0;
  bool is_fragment = false;
  uint32_t source = 0;
  uint32_t destination = 0;
};

// Of a packet that may be quoted, and then its payload cut short. Empty when the header is not all there.
inline std::optional<Ipv4View> parse_ipv4_header(Bytes packet) {
  if (packet.size() < Ipv4Bytes || packet[0] >> 4 != 4) return std::nullopt;
  const uint8_t* p = packet.data();
  const Ipv4View view{.header_bytes = (p[0] & 0x0fu) * 4u,
                      .packet_bytes = load_be16(p + 2),
                      .protocol = p[9],
                      .is_fragment = (load_be16(p + 6) & 0x3fff) != 0,  // more fragments, or not the first
                      .source = load_be32(p + 12),
                      .destination = load_be32(p + 16)};
  if (view.header_bytes < Ipv4Bytes || view.header_bytes > packet.size()) return std::nullopt;
  if (view.packet_bytes < view.header_bytes) return std::nullopt;
  return view;
}

// Empty as well when the packet claims to be longer than what is there.
inline std::optional<Ipv4View> parse_ipv4(Bytes packet) {
  const auto view = parse_ipv4_header(packet);
  return view && view->packet_bytes <= packet.size() ? view : std::nullopt;
}

inline bool ipv4_checksum_ok(const uint8_t* packet, const Ipv4View& view) {
  uint64_t sum = word_sum_of<Ipv4Bytes>(packet);
  for (size_t i = Ipv4Bytes; i < view.header_bytes; i += 4) sum += word_sum_of<4>(packet + i);
  return sums_up(sum);
}

// Whether a host can have it: neither a network's own, nor loopback, multicast, reserved or broadcast (RFC 1122 section
// 3.2.1.3). Broadcasts to the networks that we are on are for OwnAddresses to know.
constexpr bool is_host_v4(uint32_t address) {
  const uint32_t first = address >> 24;
  return first != 0 && first != 127 && first < 224;
}

// Source, destination, protocol and length, as they go into the checksums of UDP.
inline uint64_t pseudo_sum_v4(const uint8_t* packet, uint8_t protocol, size_t payload_bytes) {
  return word_sum_of<8>(packet + 12) + in_network_order(protocol) +
         in_network_order(static_cast<uint16_t>(payload_bytes));
}

// A header without options, not to be fragmented (the identification is then free to be 0: RFC 6864 section 4.1).
inline void write_ipv4(uint8_t* out, uint8_t protocol, uint32_t source, uint32_t destination, size_t payload_bytes) {
  store_be32(out, 0x45000000u | static_cast<uint32_t>(Ipv4Bytes + payload_bytes));
  store_be32(out + 4, 0x00004000);
  out[8] = HopsToLive;
  out[9] = protocol;
  store_word(out + 10, 0);
  store_be32(out + 12, source);
  store_be32(out + 16, destination);
  store_word(out + 10, checksum_of(word_sum_of<Ipv4Bytes>(out)));
}

}  // namespace viaduct::dpdk::ip
