// Counts what a stretch of code asks of the system: heap allocations, locks, readings of a clock.
//
// A stretch is watched while a Watched lives, but for what runs while an Unwatched lives inside it:
// the edges of a simulation, which are not what is being tested. The counting itself is done by
// allocation_watch.cc, which replaces the functions of the C library and is linked only into tests
// that look at the counts; elsewhere these guards do nothing that shows.
#pragma once

#include <cstdint>

namespace viaduct::testing {

struct SystemCalls {
  uint64_t allocations = 0;
  uint64_t locks = 0;
  uint64_t clock_reads = 0;
  void* first_allocation[16] = {};  // the return addresses that led to the first one
};

inline thread_local bool is_watched = false;
inline thread_local SystemCalls watched_calls;

class Watched {
 public:
  Watched() : before_(is_watched) { is_watched = true; }
  ~Watched() { is_watched = before_; }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

 private:
  const bool before_;
};

class Unwatched {
 public:
  Unwatched() : before_(is_watched) { is_watched = false; }
  ~Unwatched() { is_watched = before_; }
  Unwatched(const Unwatched&) = delete;
  Unwatched& operator=(const Unwatched&) = delete;

 private:
  const bool before_;
};

}  // namespace viaduct::testing
