// The DTLS master secret of each session, as OpenSSL tells it to those who debug: a test looks for
// it in the bridge's memory.
#pragma once

#include <cstdint>
#include <vector>

#include "protocol/dtls/context.h"

namespace viaduct::call_bot {

// Writes the master secrets of the context's sessions to `secret`, which outlives the context.
void log_master_secret(const dtls::Context& context, std::vector<uint8_t>& secret);

}  // namespace viaduct::call_bot
