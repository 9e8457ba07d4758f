// What the UDP/IP host knows about the network interface it answers for. All workers share one, and nobody changes it
// once packets flow.
#pragma once

#include <cstdint>
#include <vector>

#include "base/interface_address.h"
#include "dpdk/ip/mac_address.h"

namespace viaduct::dpdk::ip {

struct Interface {
  MacAddress mac;
  uint16_t vlan = 0;                        // IEEE 802.1Q; 0: frames are untagged
  std::vector<InterfaceAddress> addresses;  // ours; the first of a family is what we speak from unasked
  std::vector<IpAddress> gateways;          // at most one of each family
  uint16_t mtu = 1500;                      // bytes of an IP packet
  uint16_t first_media_port = 0;            // worker i has port first_media_port + i
  uint16_t media_ports = 1;
  bool kernel_behind = false;               // what is not media can be handed to the kernel

  const InterfaceAddress* find(const IpAddress& ip) const;       // null when `ip` is not ours
  const InterfaceAddress* first_of(bool v6) const;               // null when we have none
  const InterfaceAddress* on_link_with(const IpAddress& ip) const;  // null when a gateway leads there
  const IpAddress* gateway_of(bool v6) const;
  bool is_media_port(uint16_t port) const { return static_cast<uint16_t>(port - first_media_port) < media_ports; }
};

}  // namespace viaduct::dpdk::ip
