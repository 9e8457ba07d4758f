// Time for OpenSSL in tests: its DTLS timer calls gettimeofday(), and a binary that links this file answers
// that call.
//
// Until the first set_virtual_time() the system's own function answers. One clock for the whole test binary.
#pragma once

#include "base/time.h"

namespace viaduct::testing {

void set_virtual_time(Timestamp now);

}  // namespace viaduct::testing
