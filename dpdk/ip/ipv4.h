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

// Of a packet whose header is all there and makes sense; false when it does not. Reads it when asked, so that nothing
// is copied about.
struct Ipv4View {
  const uint8_t* packet = nullptr;

  explicit operator bool() const { return packet != nullptr; }

  size_t header_bytes() const { return (packet[0] & 0x0fu) * 4u; }  // options included, which nobody here reads
  size_t packet_bytes() const { return load_be16(packet + 2); }     // without what Ethernet pads
  uint8_t protocol() const { return packet[9]; }
  bool is_fragment() const { return (load_be16(packet + 6) & 0x3fff) != 0; }  // more to come, or not the first
  uint32_t source() const { return load_be32(packet + 12); }
  uint32_t destination() const { return load_be32(packet + 16); }
  bool checksum_ok() const {
    uint64_t sum = word_sum_of<Ipv4Bytes>(packet);
    for (size_t i = Ipv4Bytes; i < header_bytes(); i += 4) sum += word_sum_of<4>(packet + i);
    return sums_up(sum);
  }
};

// Of a packet that may be quoted, and then its payload cut short. False when the header is not all there.
inline Ipv4View parse_ipv4_header(Bytes packet) {
  if (packet.size() < Ipv4Bytes || packet[0] >> 4 != 4) return {};
  const Ipv4View view{packet.data()};
  if (view.header_bytes() < Ipv4Bytes || view.header_bytes() > packet.size()) return {};
  return view.packet_bytes() < view.header_bytes() ? Ipv4View{} : view;
}

// False as well when the packet claims to be longer than what is there.
inline Ipv4View parse_ipv4(Bytes packet) {
  const Ipv4View view = parse_ipv4_header(packet);
  return view && view.packet_bytes() <= packet.size() ? view : Ipv4View{};
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
