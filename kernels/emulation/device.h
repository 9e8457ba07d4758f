// What a kernel calls while the emulator runs it. Kernels do not use this header: they write CUDA,
// and kernels/cuda_language/emulated translates.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/emulation/emulator.h"

namespace viaduct::emulation {

inline constexpr uint32_t WarpLanes = 32;

// Where the running thread stands in its grid.
struct ThreadContext {
  Dim3 thread;
  Dim3 block;
  Dim3 block_size;
  Dim3 grid_size;
  uint32_t index = 0;  // of the thread in its block
  uint32_t lane = 0;
  uint32_t warp = 0;
};

extern constinit thread_local const ThreadContext* current_thread;

enum class Collective : uint8_t { Sync, Shuffle, Vote };

void sync_threads();
// All lanes in `mask` meet. Sync orders their memory and returns 0; Shuffle returns the value of
// lane `source`, Vote a bit for each lane whose value is not 0.
uint64_t collective(uint32_t mask, Collective kind, uint64_t value, uint32_t source);
// The block's object of this identity: junk when a block first asks for it.
void* shared_object(const void* identity, size_t size, size_t alignment);
// Orders memory between those that call it, in this block and in others.
void thread_fence();

}  // namespace viaduct::emulation
