// Classic pcap files (draft-ietf-opsawg-pcap), either byte order, micro- or nanoseconds:
//
//   | magic: 4 | version: 4 | zone: 4 | accuracy: 4 | snap length: 4 | link type: 4 |
//   and for each packet  | seconds: 4 | fraction: 4 | captured length: 4 | length on the wire: 4 |
//   frame |
// RTP is looked for in UDP over IPv4 and IPv6, behind Ethernet, Linux' cooked headers, BSD's
// loopback, or nothing.
#include <array>
#include <optional>

#include "tests/load/recording.h"

namespace viaduct::load {
namespace {

constexpr size_t FileHeaderBytes = 24;
constexpr size_t PacketHeaderBytes = 16;
constexpr size_t UdpHeaderBytes = 8;
constexpr uint8_t Udp = 17;

enum LinkType : uint32_t { Null = 0, Ethernet = 1, Raw = 101, LinuxSll = 113, LinuxSll2 = 276 };
enum EtherType : uint16_t { Ipv4 = 0x0800, Vlan = 0x8100, Ipv6 = 0x86dd, ServiceVlan = 0x88a8 };

struct Format {
  bool little_endian = false;
  bool nanoseconds = false;
};

std::optional<Format> format_of(Bytes file) {
  if (file.size() < FileHeaderBytes) return std::nullopt;
  switch (load_be32(file.data())) {
    case 0xa1b2c3d4:
      return Format{false, false};
    case 0xd4c3b2a1:
      return Format{true, false};
    case 0xa1b23c4d:
      return Format{false, true};
    case 0x4d3cb2a1:
      return Format{true, true};
    default:
      return std::nullopt;
  }
}

uint32_t load32(const Format& format, const uint8_t* p) {
  return format.little_endian ? __builtin_bswap32(load_be32(p)) : load_be32(p);
}

// The IP packet in a captured frame; empty when it holds none.
Bytes ip_in(Bytes frame, uint32_t link_type) {
  ByteReader in(frame);
  uint16_t type = 0;
  switch (link_type) {
    case Ethernet:
      in.skip(12);
      for (type = in.be16(); type == Vlan || type == ServiceVlan; type = in.be16()) in.skip(2);
      break;
    case LinuxSll:
      in.skip(14);
      type = in.be16();
      break;
    case LinuxSll2:
      type = in.be16();
      in.skip(18);
      break;
    case Null:
      in.skip(4);
      type = Ipv4;
      break;
    case Raw:
      type = Ipv4;
      break;
    default:
      return {};
  }
  const bool ip = type == Ipv4 || type == Ipv6;
  return in.ok() && ip ? in.rest() : Bytes{};
}

// The UDP header and what was captured behind it; empty for other protocols and for fragments.
Bytes udp_in(Bytes ip) {
  if (ip.empty()) return {};
  if (ip[0] >> 4 == 6) return ip.size() > 40 && ip[6] == Udp ? ip.subspan(40) : Bytes{};
  const size_t header = size_t{4} * (ip[0] & 0x0f);
  if (ip[0] >> 4 != 4 || header < 20 || ip.size() < header || ip[9] != Udp) return {};
  const bool fragment = (load_be16(&ip[6]) & 0x3fff) != 0;
  return fragment ? Bytes{} : ip.subspan(header);
}

}  // namespace

bool is_pcap(Bytes file) { return format_of(file).has_value(); }

Result<std::vector<RecordedPacket>> parse_pcap(Bytes file) {
  const auto format = format_of(file);
  if (!format) return Error{ErrorCode::InvalidArgument, "It is no pcap file."};
  const uint32_t link_type = load32(*format, &file[20]) & 0x0fffffff;
  std::vector<RecordedPacket> packets;
  Bytes rest = file.subspan(FileHeaderBytes);
  while (rest.size() >= PacketHeaderBytes) {
    const auto seconds = std::chrono::seconds(load32(*format, &rest[0]));
    const int64_t fraction = load32(*format, &rest[4]);
    const size_t captured = load32(*format, &rest[8]);
    rest = rest.subspan(PacketHeaderBytes);
    if (captured > rest.size()) break;
    const Bytes udp = udp_in(ip_in(rest.first(captured), link_type));
    rest = rest.subspan(captured);
    if (udp.size() < UdpHeaderBytes) continue;
    const size_t udp_bytes = load_be16(&udp[4]);
    if (udp_bytes < UdpHeaderBytes) continue;
    const Duration at = seconds + Duration(format->nanoseconds ? fraction : fraction * 1000);
    add_recorded(udp.subspan(UdpHeaderBytes), udp_bytes - UdpHeaderBytes, at, packets);
  }
  return packets;
}

}  // namespace viaduct::load
