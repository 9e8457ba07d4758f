// The exception path: what is not media goes to the kernel by a TAP device, and what the kernel has to say goes out by
// the port, so that SSH and HTTP on the same interface live on. Bounded in time: a flood of strange frames costs the
// workers little, and media nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/counters.h"
#include "base/result.h"
#include "base/time.h"
#include "base/token_bucket.h"
#include "dpdk/ip/interface.h"
#include "dpdk/tx_queue.h"

struct rte_mbuf;

namespace viaduct::dpdk {

// Gives the kernel's end of the TAP device the interface's addresses, and sets it up. Before system calls are filtered.
Result<void> configure_kernel_device(const std::string& name, const ip::Interface& interface);

// One worker's queue pair of the TAP device.
class KernelQueue {
 public:
  // The kernel's frames are untagged; outside they carry `vlan`, unless that is 0.
  KernelQueue(uint16_t port, uint16_t queue, uint16_t vlan)
      : port_(port), queue_(queue), vlan_(vlan), to_kernel_(port, queue) {}

  // Takes the frame over.
  void hand_over(rte_mbuf* frame, Timestamp now);
  // Gives the kernel what was handed over, and moves what it sends to `out`. It looks for that only now and then: each
  // look is a system call.
  void turn(TxQueue& out, Timestamp now);

  void visit(MetricVisitor& visitor, std::string_view worker) const;

  static constexpr double FramesPerSecond = 20'000;
  static constexpr Duration LookEvery = 100us;

 private:
  const uint16_t port_;
  const uint16_t queue_;
  const uint16_t vlan_;
  TxQueue to_kernel_;
  TokenBucket allowance_{FramesPerSecond};
  Timestamp looked_{};
  Counter in_, out_, limited_;
};

}  // namespace viaduct::dpdk
