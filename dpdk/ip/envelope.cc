#include "dpdk/ip/envelope.h"

#include "dpdk/ip/ethernet.h"
#include "dpdk/ip/ipv6.h"

namespace viaduct::dpdk::ip {

size_t ip_header_bytes(bool v6) { return v6 ? Ipv6Bytes : Ipv4Bytes; }

size_t envelope_bytes(const Interface& interface, bool v6) {
  return ethernet_bytes(interface.vlan) + ip_header_bytes(v6);
}

size_t write_envelope(uint8_t* out, const Interface& interface, const Envelope& envelope, size_t payload_bytes) {
  const bool v6 = envelope.source.is_v6();
  const uint16_t type = v6 ? ether_type::Ipv6 : ether_type::Ipv4;
  uint8_t* ip = out + write_ethernet(out, envelope.to_mac, interface.mac, interface.vlan, type);
  if (v6) {
    write_ipv6(ip, envelope.protocol, envelope.hop_limit, envelope.source.bytes(), envelope.destination.bytes(),
               payload_bytes);
  } else {
    write_ipv4(ip, envelope.protocol, envelope.source.v4_value(), envelope.destination.v4_value(), payload_bytes);
  }
  return envelope_bytes(interface, v6);
}

uint64_t pseudo_sum(const uint8_t* ip, bool v6, uint8_t protocol, size_t payload_bytes) {
  return v6 ? pseudo_sum_v6(ip, protocol, payload_bytes) : pseudo_sum_v4(ip, protocol, payload_bytes);
}

}  // namespace viaduct::dpdk::ip
