// Pages for secrets, from the best place that the kernel has: memfd_secret(2), which not even root
// can read through /proc/PID/mem or a debugger, else anonymous pages that are locked into RAM. Both
// stay out of core dumps and of forked children.
//
// Where neither is to be had the pages are ordinary ones, and whoever asked is told: they may be
// swapped out.
#pragma once

#include <cstddef>
#include <cstdint>

namespace viaduct::secrecy {

// What stands behind secret memory, the best first.
enum class Backing : uint8_t {
  MemfdSecret,  // the kernel has taken the pages out of its own map of memory
  Locked,       // never swapped out; root can read them
  Unlocked,     // root can read them, and they may reach the swap device
};
const char* to_string(Backing backing);

struct SecretPages {
  uint8_t* data = nullptr;  // null: there is no memory at all
  size_t bytes = 0;
  Backing backing = Backing::Unlocked;
};

// Zeroed pages of `bytes`, a multiple of the page size, with the best backing that is to be had and
// not better than `at_best`.
SecretPages map_secret_pages(size_t bytes, Backing at_best = Backing::MemfdSecret);
void unmap_secret_pages(const SecretPages& pages);

// Whether this kernel offers memfd_secret. It may and still refuse pages, beyond RLIMIT_MEMLOCK.
bool kernel_offers_memfd_secret();

// Lets the process lock as much memory as it is allowed to at all: the soft RLIMIT_MEMLOCK becomes
// the hard one.
void raise_memory_lock_limit();

}  // namespace viaduct::secrecy
