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

enum class Refusal : uint8_t {
  None,
  NoRoute,    // nobody is known yet who would take it; who that could be is being asked
  TooLong,    // for the interface's MTU
  NoAddress,  // we have none of the peer's family
};

struct Departure {
  uint8_t header_bytes = 0;  // in front of the payload; 0: it cannot be sent
  uint8_t l2_bytes = 0;      // of them: Ethernet and tag
  uint8_t l3_bytes = 0;      // of them: IP
  bool v6 = false;
  Refusal refused = Refusal::None;
};

class DatagramHeaders {
 public:
  DatagramHeaders() = default;
  // `envelope`: its protocol is UDP.
  DatagramHeaders(const Interface& interface, const Envelope& envelope, uint16_t source_port,
                  uint16_t destination_port);

  // Writes the headers in front of `payload`, where MaxHeaderBytes are overwritten. The packet fits into 64 KiB.
  Departure stamp(uint8_t* payload, size_t length, TxOffloads offloads) const {
    std::memcpy(payload - MaxHeaderBytes, bytes_.data(), MaxHeaderBytes);
    uint8_t* const udp = payload - UdpBytes;
    const auto udp_bytes = static_cast<uint16_t>(UdpBytes + length);
    store_be16(udp + 4, udp_bytes);
    if (made_.v6) {
      store_be16(udp - Ipv6Bytes + 4, udp_bytes);
    } else {
      stamp_v4(udp - Ipv4Bytes, udp_bytes, offloads.ip);
    }
    const uint64_t pseudo = pseudo_sum_ + in_network_order(udp_bytes);
    if (offloads.udp) {
      store_word(udp + 6, fold(pseudo));
      return made_;
    }
    const uint64_t header = ports_sum_ + in_network_order(udp_bytes);
    const uint16_t checksum = checksum_of(pseudo + header + word_sum({payload, length}));
    store_word(udp + 6, checksum == 0 ? 0xffff : checksum);  // 0 means that there is none
    return made_;
  }

  size_t packet_bytes(size_t length) const { return made_.l3_bytes + UdpBytes + length; }  // of an IP packet

 private:
  void stamp_v4(uint8_t* ip, size_t udp_bytes, bool offloaded) const {
    const auto packet_bytes = static_cast<uint16_t>(Ipv4Bytes + udp_bytes);
    store_be16(ip + 2, packet_bytes);
    if (!offloaded) store_word(ip + 10, checksum_of(ip_sum_ + in_network_order(packet_bytes)));
  }

  std::array<uint8_t, MaxHeaderBytes> bytes_{};  // they end where the payload begins; lengths and checksums are 0
  Departure made_;           // handed out as it is: one that is put together anew costs more than all the rest
  uint64_t pseudo_sum_ = 0;  // but for the length
  uint64_t ports_sum_ = 0;
  uint64_t ip_sum_ = 0;      // of an IPv4 header without its length
};

}  // namespace viaduct::dpdk::ip
