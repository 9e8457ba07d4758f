#include "dpdk/ip/datagram_headers.h"

namespace viaduct::dpdk::ip {

DatagramHeaders::DatagramHeaders(const Interface& interface, const Envelope& envelope, uint16_t source_port,
                                 uint16_t destination_port)
    : v6_(envelope.source.is_v6()) {
  l3_bytes_ = static_cast<uint8_t>(ip_header_bytes(v6_));
  l2_bytes_ = static_cast<uint8_t>(envelope_bytes(interface, v6_) - l3_bytes_);
  uint8_t* const udp = bytes_.data() + MaxHeaderBytes - UdpBytes;
  uint8_t* const ip = udp - l3_bytes_;
  write_envelope(ip - l2_bytes_, interface, envelope, 0);
  store_be16(udp, source_port);
  store_be16(udp + 2, destination_port);
  pseudo_sum_ = pseudo_sum(ip, v6_, ip_protocol::Udp, 0);
  ports_sum_ = word_sum_of<4>(udp);
  if (v6_) return;
  store_be16(ip + 2, 0);
  store_word(ip + 10, 0);
  ip_sum_ = word_sum_of<Ipv4Bytes>(ip);
}

}  // namespace viaduct::dpdk::ip
