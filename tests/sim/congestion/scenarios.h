// The networks that congestion control is tried on.
#pragma once

#include <vector>

#include "tests/sim/congestion/simulation.h"

namespace viaduct::testing {

std::vector<Scenario> all_scenarios();
// Of all_scenarios(); there is one of that name.
Scenario scenario(const std::string& name);

}  // namespace viaduct::testing
