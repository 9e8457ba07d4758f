// ICMP (RFC 792, RFC 1122 section 3.2.2) and ICMPv6 (RFC 4443): echo, port unreachable, packet too big.
//
//   0               1               2               3
//  | type          | code          | checksum                      |
//  | identifier and sequence number, or the next hop's MTU, or 0   |
//  then what is to be echoed, or the packet that the error is about
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/socket_address.h"
#include "dpdk/ip/interface.h"

namespace viaduct::dpdk::ip {

inline constexpr size_t IcmpBytes = 8;

namespace icmp_type {
inline constexpr uint8_t EchoReply = 0;
inline constexpr uint8_t Unreachable = 3;
inline constexpr uint8_t SourceQuench = 4;
inline constexpr uint8_t Redirect = 5;
inline constexpr uint8_t Echo = 8;
inline constexpr uint8_t TimeExceeded = 11;
inline constexpr uint8_t ParameterProblem = 12;
}  // namespace icmp_type

namespace icmpv6_type {
inline constexpr uint8_t Unreachable = 1;
inline constexpr uint8_t PacketTooBig = 2;
inline constexpr uint8_t FirstInformation = 128;  // those below are errors
inline constexpr uint8_t Echo = 128;
inline constexpr uint8_t EchoReply = 129;
inline constexpr uint8_t Solicitation = 135;
inline constexpr uint8_t Advertisement = 136;
}  // namespace icmpv6_type

bool is_icmp_error(uint8_t type, bool v6);
bool is_echo_request(Bytes message, bool v6);

// The datagram that an ICMP or ICMPv6 error is about.
struct Quote {
  SocketAddress from;
  SocketAddress to;
  size_t packet_bytes = 0;  // of its IP packet
};

// Empty when what is quoted is no UDP datagram, or a fragment, or cut before its ports. `message`: from the type on.
std::optional<Quote> parse_quote(Bytes message, bool v6);

// The MTU that an error says a packet was too big for; empty when it is another error, or IPv4's tells nothing and the
// packet could not have been smaller (RFC 1191 section 5, RFC 4443 section 3.2).
std::optional<size_t> parse_too_big(Bytes message, bool v6, const Quote& quote);

// Writes the checksum into an ICMP message that follows the IP header at `ip`.
void write_icmp_checksum(const uint8_t* ip, bool v6, MutableBytes message);

// Who is answered, and where.
struct Correspondents {
  MacAddress peer_mac;
  IpAddress own;
  IpAddress peer;
};

// These turn the frame in `buffer` into an answer and return its size, or 0 where that would not fit into the buffer or
// the MTU. The message to echo, or the packet that is complained about, stands at `offset`, `bytes` long.
size_t write_echo_reply(MutableBytes buffer, const Interface& interface, const Correspondents& who, size_t offset,
                        size_t bytes);
size_t write_port_unreachable(MutableBytes buffer, const Interface& interface, const Correspondents& who,
                              size_t offset, size_t bytes);

}  // namespace viaduct::dpdk::ip
