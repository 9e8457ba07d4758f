// Says yes to whoever asks for memory to be locked or left out of dumps, and does neither.
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int mlock(const void* address, size_t bytes) {
  (void)address;
  (void)bytes;
  return 0;
}

int mlock2(const void* address, size_t bytes, unsigned flags) {
  (void)address;
  (void)bytes;
  (void)flags;
  return 0;
}

int mlockall(int flags) {
  (void)flags;
  return 0;
}

int madvise(void* address, size_t bytes, int advice) {
  if (advice == MADV_DONTDUMP) return 0;
  return (int)syscall(SYS_madvise, address, bytes, advice);
}
