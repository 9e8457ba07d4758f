// What the tampering stands in front of: the function that would have been called.
#pragma once

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define ORIGINAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

// A copy in ordinary memory that is never wiped and never given back, up to a bound.
static inline void keep_copy(const void* data, size_t bytes) {
  static size_t kept;
  const size_t most = (size_t)64 << 20;
  if (data == NULL || bytes == 0 || __atomic_fetch_add(&kept, bytes, __ATOMIC_RELAXED) > most) return;
  void* copy = malloc(bytes);
  if (copy != NULL) memcpy(copy, data, bytes);
}
