// The headers of datagrams to one peer, made ready once and stamped in front of each payload.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dpdk/ip/checksum.h"
#include "dpdk/ip/envelope.h"
#include "dpdk/ip/interface.h"
#include "dpdk/ip/ipv4.h"
#include "dpdk/ip/ipv6.h"
#include "dpdk/ip/offloads.h"
#include "dpdk/ip/udp.h"

namespace viaduct::dpdk::ip {

class DatagramHeaders {
 public:
  DatagramHeaders() = default;
  // `envelope`: its protocol is UDP.
  DatagramHeaders(const Interface& interface, const Envelope& envelope, uint16_t source_port,
                  uint16_t destination_port);

  // Writes the headers in front of `payload`, where MaxHeaderBytes are overwritten. The packet fits into 64 KiB.
  void stamp(uint8_t* payload, size_t length, TxOffloads offloads) const {
    std::memcpy(payload - MaxHeaderBytes, bytes_.data(), MaxHeaderBytes);
    uint8_t* const udp = payload - UdpBytes;
    const auto udp_bytes = static_cast<uint16_t>(UdpBytes + length);
    store_be16(udp + 4, udp_bytes);
    if (v6_) {
      store_be16(udp - Ipv6Bytes + 4, udp_bytes);
    } else {
      stamp_v4(udp - Ipv4Bytes, udp_bytes, offloads.ip);
    }
    const uint64_t pseudo = pseudo_sum_ + in_network_order(udp_bytes);
    if (offloads.udp) {
      store_word(udp + 6, fold(pseudo));
      return;
    }
    const uint64_t header = ports_sum_ + in_network_order(udp_bytes);
    const uint16_t checksum = checksum_of(pseudo + header + word_sum({payload, length}));
    store_word(udp + 6, checksum == 0 ? 0xffff : checksum);  // 0 means that there is none
  }

  bool v6() const { return v6_; }
  uint8_t bytes() const { return static_cast<uint8_t>(l2_bytes_ + l3_bytes_ + UdpBytes); }
  uint8_t l2_bytes() const { return l2_bytes_; }
  uint8_t l3_bytes() const { return l3_bytes_; }

 private:
  void stamp_v4(uint8_t* ip, size_t udp_bytes, bool offloaded) const {
    const auto packet_bytes = static_cast<uint16_t>(Ipv4Bytes + udp_bytes);
    store_be16(ip + 2, packet_bytes);
    if (!offloaded) store_word(ip + 10, checksum_of(ip_sum_ + in_network_order(packet_bytes)));
  }

  std::array<uint8_t, MaxHeaderBytes> bytes_{};  // they end where the payload begins; lengths and checksums are 0
  bool v6_ = false;
  uint8_t l2_bytes_ = 0;
  uint8_t l3_bytes_ = 0;
  uint64_t pseudo_sum_ = 0;  // but for the length
  uint64_t ports_sum_ = 0;
  uint64_t ip_sum_ = 0;      // of an IPv4 header without its length
};

}  // namespace viaduct::dpdk::ip
