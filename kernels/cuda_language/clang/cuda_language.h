// CUDA C++ for clang without a CUDA toolkit (-nocudainc -nocudalib): the words of the language that
// the kernels use, by clang's own builtins for NVIDIA's instructions. Only what these kernels need.
#pragma once

#include <stdint.h>

#define __host__ __attribute__((host))
#define __device__ __attribute__((device))
#define __global__ __attribute__((global))
#define __shared__ __attribute__((shared))
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))

// In front of a loop whose counter chooses registers.
#define UNROLL _Pragma("unroll")

// Memory that a block of threads shares.
#define BLOCK_SHARED(Type, name) __shared__ Type name

struct alignas(16) uint4 {
  uint32_t x, y, z, w;
};
__device__ inline uint4 make_uint4(uint32_t x, uint32_t y, uint32_t z, uint32_t w) {
  return {x, y, z, w};
}

// threadIdx.x and its like read special registers: properties without storage.
struct ThreadIndex {
  __declspec(property(get = get_x)) unsigned x;
  __device__ static unsigned get_x() { return __nvvm_read_ptx_sreg_tid_x(); }
};
struct BlockIndex {
  __declspec(property(get = get_x)) unsigned x;
  __device__ static unsigned get_x() { return __nvvm_read_ptx_sreg_ctaid_x(); }
};
struct BlockSize {
  __declspec(property(get = get_x)) unsigned x;
  __device__ static unsigned get_x() { return __nvvm_read_ptx_sreg_ntid_x(); }
};
struct GridSize {
  __declspec(property(get = get_x)) unsigned x;
  __device__ static unsigned get_x() { return __nvvm_read_ptx_sreg_nctaid_x(); }
};
extern const __device__ __attribute__((weak)) ThreadIndex threadIdx;
extern const __device__ __attribute__((weak)) BlockIndex blockIdx;
extern const __device__ __attribute__((weak)) BlockSize blockDim;
extern const __device__ __attribute__((weak)) GridSize gridDim;

// Barriers. __syncthreads is a builtin of clang's already, under this name.
__device__ inline void __syncwarp(uint32_t mask = 0xffffffffu) { __nvvm_bar_warp_sync(mask); }
__device__ inline void __threadfence_system() { __nvvm_membar_sys(); }

// Lanes talk to each other.
__device__ inline uint32_t __shfl_sync(uint32_t mask, uint32_t value, int lane) {
  return __nvvm_shfl_sync_idx_i32(mask, value, lane, 0x1f);
}
__device__ inline uint32_t __shfl_xor_sync(uint32_t mask, uint32_t value, int lanes) {
  return __nvvm_shfl_sync_bfly_i32(mask, value, lanes, 0x1f);
}
__device__ inline uint32_t __ballot_sync(uint32_t mask, int predicate) {
  return __nvvm_vote_ballot_sync(mask, predicate != 0);
}

__device__ inline uint32_t atomicAdd(uint32_t* at, uint32_t value) {
  return static_cast<uint32_t>(
      __nvvm_atom_add_gen_i(reinterpret_cast<volatile int*>(at), static_cast<int>(value)));
}

// Bits.
__device__ inline uint32_t __byte_perm(uint32_t low, uint32_t high, uint32_t selector) {
  return __nvvm_prmt(low, high, selector);
}
__device__ inline uint32_t __funnelshift_l(uint32_t low, uint32_t high, uint32_t bits) {
  const uint64_t both = static_cast<uint64_t>(high) << 32 | low;
  return static_cast<uint32_t>(both << (bits & 31) >> 32);
}
__device__ inline uint32_t __funnelshift_r(uint32_t low, uint32_t high, uint32_t bits) {
  const uint64_t both = static_cast<uint64_t>(high) << 32 | low;
  return static_cast<uint32_t>(both >> (bits & 31));
}
__device__ inline int __popc(uint32_t word) { return __builtin_popcount(word); }
