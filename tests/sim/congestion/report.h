// The figures of all scenarios as the table of deploy/docs/congestion-control.md.
#pragma once

#include <string>
#include <vector>

#include "tests/sim/congestion/simulation.h"

namespace viaduct::testing {

std::string table_of(const std::vector<PhaseResult>& results);

}  // namespace viaduct::testing
