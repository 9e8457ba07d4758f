// Packet I/O past the kernel, by DPDK: what bridge/packet_edges.cc needs to know of it. No header of DPDK is named
// here, and a build without DPDK has these same functions (no_dpdk.cc).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/counters.h"
#include "base/interface_address.h"
#include "base/result.h"
#include "edge/io_wait.h"
#include "edge/packet_io.h"

namespace viaduct::dpdk {

enum class HugePages : uint8_t { Auto, On, Off };

// How what is not media reaches the kernel.
enum class KernelPath : uint8_t {
  None,     // not at all
  Tap,      // by a TAP device with the same addresses
  Xdp,      // an XDP program on af_xdp ports leaves it there
  Isolate,  // the network card gives us media alone (rte_flow_isolate)
};

struct Settings {
  std::vector<std::string> ports;  // PCI addresses, or virtual devices with their arguments; all of one network
  std::vector<InterfaceAddress> addresses;
  std::vector<IpAddress> gateways;
  uint16_t vlan = 0;
  uint16_t mtu = 1500;
  uint16_t first_media_port = 0;
  uint16_t workers = 1;        // a queue pair each
  std::vector<uint16_t> cpus;  // of the workers; empty pins none
  uint16_t descriptors = 1024;
  size_t pool_packets = 16 * 1024;  // buffers of each worker beside those that its queues hold
  size_t memory_mib = 0;            // 0: what all pools need
  HugePages huge_pages = HugePages::Auto;
  KernelPath kernel = KernelPath::None;
  std::string kernel_device = "viaduct0";
  edge::IoWait wait = edge::IoWait::Block;
  bool telemetry = false;
  std::vector<std::string> eal_arguments;
};

// The ports, started. Outlives the edges that it makes, and stops the ports when it goes; then it says whether every
// packet buffer came back.
class Network : public MetricSource {
 public:
  ~Network() override = default;
  // The queue pair of a worker; once for each of Settings::workers.
  virtual Result<std::unique_ptr<edge::PacketIo>> make_io(size_t worker) = 0;
  virtual bool is_memory_locked() const = 0;  // into RAM
  virtual bool drives_cards() const = 0;      // real ones, by drivers in this process
  virtual bool has_xdp_filters() const = 0;   // on interfaces of the kernel's
};

// DPDK starts at most once in a process. An error is one sentence for the operator.
Result<std::unique_ptr<Network>> open_network(const Settings& settings);

}  // namespace viaduct::dpdk
