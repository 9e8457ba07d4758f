#include "dpdk/ip/ipv6.h"

#include <algorithm>

namespace viaduct::dpdk::ip {
namespace {

namespace extension {
constexpr uint8_t HopByHop = 0;
constexpr uint8_t Routing = 43;
constexpr uint8_t Fragment = 44;
constexpr uint8_t DestinationOptions = 60;
}  // namespace extension

bool is_extension(uint8_t protocol) {
  return protocol == extension::HopByHop || protocol == extension::Routing || protocol == extension::Fragment ||
         protocol == extension::DestinationOptions;
}

// The two highest bits of an unknown option say whether it may be skipped (RFC 8200 section 4.2). Those that we know,
// padding and the router alert, have them zero too.
bool may_skip_options(Bytes options) {
  for (ByteReader reader(options); reader.remaining() > 0;) {
    const uint8_t type = reader.u8();
    if (type >> 6 != 0) return false;
    if (type == 0) continue;  // Pad1 is a byte alone
    reader.skip(reader.u8());
    if (!reader.ok()) return false;
  }
  return true;
}

Ipv6View::Way judge(uint8_t type, Bytes header) {
  switch (type) {
    case extension::Fragment:  // one that is whole is like none (RFC 6946)
      return (load_be16(&header[2]) & 0xfff9) == 0 ? Ipv6View::Way::Open : Ipv6View::Way::Fragment;
    case extension::Routing:   // with nodes left to visit it is for a router (RFC 5095)
      return header[3] == 0 ? Ipv6View::Way::Open : Ipv6View::Way::Closed;
    default:
      return may_skip_options(header.subspan(2)) ? Ipv6View::Way::Open : Ipv6View::Way::Closed;
  }
}

void walk_extensions(Bytes packet, Ipv6View& view) {
  for (size_t walked = 0; is_extension(view.protocol); ++walked) {
    const size_t left = packet.size() - view.header_bytes;
    view.way = Ipv6View::Way::Closed;
    if (walked == MaxExtensionHeaders || left < 8) return;
    const uint8_t* header = packet.data() + view.header_bytes;
    const size_t bytes = view.protocol == extension::Fragment ? 8 : (header[1] + 1u) * 8u;
    if (bytes > left) return;
    view.way = judge(view.protocol, {header, bytes});
    if (view.way == Ipv6View::Way::Closed) return;
    view.header_bytes += bytes;
    view.protocol = header[0];
    if (view.way == Ipv6View::Way::Fragment) return;
  }
}

}  // namespace

std::optional<Ipv6View> parse_ipv6_header(Bytes packet) {
  if (packet.size() < Ipv6Bytes || packet[0] >> 4 != 6) return std::nullopt;
  const uint8_t* p = packet.data();
  Ipv6View view{.header_bytes = Ipv6Bytes,
                .packet_bytes = Ipv6Bytes + load_be16(p + 4),
                .protocol = p[6],
                .hop_limit = p[7]};
  std::memcpy(view.source.data(), p + 8, view.source.size());
  std::memcpy(view.destination.data(), p + 24, view.destination.size());
  if (is_extension(view.protocol)) walk_extensions(packet.first(std::min(packet.size(), view.packet_bytes)), view);
  return view;
}

std::optional<Ipv6View> parse_ipv6(Bytes packet) {
  const auto view = parse_ipv6_header(packet);
  return view && view->packet_bytes <= packet.size() ? view : std::nullopt;
}

bool is_host_v6(const Ipv6Address& address) {
  if (is_multicast_v6(address)) return false;
  const uint64_t high = load_be64(address.data());
  const uint64_t low = load_be64(address.data() + 8);
  return high != 0 || (low > 1 && low >> 32 != 0xffff);
}

Ipv6Address solicited_node(const Ipv6Address& address) {
  return {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, address[13], address[14], address[15]};
}

void write_ipv6(uint8_t* out, uint8_t protocol, uint8_t hop_limit, const Ipv6Address& source,
                const Ipv6Address& destination, size_t payload_bytes) {
  store_be32(out, 0x60000000);
  store_be16(out + 4, static_cast<uint16_t>(payload_bytes));
  out[6] = protocol;
  out[7] = hop_limit;
  std::memcpy(out + 8, source.data(), source.size());
  std::memcpy(out + 24, destination.data(), destination.size());
}

}  // namespace viaduct::dpdk::ip
