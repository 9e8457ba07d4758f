// Ethernet frames as peers, routers and strangers send them, and a strict reader of those that we send.
//
// Written byte by byte, one word of a checksum after the other, and sharing no code with dpdk/ip: what that gets wrong
// is not wrong here in the same way.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/socket_address.h"
#include "dpdk/ip/mac_address.h"

namespace viaduct::testing {

using dpdk::ip::MacAddress;
using Octets = std::vector<uint8_t>;

inline constexpr MacAddress OurMac{{2, 0, 0, 0, 0, 1}};
inline constexpr MacAddress PeerMac{{2, 0, 0, 0, 0, 2}};
inline constexpr MacAddress RouterMac{{2, 0, 0, 0, 0, 3}};

IpAddress ip(std::string_view text);
SocketAddress at(std::string_view address, uint16_t port);
Octets octets(std::string_view text);

// The checksum of RFC 1071 over both parts, the first of an even size.
uint16_t naive_checksum(Bytes first, Bytes second = {});

// An IP packet in a frame. What is not named is as an ordinary host has it.
struct IpFrame {
  IpAddress from;
  IpAddress to;
  uint8_t protocol = 0;
  Octets payload;
  MacAddress from_mac = PeerMac;
  MacAddress to_mac = OurMac;
  std::optional<uint16_t> tag;      // 802.1Q: priority and VLAN
  uint8_t hops = 57;
  Octets options;                   // of IPv4; a multiple of four
  uint16_t fragment = 0x4000;       // of IPv4: flags and offset
  Octets extensions;                // of IPv6, each with its own next header but the last's, which is `protocol`
  uint8_t first_extension = 0;      // the type of the first
  size_t padding = 0;               // behind the packet, as Ethernet has it

  Octets build() const;
};

// Payloads of such a packet, checksums included.
Octets udp_datagram(const SocketAddress& from, const SocketAddress& to, Bytes payload, bool with_checksum = true);
Octets icmp_message(const IpAddress& from, const IpAddress& to, uint8_t type, uint8_t code, uint32_t rest, Bytes body);

// The whole frame, for what most tests send.
IpFrame udp_frame(const SocketAddress& from, const SocketAddress& to, Bytes payload);
IpFrame icmp_frame(const IpAddress& from, const IpAddress& to, uint8_t type, uint8_t code, uint32_t rest, Bytes body);
Octets arp_frame(uint16_t operation, const MacAddress& sender_mac, const IpAddress& sender, const IpAddress& target,
                 const MacAddress& to_mac = dpdk::ip::Broadcast);
// `option`: 1 source, 2 target link-layer address of `mac`; 0: none.
IpFrame solicitation_frame(const IpAddress& from, const IpAddress& to, const IpAddress& target, uint8_t option,
                           const MacAddress& mac);
IpFrame advertisement_frame(const IpAddress& from, const IpAddress& to, const IpAddress& target, uint32_t flags,
                            uint8_t option, const MacAddress& mac);

// Makes the checksums right again of a frame that somebody changed, as far as it can still be read as IP.
void mend_checksums(Octets& frame);

// STUN, with a transaction id made from a number.
Octets binding_request(uint32_t transaction);
Octets binding_response(uint32_t transaction, bool success);

// A frame read and found sound: lengths add up, checksums are right, nothing stands behind the packet.
struct ReadFrame {
  MacAddress to_mac;
  MacAddress from_mac;
  std::optional<uint16_t> tag;
  uint16_t type = 0;
  Octets body;  // of ARP; IP: its payload
  IpAddress from;
  IpAddress to;
  uint8_t protocol = 0;
  uint8_t hops = 0;
  uint16_t fragment = 0;
  // UDP
  uint16_t from_port = 0;
  uint16_t to_port = 0;
  Octets datagram;
};

struct ReadResult {
  std::optional<ReadFrame> frame;
  std::string why;  // there is none
};
ReadResult read_frame(Bytes frame);

}  // namespace viaduct::testing
