#include "base/clock.h"

#include <ctime>

namespace viaduct {
namespace {

Duration read(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

}  // namespace

Timestamp monotonic_now() { return Timestamp(read(CLOCK_MONOTONIC)); }
Duration wall_since_1970() { return read(CLOCK_REALTIME); }
NtpClock ntp_clock_from_now() { return {monotonic_now(), wall_since_1970()}; }
Duration thread_cpu_time() { return read(CLOCK_THREAD_CPUTIME_ID); }

}  // namespace viaduct
