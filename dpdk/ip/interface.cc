#include "dpdk/ip/interface.h"

#include <algorithm>

namespace viaduct::dpdk::ip {

const InterfaceAddress* Interface::find(const IpAddress& ip) const {
  const auto found = std::find_if(addresses.begin(), addresses.end(), [&](const auto& a) { return a.ip == ip; });
  return found == addresses.end() ? nullptr : &*found;
}

const InterfaceAddress* Interface::first_of(bool v6) const {
  const auto found =
      std::find_if(addresses.begin(), addresses.end(), [&](const auto& a) { return a.ip.is_v6() == v6; });
  return found == addresses.end() ? nullptr : &*found;
}

const InterfaceAddress* Interface::on_link_with(const IpAddress& ip) const {
  const auto found = std::find_if(addresses.begin(), addresses.end(), [&](const auto& a) { return a.has_on_link(ip); });
  return found == addresses.end() ? nullptr : &*found;
}

const IpAddress* Interface::gateway_of(bool v6) const {
  const auto found = std::find_if(gateways.begin(), gateways.end(), [&](const auto& g) { return g.is_v6() == v6; });
  return found == gateways.end() ? nullptr : &*found;
}

}  // namespace viaduct::dpdk::ip
