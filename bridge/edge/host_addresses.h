// The addresses under which this host can be reached, for ICE candidates when the configuration names none.
#pragma once

#include <vector>

#include "base/socket_address.h"

namespace viaduct::edge {

// Addresses of interfaces that are up, IPv4 first, in the system's order and each once; never loopback or link-local
// ones, unless there is nothing else: then the loopback addresses.
std::vector<IpAddress> host_addresses();

}  // namespace viaduct::edge
