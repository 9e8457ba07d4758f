// Log lines for operators: text, or one JSON object a line. Never a key, a password, a full address, or anything
// per packet.
#pragma once

#include <spdlog/spdlog.h>

#include <string_view>

#include "base/result.h"

namespace viaduct::log {

enum class Format { Text, Json };

// Sends every later line to stderr in `format`. `level` is trace, debug, info, warn, error or off.
Result<void> start(Format format, std::string_view level);

using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

}  // namespace viaduct::log
