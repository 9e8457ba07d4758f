#include "dpdk/ip/icmp.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dpdk/ip/checksum.h"
#include "dpdk/ip/envelope.h"
#include "dpdk/ip/ipv6.h"
#include "dpdk/ip/udp.h"

namespace viaduct::dpdk::ip {
namespace {

constexpr uint8_t PortUnreachable = 3;
constexpr uint8_t PortUnreachableV6 = 4;
constexpr uint8_t FragmentationNeeded = 4;

// An error quotes as much as fits into a packet that any path carries (RFC 1812 section 4.3.2.3, RFC 4443 section 2.4).
constexpr size_t ErrorPacketBytes = 576;
constexpr size_t ErrorPacketBytesV6 = 1280;

// What routers that do not tell their MTU are likely to have (RFC 1191 section 7), for packets as we send them.
constexpr std::array<size_t, 9> Plateaus{17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68};

std::optional<Quote> quote_of(Bytes datagram, const IpAddress& from, const IpAddress& to, size_t packet_bytes) {
  const UdpView udp = parse_udp_header(datagram);
  if (!udp) return std::nullopt;
  return Quote{{from, udp.source_port()}, {to, udp.destination_port()}, packet_bytes};
}

// Moves the body behind the headers that an answer gets. Returns where it then stands, or 0.
size_t make_room(MutableBytes buffer, const Interface& interface, bool v6, size_t offset, size_t bytes,
                 size_t in_front) {
  const size_t at = envelope_bytes(interface, v6) + in_front;
  if (at + bytes > buffer.size() || ip_header_bytes(v6) + in_front + bytes > interface.mtu) return 0;
  std::memmove(&buffer[at], &buffer[offset], bytes);
  return at;
}

// Returns where the message begins.
size_t write_icmp_envelope(uint8_t* out, const Interface& interface, const Correspondents& who, size_t message_bytes) {
  const uint8_t protocol = who.own.is_v6() ? ip_protocol::Icmpv6 : ip_protocol::Icmp;
  return write_envelope(
      out, interface,
      {.to_mac = who.peer_mac, .source = who.own, .destination = who.peer, .protocol = protocol}, message_bytes);
}

}  // namespace

bool is_icmp_error(uint8_t type, bool v6) {
  if (v6) return type < icmpv6_type::FirstInformation;
  return type == icmp_type::Unreachable || type == icmp_type::SourceQuench || type == icmp_type::Redirect ||
         type == icmp_type::TimeExceeded || type == icmp_type::ParameterProblem;
}

bool is_echo_request(Bytes message, bool v6) {
  return message[0] == (v6 ? icmpv6_type::Echo : icmp_type::Echo) && message[1] == 0;
}

std::optional<Quote> parse_quote(Bytes message, bool v6) {
  if (message.size() < IcmpBytes) return std::nullopt;
  const Bytes packet = message.subspan(IcmpBytes);
  if (v6) {
    const Ipv6View ip = parse_ipv6_header(packet);
    if (!ip || ip.way != Ipv6View::Way::Open || ip.protocol != ip_protocol::Udp) return std::nullopt;
    return quote_of(packet.subspan(ip.header_bytes), IpAddress::v6(ip.source()), IpAddress::v6(ip.destination()),
                    ip.packet_bytes());
  }
  const Ipv4View ip = parse_ipv4_header(packet);
  if (!ip || ip.is_fragment() || ip.protocol() != ip_protocol::Udp) return std::nullopt;
  return quote_of(packet.subspan(ip.header_bytes()), IpAddress::v4(ip.source()), IpAddress::v4(ip.destination()),
                  ip.packet_bytes());
}

std::optional<size_t> parse_too_big(Bytes message, bool v6, const Quote& quote) {
  if (v6) {
    if (message[0] != icmpv6_type::PacketTooBig) return std::nullopt;
    return load_be32(&message[4]);
  }
  if (message[0] != icmp_type::Unreachable || message[1] != FragmentationNeeded) return std::nullopt;
  if (const size_t mtu = load_be16(&message[6]); mtu != 0) return mtu;
  const auto plateau =
      std::find_if(Plateaus.begin(), Plateaus.end(), [&](size_t bytes) { return bytes < quote.packet_bytes; });
  return plateau == Plateaus.end() ? std::nullopt : std::optional(*plateau);
}

void write_icmp_checksum(const uint8_t* ip, bool v6, MutableBytes message) {
  store_word(&message[2], 0);
  const uint64_t pseudo = v6 ? pseudo_sum_v6(ip, ip_protocol::Icmpv6, message.size()) : 0;
  store_word(&message[2], checksum_of(pseudo + word_sum(message)));
}

size_t write_echo_reply(MutableBytes buffer, const Interface& interface, const Correspondents& who, size_t offset,
                        size_t bytes) {
  const bool v6 = who.own.is_v6();
  const size_t at = make_room(buffer, interface, v6, offset, bytes, 0);
  if (at == 0) return 0;
  write_icmp_envelope(buffer.data(), interface, who, bytes);
  // The type changes, and nothing else under the checksum: source and destination of IPv6 change places.
  uint8_t* message = &buffer[at];
  const uint16_t before = load_word(message);
  message[0] = v6 ? icmpv6_type::EchoReply : icmp_type::EchoReply;
  store_word(message + 2, changed(load_word(message + 2), before, load_word(message)));
  return at + bytes;
}

size_t write_port_unreachable(MutableBytes buffer, const Interface& interface, const Correspondents& who,
                              size_t offset, size_t bytes) {
  const bool v6 = who.own.is_v6();
  const size_t most = (v6 ? ErrorPacketBytesV6 : ErrorPacketBytes) - ip_header_bytes(v6) - IcmpBytes;
  const size_t quoted = std::min(bytes, most);
  if (make_room(buffer, interface, v6, offset, quoted, IcmpBytes) == 0) return 0;
  const size_t at = write_icmp_envelope(buffer.data(), interface, who, IcmpBytes + quoted);
  uint8_t* message = &buffer[at];
  message[0] = v6 ? icmpv6_type::Unreachable : icmp_type::Unreachable;
  message[1] = v6 ? PortUnreachableV6 : PortUnreachable;
  std::memset(message + 2, 0, IcmpBytes - 2);
  write_icmp_checksum(&buffer[at - ip_header_bytes(v6)], v6, {message, IcmpBytes + quoted});
  return at + IcmpBytes + quoted;
}

}  // namespace viaduct::dpdk::ip
