// How much memory the packets of all workers need, and whether it lies in huge pages. Decided before DPDK starts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "dpdk/network.h"

namespace viaduct::dpdk {

struct MemoryPlan {
  size_t buffers = 0;  // of each worker's pool
  size_t mib = 0;      // of everything
  bool huge_pages = false;
};

// `free_huge_bytes`: of huge pages that nobody uses. An error when these are insisted on and too few.
Result<MemoryPlan> plan_memory(const Settings& settings, uint64_t free_huge_bytes);

}  // namespace viaduct::dpdk
