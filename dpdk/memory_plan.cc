#include "dpdk/memory_plan.h"

#include <string>

#include "dpdk/mbuf_pool.h"

namespace viaduct::dpdk {
namespace {

constexpr size_t MibBesidePools = 64;  // rings, queues, DPDK's own

}  // namespace

Result<MemoryPlan> plan_memory(const Settings& settings, uint64_t free_huge_bytes) {
  const size_t ports = settings.kernel == KernelPath::Tap ? 2 : 1;  // whose queues fill themselves from a worker's pool
  MemoryPlan plan;
  plan.buffers = pool_buffers(ports * settings.descriptors, settings.pool_packets, size_t{settings.workers} + 1);
  const size_t pools_mib = (settings.workers * pool_bytes(plan.buffers)) >> 20;
  plan.mib = settings.memory_mib > 0 ? settings.memory_mib : pools_mib + MibBesidePools;
  const uint64_t free_mib = free_huge_bytes >> 20;
  plan.huge_pages = settings.huge_pages != HugePages::Off && free_mib >= plan.mib;
  if (settings.huge_pages != HugePages::On || plan.huge_pages) return plan;
  return Error{ErrorCode::ResourceExhausted,
               "dpdk-huge-pages is 'on', but of " + std::to_string(plan.mib) + " MiB that are needed only " +
                   std::to_string(free_mib) +
                   " MiB are free in huge pages; reserve them with deploy/host/dpdk prepare, or set it to 'off', "
                   "which is slower"};
}

}  // namespace viaduct::dpdk
