#include "dpdk/kernel_queue.h"

#include <arpa/inet.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "edge/file_descriptor.h"

namespace viaduct::dpdk {
namespace {

constexpr uint16_t Burst = 32;

ifreq request_for(const std::string& name) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  return request;
}

sockaddr v4_address(uint32_t host_order) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(host_order);
  sockaddr out;
  std::memcpy(&out, &address, sizeof out);
  return out;
}

bool add_v4(const std::string& name, const InterfaceAddress& address) {
  const edge::FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = request_for(name);
  request.ifr_addr = v4_address(address.ip.v4_value());
  if (ioctl(socket.get(), SIOCSIFADDR, &request) != 0) return false;
  const uint32_t mask = address.prefix_bits == 0 ? 0 : ~uint32_t{0} << (32 - address.prefix_bits);
  request.ifr_netmask = v4_address(mask);
  return ioctl(socket.get(), SIOCSIFNETMASK, &request) == 0;
}

bool add_v6(const std::string& name, const InterfaceAddress& address) {
  const edge::FileDescriptor socket(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  in6_ifreq request{};
  std::memcpy(&request.ifr6_addr, address.ip.bytes().data(), sizeof request.ifr6_addr);
  request.ifr6_prefixlen = address.prefix_bits;
  request.ifr6_ifindex = static_cast<int>(if_nametoindex(name.c_str()));
  return ioctl(socket.get(), SIOCSIFADDR, &request) == 0 || errno == EEXIST;
}

bool set_up(const std::string& name, uint16_t mtu) {
  const edge::FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = request_for(name);
  request.ifr_mtu = mtu;
  if (ioctl(socket.get(), SIOCSIFMTU, &request) != 0) return false;
  if (ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) return false;
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_RUNNING);
  return ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0;
}

}  // namespace

// A second IPv4 address of the old interface (ioctl) needs a label of its own: name:1.
Result<void> configure_kernel_device(const std::string& name, const ip::Interface& interface) {
  bool done = set_up(name, interface.mtu);
  unsigned v4 = 0;
  for (const InterfaceAddress& address : interface.addresses) {
    if (address.ip.is_v6()) {
      done = done && add_v6(name, address);
    } else {
      done = done && add_v4(v4 == 0 ? name : name + ":" + std::to_string(v4), address);
      ++v4;
    }
  }
  if (done) return {};
  return Error{ErrorCode::Unavailable, "the TAP device " + name + " cannot be given its addresses (" +
                                           std::strerror(errno) +
                                           "); run the bridge with CAP_NET_ADMIN, or set dpdk-kernel to none"};
}

void KernelQueue::hand_over(rte_mbuf* frame, Timestamp now) {
  if (!allowance_.take(now)) {
    limited_.add();
    rte_pktmbuf_free(frame);
    return;
  }
  frame->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;  // what the port said of checksums is not for TAP
  if (vlan_ != 0) rte_vlan_strip(frame);
  if (to_kernel_.push(frame)) in_.add();
}

void KernelQueue::turn(TxQueue& out, Timestamp now) {
  if (to_kernel_.waiting() > 0) to_kernel_.drain();
  if (now - looked_ < LookEvery) return;
  looked_ = now;
  std::array<rte_mbuf*, Burst> frames;
  const uint16_t got = rte_eth_rx_burst(port_, queue_, frames.data(), Burst);
  for (uint16_t i = 0; i < got; ++i) {
    frames[i]->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
    frames[i]->vlan_tci = vlan_;
    if (vlan_ != 0 && rte_vlan_insert(&frames[i]) != 0) {
      rte_pktmbuf_free(frames[i]);
      continue;
    }
    if (out.push(frames[i])) out_.add();
  }
}

void KernelQueue::visit(MetricVisitor& visitor, std::string_view worker) const {
  constexpr std::string_view Frames = "viaduct_dpdk_kernel_frames_total";
  constexpr std::string_view Help = "Frames handed to the kernel (in) and sent for it (out)";
  visitor.counter(Frames, Help, {{"worker", worker}, {"direction", "in"}}, static_cast<double>(in_.value()));
  visitor.counter(Frames, Help, {{"worker", worker}, {"direction", "out"}}, static_cast<double>(out_.value()));
  visitor.counter("viaduct_dpdk_kernel_limited_total", "Frames that the kernel did not get as there were too many",
                  {{"worker", worker}}, static_cast<double>(limited_.value()));
}

}  // namespace viaduct::dpdk
