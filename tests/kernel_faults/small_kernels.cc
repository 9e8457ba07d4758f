// Kernels of a few lines, each sound and with a fault: small_kernels NAME sound|faulty. A sanitizer
// must report the faulty one, and have nothing to say about the other.
#include <cuda_language.h>

#include <array>
#include <cstdio>
#include <string_view>
#include <vector>

#include "kernels/completion.cuh"
#include "kernels/emulation/kernel_registry.h"

using namespace viaduct::emulation;

namespace {

constexpr uint32_t Threads = 64;

struct Words {
  uint32_t at[Threads];
};

// Without its barrier, a thread reads what its neighbour has perhaps not written.
template <bool Sound>
__global__ void exchange(uint32_t* out) {
  BLOCK_SHARED(Words, words);
  words.at[threadIdx.x] = threadIdx.x;
  if constexpr (Sound) __syncthreads();
  out[blockIdx.x * Threads + threadIdx.x] = words.at[threadIdx.x ^ 1];
}

// The second round overwrites what a slow neighbour of the first still reads.
template <bool Sound>
__global__ void reuse(uint32_t* out) {
  BLOCK_SHARED(Words, words);
  uint32_t sum = 0;
  for (uint32_t round = 0; round < 2; ++round) {
    words.at[threadIdx.x] = round;
    __syncthreads();
    sum += words.at[threadIdx.x ^ 1];
    if constexpr (Sound) __syncthreads();
  }
  out[blockIdx.x * Threads + threadIdx.x] = sum;
}

// A shuffle makes lanes meet, but orders no memory.
template <bool Sound>
__global__ void shuffle(uint32_t* out) {
  BLOCK_SHARED(Words, words);
  words.at[threadIdx.x] = threadIdx.x;
  __shfl_xor_sync(0xffffffffu, threadIdx.x, 1);
  if constexpr (Sound) __syncwarp();
  out[blockIdx.x * Threads + threadIdx.x] = words.at[threadIdx.x ^ 1];
}

// One word, written by two blocks.
template <bool Sound>
__global__ void blocks(uint32_t* out) {
  if (threadIdx.x == 0) out[Sound ? blockIdx.x : 0] += 1;
}

// The last block to come reads what the others have written: ordered by a fence on both sides
// alone.
template <bool Sound>
__global__ void last_block(uint32_t* out) {
  if (threadIdx.x != 0) return;
  out[1 + blockIdx.x] = 1;
  if constexpr (Sound) __threadfence();
  if (atomicAdd(&out[0], 1u) + 1 < gridDim.x) return;
  if constexpr (Sound) __threadfence();
  for (uint32_t block = 0; block < gridDim.x; ++block) out[1 + block] += 1;
}

// One element too far. There is another object behind this one.
template <bool Sound>
__global__ void bounds(uint32_t* out) {
  BLOCK_SHARED(Words, words);
  BLOCK_SHARED(Words, more);
  words.at[threadIdx.x] = threadIdx.x;
  more.at[threadIdx.x] = threadIdx.x;
  __syncthreads();
  const uint32_t* first = words.at;
  out[blockIdx.x * Threads + threadIdx.x] = first[threadIdx.x + (Sound ? 0 : 1)] + more.at[0];
}

// How every kernel of the bridge ends.
template <bool Sound>
__global__ void completion(uint32_t* out) {
  static_assert(Sound);
  static volatile uint64_t done;
  viaduct::kernels::complete(out, &done, 7);
}

struct Pair {
  std::string_view name;
  KernelEntry sound;
  KernelEntry faulty;
};

constexpr std::array Pairs = {
    Pair{"exchange", invoke<exchange<true>>, invoke<exchange<false>>},
    Pair{"reuse", invoke<reuse<true>>, invoke<reuse<false>>},
    Pair{"shuffle", invoke<shuffle<true>>, invoke<shuffle<false>>},
    Pair{"blocks", invoke<blocks<true>>, invoke<blocks<false>>},
    Pair{"last_block", invoke<last_block<true>>, invoke<last_block<false>>},
    Pair{"bounds", invoke<bounds<true>>, invoke<bounds<false>>},
    Pair{"completion", invoke<completion<true>>, nullptr},
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  for (const Pair& pair : Pairs) {
    if (pair.name != arguments[1]) continue;
    Emulator emulator;
    for (const Order order : {Order::Forward, Order::Reverse, Order::Shuffled}) {
      std::vector<uint32_t> out(3 * Threads);
      uint32_t* words = out.data();
      std::array<void*, 1> parameters{&words};
      emulator.launch({3}, {Threads},
                      std::string_view(arguments[2]) == "sound" ? pair.sound : pair.faulty,
                      parameters.data(), {order, 1});
    }
    std::puts("ran to its end");
    return 0;
  }
  return 2;
}
