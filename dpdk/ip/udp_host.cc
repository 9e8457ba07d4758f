// The way of nearly every frame: from Ethernet by IP to UDP, without a look at anything else.
#include "dpdk/ip/udp_host.h"

#include <algorithm>

#include "base/check.h"
#include "dpdk/ip/udp.h"
#include "limits.h"

namespace viaduct::dpdk::ip {
namespace {

constexpr size_t OtherNeighbours = 64;
constexpr double EchoesPerSecond = 100;
constexpr double ErrorsPerSecond = 100;

// Those that we have an address to ask from.
std::vector<IpAddress> reachable_gateways(const Interface& interface) {
  std::vector<IpAddress> gateways;
  std::copy_if(interface.gateways.begin(), interface.gateways.end(), std::back_inserter(gateways),
               [&](const IpAddress& ip) { return interface.first_of(ip.is_v6()) != nullptr; });
  return gateways;
}

}  // namespace

UdpHost::UdpHost(const Interface& interface, uint16_t port, TxOffloads offloads, bool announces)
    : interface_(interface),
      port_(port),
      offloads_(offloads),
      own_(interface),
      neighbours_(reachable_gateways(interface), OtherNeighbours),
      announcements_(announces ? interface.addresses.size() : 0),
      echoes_(EchoesPerSecond),
      errors_(ErrorsPerSecond) {}

Arrival UdpHost::receive(MutableBytes buffer, size_t length, RxChecksums checksums, Timestamp now) {
  CHECK(length <= buffer.size());
  const EthernetView ethernet = parse_ethernet(buffer.first(length));
  if (!ethernet) return drop(FrameDrop::Malformed);
  const uint8_t* to = buffer.data();
  const uint8_t* from = to + MacBytes;
  const bool to_our_mac = is_mac(to, interface_.mac);
  if (!to_our_mac && !is_multicast_mac(to)) return drop(FrameDrop::OtherMac);
  if (is_multicast_mac(from) || is_mac(from, interface_.mac)) return drop(FrameDrop::BadMac);
  if (ethernet.vlan() != interface_.vlan) return leave(FrameDrop::OtherVlan);
  const Frame frame{buffer, length, ethernet.header_bytes(), to_our_mac, checksums, now};
  switch (ethernet.type()) {
    case ether_type::Ipv4: return receive_v4(frame);
    case ether_type::Ipv6: return receive_v6(frame);
    case ether_type::Arp: return receive_arp(frame);
    default: return leave(FrameDrop::OtherProtocol);
  }
}

[[gnu::always_inline]] inline Arrival UdpHost::receive_v4(const Frame& frame) {
  const Bytes packet = frame.from(frame.ip);
  const Ipv4View ip = parse_ipv4(packet);
  if (!ip) return drop(FrameDrop::Malformed);
  const OwnIndex own = own_.find(ip.destination());
  if (own == NotOurs) return leave(FrameDrop::OtherAddress);
  if (!frame.to_our_mac) return drop(FrameDrop::OtherMac);  // RFC 1122 section 3.3.6
  const Verified checksum = frame.checksums.ip;
  if (checksum == Verified::Bad || (checksum == Verified::Unknown && !ip.checksum_ok())) {
    return drop(FrameDrop::IpChecksum);
  }
  if (!own_.is_peer(ip.source())) return drop(FrameDrop::BadSource);
  if (ip.is_fragment()) return receive_fragment(ip.protocol());
  const Transport transport = frame.transport(ip.header_bytes(), ip.packet_bytes(), own, false);
  if (ip.protocol() == ip_protocol::Udp) return receive_udp(frame, transport);
  if (ip.protocol() == ip_protocol::Icmp) return receive_icmp_v4(frame, transport);
  return leave(FrameDrop::OtherProtocol);
}

Arrival UdpHost::receive_v6(const Frame& frame) {
  const Ipv6View ip = parse_ipv6(frame.from(frame.ip));
  if (!ip) return drop(FrameDrop::Malformed);
  const OwnIndex own = own_.find(ip.destination());
  const bool is_icmp = ip.protocol == ip_protocol::Icmpv6;
  if (own == NotOurs) {
    const bool is_for_neighbours = ip.destination() == AllNodes || own_.is_asked_at(ip.destination());
    if (!is_for_neighbours || !is_icmp) return leave(FrameDrop::OtherAddress);
  } else if (!frame.to_our_mac) {
    return drop(FrameDrop::OtherMac);
  }
  // Who does not have an address yet may still ask whether it can have ours.
  if (!own_.is_peer(ip.source()) && !(is_icmp && ip.source() == Ipv6Address{})) return drop(FrameDrop::BadSource);
  if (ip.way == Ipv6View::Way::Fragment) return receive_fragment(ip.protocol);
  if (ip.way == Ipv6View::Way::Closed) return leave(FrameDrop::ExtensionHeaders);
  const Transport transport = frame.transport(ip.header_bytes, ip.packet_bytes(), own, true);
  if (ip.protocol == ip_protocol::Udp) return receive_udp(frame, transport);
  if (is_icmp) return receive_icmp_v6(frame, transport, ip);
  return leave(FrameDrop::OtherProtocol);
}

[[gnu::always_inline]] inline Arrival UdpHost::receive_udp(const Frame& frame, const Transport& transport) {
  const UdpView udp = parse_udp(frame.from(transport.offset).first(transport.bytes));
  if (!udp) return drop(FrameDrop::Malformed);
  const uint16_t port = udp.destination_port();
  if (port != port_ && interface_.kernel_behind && !interface_.is_media_port(port)) return pass_on(FrameKind::Kernel);
  if (!udp.has_checksum()) {
    if (transport.v6) return drop(FrameDrop::NoUdpChecksum);  // RFC 8200 section 8.1
  } else if (!udp_checksum_ok(frame, transport, udp.bytes())) {
    return drop(FrameDrop::UdpChecksum);
  }
  if (udp.source_port() == 0) return drop(FrameDrop::BadSource);
  if (port != port_) return receive_udp_elsewhere(frame, transport, port);
  const size_t length = udp.bytes() - UdpBytes;
  if (length > limits::MaxPacketBytes) return drop(FrameDrop::TooLong);
  const size_t offset = transport.offset + UdpBytes;
  const uint8_t* datagram = frame.buffer.data() + offset;
  if (binding_kind(datagram, length) == BindingKind::Request) {
    const SocketAddress peer{frame.source(transport.v6), udp.source_port()};
    return_paths_.remember_request(datagram, peer, {frame.sender(), transport.own});
  }
  counters_.count(FrameKind::Media);
  return {Arrival::Verdict::Media, offset, length, frame.source(transport.v6), udp.source_port()};
}

bool UdpHost::udp_checksum_ok(const Frame& frame, const Transport& transport, size_t udp_bytes) const {
  if (frame.checksums.udp != Verified::Unknown) return frame.checksums.udp == Verified::Good;
  const uint64_t pseudo =
      pseudo_sum(frame.buffer.data() + frame.ip, transport.v6, ip_protocol::Udp, udp_bytes);
  return sums_up(pseudo + word_sum(frame.from(transport.offset).first(udp_bytes)));
}

// Media is never cut, and the kernel shall not complain about media that is: it gets no fragments of UDP.
Arrival UdpHost::receive_fragment(uint8_t protocol) {
  return protocol == ip_protocol::Udp ? drop(FrameDrop::Fragment) : leave(FrameDrop::Fragment);
}

Arrival UdpHost::drop(FrameDrop reason) {
  counters_.count(reason);
  return {Arrival::Verdict::Drop};
}

Arrival UdpHost::leave(FrameDrop reason) {
  return interface_.kernel_behind ? pass_on(FrameKind::Kernel) : drop(reason);
}

}  // namespace viaduct::dpdk::ip
