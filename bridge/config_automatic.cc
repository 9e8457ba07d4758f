#include "config_automatic.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace viaduct {
namespace {

bool is_loopback(const IpAddress& address) {
  if (!address.is_v6()) return address.v4_value() >> 24 == 127;
  return address == *IpAddress::parse("::1");
}

bool is_link_local(const IpAddress& address) {
  return address.is_v6() && address.bytes()[0] == 0xfe && (address.bytes()[1] & 0xc0) == 0x80;
}

std::vector<IpAddress> addresses_of_host() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, &freeifaddrs);

  std::vector<IpAddress> out;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0) continue;
    const int family = entry->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, entry->ifa_addr,
                family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    out.push_back(SocketAddress::from_sockaddr(storage).ip);
  }
  return out;
}

// Cores that this process may run on, which in a container are fewer than the host has.
size_t usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<size_t>(CPU_COUNT(&set));
}

// Beside the program once it is installed, in the source tree before that.
Result<std::filesystem::path> find_web_root() {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  for (const std::filesystem::path& candidate :
       {program.parent_path().parent_path() / VIADUCT_INSTALLED_WEB_ROOT,
        std::filesystem::path(VIADUCT_SOURCE_WEB_ROOT)}) {
    if (std::filesystem::is_regular_file(candidate / "index.html", error)) return candidate;
  }
  return Error{
      ErrorCode::NotFound,
      "the meeting page's files are not beside the program; name their directory by --web-root"};
}

}  // namespace

std::vector<IpAddress> pick_advertised(std::span<const IpAddress> bound,
                                       std::span<const IpAddress> of_host) {
  std::vector<IpAddress> picked;
  std::vector<IpAddress> loopback;
  const auto add = [](std::vector<IpAddress>& to, const IpAddress& address) {
    if (std::find(to.begin(), to.end(), address) == to.end()) to.push_back(address);
  };
  for (const IpAddress& at : bound) {
    if (!at.is_unspecified()) {
      add(picked, at);
      continue;
    }
    for (const IpAddress& address : of_host) {
      if (address.is_v6() == at.is_v6() && !is_link_local(address))
        add(is_loopback(address) ? loopback : picked, address);
    }
  }
  return picked.empty() ? loopback : picked;
}

Result<void> fill_automatic(Config& config) {
  if (*config.workers == 0 && *config.io == PacketEdge::Dpdk && !config.dpdk_cpus->empty())
    config.workers = static_cast<uint16_t>(std::min(config.dpdk_cpus->size(), limits::MaxWorkers));
  if (*config.workers == 0) {
    const size_t cores = std::max<size_t>(2, usable_cores());
    const size_t ports = 65536u - *config.media_port;
    config.workers = static_cast<uint16_t>(std::min({cores - 1, limits::MaxWorkers, ports}));
  }
  if (config.web_root->empty()) {
    auto found = find_web_root();
    if (!found) return found.error();
    config.web_root = std::move(*found);
  }
  if (config.advertise->empty() && *config.io == PacketEdge::Dpdk) {
    std::vector<IpAddress> ours;
    for (const InterfaceAddress& address : *config.dpdk_addresses) ours.push_back(address.ip);
    config.advertise = std::move(ours);
  }
  if (config.advertise->empty()) {
    config.advertise = pick_advertised(*config.media_address, addresses_of_host());
    if (config.advertise->empty()) {
      return Error{
          ErrorCode::NotFound,
          "no address of this host's interfaces can be told to clients; name one by --advertise"};
    }
  }
  return {};
}

}  // namespace viaduct
