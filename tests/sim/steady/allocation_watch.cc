// The functions of the C library that a packet must not reach, in front of the library's own.
// Replaces them for the whole program, so it is linked into nothing but this test.
#include "tests/support/allocation_watch.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <time.h>

#include <cerrno>
#include <cstddef>

namespace viaduct::testing {
namespace {

void count_allocation() {
  if (!is_watched) return;
  const Unwatched pause;  // backtrace() allocates when it is called first
  if (watched_calls.allocations++ == 0) backtrace(watched_calls.first_allocation, 16);
}

// The library's own function of that name.
template <typename F>
F* next(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

}  // namespace
}  // namespace viaduct::testing

using viaduct::testing::count_allocation;
using viaduct::testing::is_watched;
using viaduct::testing::next;
using viaduct::testing::watched_calls;

// operator new ends in malloc, and so does whatever a library allocates. glibc offers its own
// functions under these names, which dlsym() could not find without allocating.
extern "C" {
void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* old, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);

void* malloc(size_t bytes) {
  count_allocation();
  return __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) {
  count_allocation();
  return __libc_calloc(count, bytes);
}
void* realloc(void* old, size_t bytes) {
  count_allocation();
  return __libc_realloc(old, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  count_allocation();
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** out, size_t alignment, size_t bytes) {
  count_allocation();
  *out = __libc_memalign(alignment, bytes);
  return *out ? 0 : ENOMEM;
}

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  static auto* const real = next<int(pthread_mutex_t*)>("pthread_mutex_lock");
  if (is_watched) ++watched_calls.locks;
  return real(mutex);
}
int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  static auto* const real = next<int(pthread_rwlock_t*)>("pthread_rwlock_rdlock");
  if (is_watched) ++watched_calls.locks;
  return real(lock);
}
int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  static auto* const real = next<int(pthread_rwlock_t*)>("pthread_rwlock_wrlock");
  if (is_watched) ++watched_calls.locks;
  return real(lock);
}
int clock_gettime(clockid_t clock, timespec* out) noexcept {
  static auto* const real = next<int(clockid_t, timespec*)>("clock_gettime");
  if (is_watched) ++watched_calls.clock_reads;
  return real(clock, out);
}
}
