// DPDK's environment abstraction layer (EAL): memory, devices and threads of the process.
//
// It starts at most once in a process, even when that fails, so everything that can be checked is checked before.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"

namespace viaduct::dpdk {

struct EalSettings {
  std::vector<std::string> pci_ports;  // the only cards that it may touch
  size_t memory_mib = 256;
  bool huge_pages = false;
  bool telemetry = false;
  unsigned main_cpu = 0;          // nothing runs there: it is where EAL pins whoever starts it
  std::vector<std::string> more;  // arguments of the operator, last
};

// The command line for rte_eal_init, with the program's name in front.
std::vector<std::string> eal_arguments(const EalSettings& settings);

// Starts EAL; false when it runs already. What it has to say becomes log lines. The calling thread keeps its affinity.
Result<bool> start_eal(EalSettings settings);
void stop_eal();

// Makes the calling thread one that DPDK knows (an lcore), for as long as it runs: only these have caches of buffers.
// True when that worked.
bool become_lcore();

}  // namespace viaduct::dpdk
