#include "tests/support/virtual_gettimeofday.h"

#include <dlfcn.h>
#include <sys/time.h>

#include <atomic>
#include <cerrno>

namespace {

constexpr int64_t NotSet = -1;
std::atomic<int64_t> virtual_us{NotSet};

int system_gettimeofday(timeval* now, void* zone) {
  using Function = int (*)(timeval*, void*);
  static const auto next = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "gettimeofday"));
  if (next != nullptr) return next(now, zone);
  errno = ENOSYS;
  return -1;
}

}  // namespace

// The system declares it as not throwing, and so does this definition.
extern "C" int gettimeofday(timeval* now, void* zone) noexcept {
  const int64_t us = virtual_us.load(std::memory_order_relaxed);
  if (us == NotSet) return system_gettimeofday(now, zone);
  now->tv_sec = us / 1'000'000;
  now->tv_usec = us % 1'000'000;
  return 0;
}

namespace viaduct::testing {

void set_virtual_time(Timestamp now) { virtual_us.store(to_us(now.time_since_epoch()), std::memory_order_relaxed); }

}  // namespace viaduct::testing
