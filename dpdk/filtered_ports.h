// af_xdp ports: interfaces that the kernel keeps, on which a program of ours in the kernel (xdp/media_filter.c) decides
// what the bridge gets. They have it in any case: the program that DPDK's driver brings would have to be taken away
// with system calls that the bridge gives up.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"
#include "dpdk/network.h"

namespace viaduct::dpdk {

bool is_xdp_port(const std::string& spec);

// The port's description with our program in it, once the interface is claimed; unchanged for other ports, and for
// those that name a program.
Result<std::string> with_media_filter(const std::string& spec);

// Tells the programs of all these ports what to take: the media ports alone (KernelPath::Xdp), or everything. The ports
// have started.
Result<void> set_media_filters(const Settings& settings);

// The interface may have more receive queues than the `ours` that the bridge reads; media in the others is lost.
void warn_of_other_queues(const std::string& spec, size_t ours);

}  // namespace viaduct::dpdk
