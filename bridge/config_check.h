// The rules that hold between several settings, or between a setting and this host's files.
#pragma once

#include "config.h"

namespace viaduct {

// One sentence about the first rule that is broken.
Result<void> check_config(const Config& config);

}  // namespace viaduct
