// The frames that are not media: questions that are answered, answers that are learnt from, errors that are believed.
#include <algorithm>

#include "dpdk/ip/arp.h"
#include "dpdk/ip/neighbour_discovery.h"
#include "dpdk/ip/udp_host.h"

namespace viaduct::dpdk::ip {
namespace {

// What any path carries (RFC 1122 section 3.3.3, RFC 8200 section 5): nobody can talk us into less.
constexpr size_t LeastMtu = 576;
constexpr size_t LeastMtuV6 = 1280;

}  // namespace

Arrival UdpHost::receive_arp(const Frame& frame) {
  const auto arp = parse_arp(frame.from(frame.ip));
  if (!arp) return leave(FrameDrop::Malformed);
  if (arp->sender_mac.is_multicast() || arp->sender_mac == interface_.mac) return drop(FrameDrop::BadMac);
  if (own_.find(arp->sender) != NotOurs) return drop(FrameDrop::AddressConflict);
  if (arp->is_reply) {
    if (!own_.is_peer(arp->sender)) return drop(FrameDrop::BadSource);
    return learn(IpAddress::v4(arp->sender), arp->sender_mac, true, FrameKind::ArpReply, frame.now);
  }
  if (own_.find(arp->target) == NotOurs) return leave(FrameDrop::OtherAddress);
  // Who asks from 0.0.0.0 wants to know whether the address is free (RFC 5227 section 2.1.1).
  if (arp->sender != 0 && !own_.is_peer(arp->sender)) return drop(FrameDrop::BadSource);
  if (frame.buffer.size() < MaxOwnFrameBytes) return drop(FrameDrop::NoRoom);
  return answer(FrameKind::ArpRequest, write_arp_reply(frame.buffer.data(), interface_, arp->target, *arp));
}

Arrival UdpHost::receive_udp_elsewhere(const Frame& frame, const Transport& transport, uint16_t port) {
  if (interface_.is_media_port(port)) return drop(FrameDrop::OtherWorker);
  if (!errors_.take(frame.now)) return drop(FrameDrop::RateLimited);
  return answer(FrameKind::ClosedPort,
                write_port_unreachable(frame.buffer, interface_, correspondents(frame, transport), frame.ip,
                                       transport.packet_bytes));
}

Arrival UdpHost::receive_icmp_v4(const Frame& frame, const Transport& transport) {
  const Bytes message = frame.from(transport.offset).first(transport.bytes);
  if (message.size() < IcmpBytes) return drop(FrameDrop::Malformed);
  const bool is_echo = is_echo_request(message, false);
  if (!is_echo && !is_icmp_error(message[0], false)) return leave(FrameDrop::OtherProtocol);
  if (!sums_up(word_sum(message))) return drop(FrameDrop::IcmpChecksum);
  return is_echo ? receive_echo(frame, transport) : receive_icmp_error(frame, transport);
}

Arrival UdpHost::receive_icmp_v6(const Frame& frame, const Transport& transport, const Ipv6View& ip) {
  const Bytes message = frame.from(transport.offset).first(transport.bytes);
  if (message.size() < IcmpBytes) return drop(FrameDrop::Malformed);
  const uint8_t type = message[0];
  const bool is_solicitation = type == icmpv6_type::Solicitation;
  const bool is_advertisement = type == icmpv6_type::Advertisement;
  const bool is_to_us_alone = is_icmp_error(type, true) || is_echo_request(message, true);
  if (!is_solicitation && !is_advertisement && !is_to_us_alone) return leave(FrameDrop::OtherProtocol);
  if (is_to_us_alone && transport.own == NotOurs) return leave(FrameDrop::OtherAddress);
  const uint64_t pseudo = pseudo_sum_v6(&frame.buffer[frame.ip], ip_protocol::Icmpv6, message.size());
  if (!sums_up(pseudo + word_sum(message))) return drop(FrameDrop::IcmpChecksum);
  if (is_solicitation) return receive_solicitation(frame, message, ip);
  if (ip.source() == Ipv6Address{}) return drop(FrameDrop::BadSource);
  if (is_advertisement) return receive_advertisement(frame, message, ip);
  return is_icmp_error(type, true) ? receive_icmp_error(frame, transport) : receive_echo(frame, transport);
}

Arrival UdpHost::receive_echo(const Frame& frame, const Transport& transport) {
  if (!echoes_.take(frame.now)) return drop(FrameDrop::RateLimited);
  return answer(FrameKind::Echo, write_echo_reply(frame.buffer, interface_, correspondents(frame, transport),
                                                  transport.offset, transport.bytes));
}

// An error is believed when it is about a datagram that we could have sent: from our port, to a peer that has proved
// itself. That a packet was too big for less than its own length is a lie.
Arrival UdpHost::receive_icmp_error(const Frame& frame, const Transport& transport) {
  const Bytes message = frame.from(transport.offset).first(transport.bytes);
  const bool v6 = transport.v6;
  const auto quote = parse_quote(message, v6);
  if (!quote || own_.find(quote->from.ip) == NotOurs || !interface_.is_media_port(quote->from.port)) {
    return leave(FrameDrop::NotBelieved);
  }
  if (quote->from.port != port_) return drop(FrameDrop::OtherWorker);
  if (return_paths_.find(quote->to) == nullptr) return drop(FrameDrop::NotBelieved);
  const auto mtu = parse_too_big(message, v6, *quote);
  if (!mtu) return consume(FrameKind::IcmpError);
  if (*mtu >= quote->packet_bytes || *mtu >= interface_.mtu) return drop(FrameDrop::NotBelieved);
  path_mtus_.put({quote->to, static_cast<uint16_t>(std::max(*mtu, v6 ? LeastMtuV6 : LeastMtu))});
  return consume(FrameKind::PacketTooBig);
}

Arrival UdpHost::receive_solicitation(const Frame& frame, Bytes message, const Ipv6View& ip) {
  const auto solicitation = parse_solicitation(message, ip);
  if (!solicitation) return drop(FrameDrop::Malformed);
  if (own_.find(solicitation->target) == NotOurs) return leave(FrameDrop::OtherAddress);
  if (frame.buffer.size() < MaxOwnFrameBytes) return drop(FrameDrop::NoRoom);
  return answer(FrameKind::Solicitation, write_advertisement(frame.buffer.data(), interface_, solicitation->target,
                                                             ip.source(), frame.sender()));
}

Arrival UdpHost::receive_advertisement(const Frame& frame, Bytes message, const Ipv6View& ip) {
  const auto advertisement = parse_advertisement(message, ip);
  if (!advertisement) return drop(FrameDrop::Malformed);
  if (own_.find(advertisement->target) != NotOurs) return drop(FrameDrop::AddressConflict);
  // Without a MAC it says that the one we asked alone is still there (RFC 4861 section 4.4).
  const MacAddress mac = advertisement->mac.value_or(frame.sender());
  if (mac.is_multicast() || mac == interface_.mac) return drop(FrameDrop::BadMac);
  return learn(IpAddress::v6(advertisement->target), mac, advertisement->overrides && advertisement->mac,
               FrameKind::Advertisement, frame.now);
}

Arrival UdpHost::learn(const IpAddress& ip, const MacAddress& mac, bool overrides, FrameKind kind, Timestamp now) {
  const bool learned = neighbours_.learn(ip, mac, overrides, now);
  if (!learned) return leave(FrameDrop::NotAsked);  // it may be the kernel's question
  way_to_.reset();
  return interface_.kernel_behind ? pass_on(kind) : consume(kind);
}

Arrival UdpHost::consume(FrameKind kind) {
  counters_.count(kind);
  return {Arrival::Verdict::Drop};
}

Arrival UdpHost::pass_on(FrameKind kind) {
  counters_.count(kind);
  return {Arrival::Verdict::Kernel};
}

Arrival UdpHost::answer(FrameKind kind, size_t bytes) {
  if (bytes == 0) return drop(FrameDrop::NoRoom);
  counters_.count(kind);
  return {Arrival::Verdict::Answer, 0, bytes};
}

Correspondents UdpHost::correspondents(const Frame& frame, const Transport& transport) const {
  return {frame.sender(), interface_.addresses[transport.own].ip, frame.source(transport.v6)};
}

}  // namespace viaduct::dpdk::ip
