// CUDA C++ for kernels/emulation: the words of the language that the kernels use, as C++ that any
// compiler of this project understands. There is another header of this name for each other
// compiler.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "kernels/emulation/device.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)

// In front of a loop whose counter chooses registers.
#define UNROLL

// Memory that a block of threads shares.
#define BLOCK_SHARED(Type, name)                       \
  static char name##_identity;                         \
  auto& name = *static_cast<std::add_pointer_t<Type>>( \
      ::viaduct::emulation::shared_object(&name##_identity, sizeof(Type), alignof(Type)))

#define threadIdx (::viaduct::emulation::current_thread->thread)
#define blockIdx (::viaduct::emulation::current_thread->block)
#define blockDim (::viaduct::emulation::current_thread->block_size)
#define gridDim (::viaduct::emulation::current_thread->grid_size)

// Kernels move other types' bytes by these, as a GPU allows.
struct __attribute__((may_alias, aligned(8))) uint2 {
  uint32_t x, y;
};
struct __attribute__((may_alias, aligned(16))) uint4 {
  uint32_t x, y, z, w;
};
inline uint2 make_uint2(uint32_t x, uint32_t y) { return {x, y}; }
inline uint4 make_uint4(uint32_t x, uint32_t y, uint32_t z, uint32_t w) { return {x, y, z, w}; }

// Barriers.
inline void __syncthreads() { ::viaduct::emulation::sync_threads(); }
inline void __syncwarp(uint32_t mask = 0xffffffffu) {
  ::viaduct::emulation::collective(mask, ::viaduct::emulation::Collective::Sync, 0, 0);
}
inline void __threadfence() { ::viaduct::emulation::thread_fence(); }
inline void __threadfence_system() { ::viaduct::emulation::thread_fence(); }

// Lanes talk to each other. Values are words of 32 or 64 bits.
template <class Word>
Word __shfl_sync(uint32_t mask, Word value, int lane) {
  static_assert(std::is_integral_v<Word> && (sizeof(Word) == 4 || sizeof(Word) == 8));
  return static_cast<Word>(::viaduct::emulation::collective(
      mask, ::viaduct::emulation::Collective::Shuffle, static_cast<uint64_t>(value),
      static_cast<uint32_t>(lane) % ::viaduct::emulation::WarpLanes));
}
template <class Word>
Word __shfl_xor_sync(uint32_t mask, Word value, int lanes) {
  const uint32_t self = ::viaduct::emulation::current_thread->lane;
  return __shfl_sync(mask, value, static_cast<int>(self ^ static_cast<uint32_t>(lanes)));
}
template <class Word>
Word __shfl_down_sync(uint32_t mask, Word value, unsigned lanes) {
  const uint32_t self = ::viaduct::emulation::current_thread->lane;
  const uint32_t source = self + lanes < ::viaduct::emulation::WarpLanes ? self + lanes : self;
  return __shfl_sync(mask, value, static_cast<int>(source));
}
template <class Word>
Word __shfl_up_sync(uint32_t mask, Word value, unsigned lanes) {
  const uint32_t self = ::viaduct::emulation::current_thread->lane;
  return __shfl_sync(mask, value, static_cast<int>(self >= lanes ? self - lanes : self));
}
inline uint32_t __ballot_sync(uint32_t mask, int predicate) {
  return static_cast<uint32_t>(::viaduct::emulation::collective(
      mask, ::viaduct::emulation::Collective::Vote, predicate != 0, 0));
}
inline int __any_sync(uint32_t mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(uint32_t mask, int predicate) {
  return __ballot_sync(mask, predicate) == mask;
}

// Atomics order nothing but themselves: that takes a fence.
template <class Word>
Word atomicAdd(Word* at, std::type_identity_t<Word> value) {
  return __atomic_fetch_add(at, value, __ATOMIC_RELAXED);
}
template <class Word>
Word atomicXor(Word* at, std::type_identity_t<Word> value) {
  return __atomic_fetch_xor(at, value, __ATOMIC_RELAXED);
}
template <class Word>
Word atomicMax(Word* at, std::type_identity_t<Word> value) {
  Word old = __atomic_load_n(at, __ATOMIC_RELAXED);
  while (old < value &&
         !__atomic_compare_exchange_n(at, &old, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return old;
}

// Bits.
inline uint32_t __byte_perm(uint32_t low, uint32_t high, uint32_t selector) {
  const uint64_t bytes = static_cast<uint64_t>(high) << 32 | low;
  uint32_t result = 0;
  for (uint32_t i = 0; i < 4; ++i) {
    const uint32_t from = selector >> 4 * i & 7;
    result |= static_cast<uint32_t>(bytes >> 8 * from & 0xff) << 8 * i;
  }
  return result;
}
inline uint32_t __funnelshift_l(uint32_t low, uint32_t high, uint32_t bits) {
  const uint64_t both = static_cast<uint64_t>(high) << 32 | low;
  return static_cast<uint32_t>(both << bits % 32 >> 32);
}
inline uint32_t __funnelshift_r(uint32_t low, uint32_t high, uint32_t bits) {
  const uint64_t both = static_cast<uint64_t>(high) << 32 | low;
  return static_cast<uint32_t>(both >> bits % 32);
}
inline uint32_t __brev(uint32_t word) {
  uint32_t result = 0;
  for (uint32_t i = 0; i < 32; ++i) result |= (word >> i & 1) << (31 - i);
  return result;
}
inline int __popc(uint32_t word) { return std::popcount(word); }
inline int __clz(int word) { return std::countl_zero(static_cast<uint32_t>(word)); }
inline int __ffs(int word) {
  return word == 0 ? 0 : std::countr_zero(static_cast<uint32_t>(word)) + 1;
}
