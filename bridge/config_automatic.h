// What the operator leaves to the bridge: number of workers, directory of the page, addresses for ICE candidates.
#pragma once

#include <span>
#include <vector>

#include "config.h"

namespace viaduct {

// Replaces every automatic value by what this host offers. Fails when the page's files or an address cannot be found.
Result<void> fill_automatic(Config& config);

// Of the host's addresses, those that media bound to `bound` arrives at. Loopback stands in only where it is bound by
// name or where there is nothing else; link-local IPv6 addresses need a zone that candidates cannot carry and never do.
std::vector<IpAddress> pick_advertised(std::span<const IpAddress> bound, std::span<const IpAddress> of_host);

}  // namespace viaduct
