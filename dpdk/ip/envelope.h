// Ethernet and IP headers of a packet that the host makes itself.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/socket_address.h"
#include "dpdk/ip/interface.h"
#include "dpdk/ip/ipv4.h"

namespace viaduct::dpdk::ip {

struct Envelope {
  MacAddress to_mac;
  IpAddress source;
  IpAddress destination;  // of the same family
  uint8_t protocol = 0;
  uint8_t hop_limit = HopsToLive;  // of IPv6; IPv4 has always the same
};

size_t ip_header_bytes(bool v6);
size_t envelope_bytes(const Interface& interface, bool v6);

// Writes envelope_bytes() bytes and returns how many.
size_t write_envelope(uint8_t* out, const Interface& interface, const Envelope& envelope, size_t payload_bytes);

// The sum of the pseudo-header of such a packet (RFC 768, RFC 8200 section 8.1). `ip`: its IP header.
uint64_t pseudo_sum(const uint8_t* ip, bool v6, uint8_t protocol, size_t payload_bytes);

}  // namespace viaduct::dpdk::ip
