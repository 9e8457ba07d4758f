#include "dpdk/ip/classify.h"

#include <algorithm>
#include <optional>

#include "dpdk/ip/ethernet.h"
#include "dpdk/ip/icmp.h"
#include "dpdk/ip/ipv4.h"
#include "dpdk/ip/ipv6.h"
#include "dpdk/ip/udp.h"

namespace viaduct::dpdk::ip {
namespace {

constexpr size_t ArpOperationOffset = 6;
constexpr uint16_t ArpReply = 2;

Destination at_port(uint16_t port, const Interface& interface) {
  if (!interface.is_media_port(port)) return {};
  return {Target::Worker, static_cast<uint16_t>(port - interface.first_media_port)};
}

Destination classify_datagram(Bytes datagram, const IpAddress& to, const Interface& interface) {
  const UdpView udp = parse_udp_header(datagram);
  return udp && interface.find(to) != nullptr ? at_port(udp.destination_port(), interface) : Destination{};
}

Destination classify_icmp(Bytes message, bool v6, const Interface& interface) {
  if (message.size() < IcmpBytes) return {};
  if (v6 && message[0] == icmpv6_type::Advertisement) return {Target::Everyone};
  if (!is_icmp_error(message[0], v6)) return {};
  const auto quote = parse_quote(message, v6);
  return quote && interface.find(quote->from.ip) != nullptr ? at_port(quote->from.port, interface) : Destination{};
}

Destination classify_v4(Bytes packet, const Interface& interface) {
  const Ipv4View ip = parse_ipv4_header(packet);
  if (!ip || ip.is_fragment()) return {};
  const Bytes payload = packet.first(std::min(packet.size(), ip.packet_bytes())).subspan(ip.header_bytes());
  if (ip.protocol() == ip_protocol::Udp) return classify_datagram(payload, IpAddress::v4(ip.destination()), interface);
  return ip.protocol() == ip_protocol::Icmp ? classify_icmp(payload, false, interface) : Destination{};
}

Destination classify_v6(Bytes packet, const Interface& interface) {
  const Ipv6View ip = parse_ipv6_header(packet);
  if (!ip || ip.way != Ipv6View::Way::Open) return {};
  const Bytes payload = packet.first(std::min(packet.size(), ip.packet_bytes())).subspan(ip.header_bytes);
  if (ip.protocol == ip_protocol::Udp) return classify_datagram(payload, IpAddress::v6(ip.destination()), interface);
  return ip.protocol == ip_protocol::Icmpv6 ? classify_icmp(payload, true, interface) : Destination{};
}

}  // namespace

Destination classify(Bytes frame, const Interface& interface) {
  const EthernetView ethernet = parse_ethernet(frame);
  if (!ethernet || ethernet.vlan() != interface.vlan) return {};
  const Bytes packet = frame.subspan(ethernet.header_bytes());
  switch (ethernet.type()) {
    case ether_type::Ipv4: return classify_v4(packet, interface);
    case ether_type::Ipv6: return classify_v6(packet, interface);
    case ether_type::Arp: {
      const bool is_reply =
          packet.size() >= ArpOperationOffset + 2 && load_be16(&packet[ArpOperationOffset]) == ArpReply;
      return is_reply ? Destination{Target::Everyone} : Destination{};
    }
    default: return {};
  }
}

}  // namespace viaduct::dpdk::ip
