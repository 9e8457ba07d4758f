// Reads a scenario from YAML, version 1. Nothing that a file says is ignored: an unknown field, a
// value out of range or a name that is not defined is an error that names the line, the field and
// what is allowed.
#pragma once

#include <string>

#include "base/result.h"
#include "tests/load/scenario.h"

namespace viaduct::load {

// InvalidArgument, with a sentence that begins with `name` and the line.
Result<Scenario> parse_scenario(const std::string& yaml, const std::string& name);
// The same for a file; recordings that it names are looked for beside it.
Result<Scenario> read_scenario_file(const std::string& path);

}  // namespace viaduct::load
