// The only place where the process reads a clock.
#pragma once

#include "base/time.h"

namespace viaduct {

Timestamp monotonic_now();      // CLOCK_MONOTONIC
Duration wall_since_1970();     // CLOCK_REALTIME; for NTP at start, token expiry and log lines
NtpClock ntp_clock_from_now();  // pairs the two readings above
Duration thread_cpu_time();     // CPU time used by the calling thread, for the busy ratio

}  // namespace viaduct
