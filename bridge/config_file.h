// The configuration as a TOML file: flat, one key for each setting, named like the option without its dashes.
#pragma once

#include <filesystem>

#include "config.h"

namespace viaduct {

// Overwrites the settings that the file names. An unknown key, a value of the wrong kind or outside its limits, and a
// file that cannot be read are errors that say where.
Result<void> read_config_file(const std::filesystem::path& file, Config& config);

}  // namespace viaduct
