// Between what rates a client's estimate moves, and where it begins.
#pragma once

#include "base/units.h"

namespace viaduct::congestion {

struct RateLimits {
  DataRate initial = DataRate::kbps(2500);
  DataRate least = DataRate::kbps(30);
  DataRate most = DataRate::kbps(20'000);
};

}  // namespace viaduct::congestion
