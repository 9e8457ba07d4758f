// What the tampering stands in front of: the function that would have been called.
#pragma once

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define ORIGINAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

struct Kept {
  struct Kept* next;
  unsigned char bytes[];
};

// A copy in ordinary memory that is never wiped and never given back, up to a bound. All copies hang together, or the
// compiler would drop what nobody could ever look at.
static inline void keep_copy(const void* data, size_t bytes) {
  static struct Kept* all;
  static size_t kept_bytes;
  const size_t most_bytes = (size_t)64 << 20;
  if (data == NULL || __atomic_add_fetch(&kept_bytes, bytes, __ATOMIC_RELAXED) > most_bytes) return;
  struct Kept* kept = malloc(sizeof *kept + bytes);
  if (kept == NULL) return;
  memcpy(kept->bytes, data, bytes);
  kept->next = __atomic_exchange_n(&all, kept, __ATOMIC_RELEASE);
}
