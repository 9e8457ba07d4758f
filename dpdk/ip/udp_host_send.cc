// What leaves: datagrams, each by the way that its peer has proved or that the interface's networks and gateways give,
// and the host's own frames.
#include <algorithm>

#include "base/check.h"
#include "dpdk/ip/arp.h"
#include "dpdk/ip/neighbour_discovery.h"
#include "dpdk/ip/udp_host.h"

namespace viaduct::dpdk::ip {

Departure UdpHost::send(uint8_t* payload, size_t length, const SocketAddress& peer, Timestamp now) {
  const BindingKind kind = binding_kind(payload, length);
  const bool is_reply = kind == BindingKind::Success || kind == BindingKind::Error;
  if (is_reply || way_to_ != peer) {
    const Refusal refusal = choose_way(payload, kind, peer, now);
    if (refusal != Refusal::None) return {.refused = refusal};
  }
  if (way_.packet_bytes(length) > interface_.mtu) return {.refused = Refusal::TooLong};
  return way_.stamp(payload, length, offloads_);
}

// A STUN response leaves by the way that its request came. Success says that the request was authentic, and that the
// peer's media may go there too.
Refusal UdpHost::choose_way(const uint8_t* payload, BindingKind kind, const SocketAddress& peer, Timestamp now) {
  way_to_.reset();
  if (kind == BindingKind::Error) {
    const auto path = return_paths_.way_of_request(payload, peer);
    if (path) {  // for this one alone: nothing is proved
      prepare(peer, *path);
      return Refusal::None;
    }
  }
  if (kind == BindingKind::Success && return_paths_.confirm(payload, peer)) counters_.paths_confirmed.add();
  Refusal refusal = Refusal::None;
  if (const ReturnPath* path = return_paths_.find(peer)) {
    prepare(peer, *path);
  } else {
    refusal = choose_by_network(peer, now);
  }
  if (refusal == Refusal::None) way_to_ = peer;
  return refusal;
}

// As any host does that has not heard of the peer (RFC 1122 section 3.3.1.1).
Refusal UdpHost::choose_by_network(const SocketAddress& peer, Timestamp now) {
  if (!own_.is_peer(peer.ip) || peer.port == 0) return Refusal::NoRoute;
  const bool v6 = peer.ip.is_v6();
  const InterfaceAddress* on_link = interface_.on_link_with(peer.ip);
  const InterfaceAddress* own = on_link != nullptr ? on_link : interface_.first_of(v6);
  if (own == nullptr) return Refusal::NoAddress;
  const IpAddress* next_hop = on_link != nullptr ? &peer.ip : interface_.gateway_of(v6);
  const auto mac = next_hop != nullptr ? neighbours_.find(*next_hop, now) : std::nullopt;
  if (!mac) return Refusal::NoRoute;
  counters_.fallback_ways.add();
  prepare(peer, {*mac, own_.find(own->ip)});
  return Refusal::None;
}

void UdpHost::prepare(const SocketAddress& peer, const ReturnPath& path) {
  way_ = DatagramHeaders(interface_,
                         {.to_mac = path.mac,
                          .source = interface_.addresses[path.own].ip,
                          .destination = peer.ip,
                          .protocol = ip_protocol::Udp},
                         port_, peer.port);
}

size_t UdpHost::write_own_frame(MutableBytes into, Timestamp now) {
  CHECK(into.size() >= MaxOwnFrameBytes);
  if (now < next_own_frame()) return 0;
  if (const auto index = announcements_.take(now)) {
    counters_.count(OwnFrame::Announcement);
    const IpAddress& own = interface_.addresses[*index].ip;
    return own.is_v6() ? write_unsolicited_advertisement(into.data(), interface_, own.bytes())
                       : write_arp_announcement(into.data(), interface_, own.v4_value());
  }
  way_to_.reset();  // who does not answer is forgotten
  const auto question = neighbours_.next_question(now);
  return question ? write_question(into.data(), *question) : 0;
}

Timestamp UdpHost::next_own_frame() const {
  return std::min(announcements_.next_deadline(), neighbours_.next_deadline());
}

size_t UdpHost::write_question(uint8_t* out, const Neighbours::Question& question) {
  const bool v6 = question.ip.is_v6();
  const InterfaceAddress* on_link = interface_.on_link_with(question.ip);
  const IpAddress& own = (on_link != nullptr ? on_link : interface_.first_of(v6))->ip;
  counters_.count(v6 ? OwnFrame::Solicitation : OwnFrame::ArpRequest);
  return v6 ? write_solicitation(out, interface_, own.bytes(), question.ip.bytes(), question.at)
            : write_arp_request(out, interface_, own.v4_value(), question.ip.v4_value(), question.at);
}

}  // namespace viaduct::dpdk::ip
