#include "dpdk/ip/host_counters.h"

namespace viaduct::dpdk::ip {

std::string_view to_string(FrameKind kind) {
  switch (kind) {
    case FrameKind::Media: return "media";
    case FrameKind::ArpRequest: return "arp_request";
    case FrameKind::ArpReply: return "arp_reply";
    case FrameKind::Solicitation: return "neighbour_solicitation";
    case FrameKind::Advertisement: return "neighbour_advertisement";
    case FrameKind::Echo: return "echo";
    case FrameKind::ClosedPort: return "closed_port";
    case FrameKind::PacketTooBig: return "packet_too_big";
    case FrameKind::IcmpError: return "icmp_error";
    case FrameKind::Kernel: return "kernel";
  }
  return "other";
}

std::string_view to_string(FrameDrop reason) {
  switch (reason) {
    case FrameDrop::Malformed: return "malformed";
    case FrameDrop::OtherMac: return "other_mac";
    case FrameDrop::BadMac: return "bad_mac";
    case FrameDrop::OtherVlan: return "other_vlan";
    case FrameDrop::OtherProtocol: return "other_protocol";
    case FrameDrop::OtherAddress: return "other_address";
    case FrameDrop::BadSource: return "bad_source";
    case FrameDrop::Fragment: return "fragment";
    case FrameDrop::ExtensionHeaders: return "extension_headers";
    case FrameDrop::IpChecksum: return "ip_checksum";
    case FrameDrop::UdpChecksum: return "udp_checksum";
    case FrameDrop::NoUdpChecksum: return "no_udp_checksum";
    case FrameDrop::IcmpChecksum: return "icmp_checksum";
    case FrameDrop::TooLong: return "too_long";
    case FrameDrop::OtherWorker: return "other_worker";
    case FrameDrop::RateLimited: return "rate_limited";
    case FrameDrop::NotAsked: return "not_asked";
    case FrameDrop::AddressConflict: return "address_conflict";
    case FrameDrop::NotBelieved: return "not_believed";
    case FrameDrop::NoRoom: return "no_room";
  }
  return "other";
}

std::string_view to_string(OwnFrame kind) {
  switch (kind) {
    case OwnFrame::Announcement: return "announcement";
    case OwnFrame::ArpRequest: return "arp_request";
    case OwnFrame::Solicitation: return "neighbour_solicitation";
  }
  return "other";
}

void HostCounters::visit(MetricVisitor& visitor, std::string_view worker) const {
  const auto each = [&]<typename Kind>(std::string_view name, std::string_view help, std::string_view label, Kind,
                                       const auto& counters) {
    for (size_t i = 0; i < counters.size(); ++i) {
      visitor.counter(name, help, {{"worker", worker}, {label, to_string(static_cast<Kind>(i))}},
                      static_cast<double>(counters[i].value()));
    }
  };
  each("viaduct_dpdk_frames_total", "Ethernet frames received, by what they were.", "kind", FrameKind{}, frames);
  each("viaduct_dpdk_frame_drops_total", "Ethernet frames received and dropped, by reason.", "reason", FrameDrop{},
       dropped);
  each("viaduct_dpdk_own_frames_total", "Announcements and questions about neighbours sent, by kind.", "kind",
       OwnFrame{}, own_frames);
  visitor.counter("viaduct_dpdk_return_paths_total",
                  "Return paths that an authenticated STUN request made or renewed.", {{"worker", worker}},
                  static_cast<double>(paths_confirmed.value()));
  visitor.counter("viaduct_dpdk_fallback_ways_total",
                  "Runs of packets to a peer without a return path: sent by neighbour or gateway.",
                  {{"worker", worker}}, static_cast<double>(fallback_ways.value()));
}

}  // namespace viaduct::dpdk::ip
