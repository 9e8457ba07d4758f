#include "edge/host_addresses.h"

#include <ifaddrs.h>
#include <net/if.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace viaduct::edge {
namespace {

IpAddress address_of(const ifaddrs& interface) {
  sockaddr_storage storage{};
  const size_t bytes = interface.ifa_addr->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  std::memcpy(&storage, interface.ifa_addr, bytes);
  return SocketAddress::from_sockaddr(storage).ip;
}

bool is_link_local(const IpAddress& ip) {
  const auto& bytes = ip.bytes();
  return ip.is_v6() ? bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80  // fe80::/10
                    : bytes[0] == 169 && bytes[1] == 254;            // 169.254.0.0/16
}

bool has_ip_address(const ifaddrs& interface) {
  if (!interface.ifa_addr || !(interface.ifa_flags & IFF_UP)) return false;
  const int family = interface.ifa_addr->sa_family;
  return family == AF_INET || family == AF_INET6;
}

}  // namespace

std::vector<IpAddress> host_addresses() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return {IpAddress::v4(INADDR_LOOPBACK)};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);

  std::vector<IpAddress> reachable;
  std::vector<IpAddress> loopback;
  for (const ifaddrs* interface = list; interface; interface = interface->ifa_next) {
    if (!has_ip_address(*interface)) continue;
    const IpAddress ip = address_of(*interface);
    if (is_link_local(ip)) continue;
    std::vector<IpAddress>& addresses = interface->ifa_flags & IFF_LOOPBACK ? loopback : reachable;
    if (std::find(addresses.begin(), addresses.end(), ip) == addresses.end()) addresses.push_back(ip);
  }
  std::vector<IpAddress>& found = reachable.empty() ? loopback : reachable;
  if (found.empty()) found.push_back(IpAddress::v4(INADDR_LOOPBACK));
  std::stable_partition(found.begin(), found.end(), [](const IpAddress& ip) { return !ip.is_v6(); });
  return found;
}

}  // namespace viaduct::edge
