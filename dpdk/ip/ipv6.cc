#include "dpdk/ip/ipv6.h"

#include <algorithm>

namespace viaduct::dpdk::ip {
namespace {

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

}  // namespace

Ipv6View behind_extensions(Bytes packet, Ipv6View view) {
  packet = packet.first(std::min(packet.size(), view.packet_bytes()));
  for (size_t walked = 0; is_extension(view.protocol); ++walked) {
    const size_t left = packet.size() - view.header_bytes;
    view.way = Ipv6View::Way::Closed;
    if (walked == MaxExtensionHeaders || left < 8) return view;
    const uint8_t* header = packet.data() + view.header_bytes;
    const size_t bytes = view.protocol == extension::Fragment ? 8 : (header[1] + 1u) * 8u;
    if (bytes > left) return view;
    view.way = judge(view.protocol, {header, bytes});
    if (view.way == Ipv6View::Way::Closed) return view;
    view.header_bytes += bytes;
    view.protocol = header[0];
    if (view.way == Ipv6View::Way::Fragment) return view;
  }
  return view;
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
