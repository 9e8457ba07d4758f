#include "dpdk/ip/datagram_headers.h"

namespace viaduct::dpdk::ip {

DatagramHeaders::DatagramHeaders(const Interface& interface, const Envelope& envelope, uint16_t source_port,
                                 uint16_t destination_port) {
  made_.v6 = envelope.source.is_v6();
  made_.l3_bytes = static_cast<uint8_t>(ip_header_bytes(made_.v6));
  made_.l2_bytes = static_cast<uint8_t>(envelope_bytes(interface, made_.v6) - made_.l3_bytes);
  made_.header_bytes = static_cast<uint8_t>(made_.l2_bytes + made_.l3_bytes + UdpBytes);
  uint8_t* const udp = bytes_.data() + MaxHeaderBytes - UdpBytes;
  uint8_t* const ip = udp - made_.l3_bytes;
  write_envelope(ip - made_.l2_bytes, interface, envelope, 0);
  store_be16(udp, source_port);
  store_be16(udp + 2, destination_port);
  pseudo_sum_ = pseudo_sum(ip, made_.v6, ip_protocol::Udp, 0);
  ports_sum_ = word_sum_of<4>(udp);
  if (made_.v6) return;
  store_be16(ip + 2, 0);
  store_word(ip + 10, 0);
  ip_sum_ = word_sum_of<Ipv4Bytes>(ip);
}

}  // namespace viaduct::dpdk::ip
