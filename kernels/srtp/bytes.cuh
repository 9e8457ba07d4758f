// Bytes and words. Packets stand anywhere, at any alignment; a GPU reads and writes aligned words.
// No function touches a byte outside the range that it is given.
#pragma once

#include "kernels/warp.cuh"

namespace viaduct::kernels {

// Thread: the same word with its bytes in the other order.
__device__ __forceinline__ uint32_t swap_bytes(uint32_t word) { return __byte_perm(word, 0, 0x0123); }

// Thread: the four bytes from `offset` of a text of `size` bytes, the first as the lowest byte.
// Bytes before and behind the text are zero.
__device__ __forceinline__ uint32_t word_of(const uint8_t* text, int offset, int size) {
  const uint8_t* at = text + offset;
  const int misaligned = static_cast<int>(reinterpret_cast<uintptr_t>(at) & 3);
  const uint32_t* words = reinterpret_cast<const uint32_t*>(at - misaligned);
  if (misaligned == 0 && offset >= 0 && offset + 4 <= size) return words[0];
  if (misaligned != 0 && offset >= misaligned && offset - misaligned + 8 <= size)
    return __funnelshift_r(words[0], words[1], static_cast<uint32_t>(8 * misaligned));
  uint32_t word = 0;
  for (int i = 0; i < 4; ++i) {
    if (offset + i >= 0 && offset + i < size) word |= static_cast<uint32_t>(at[i]) << (8 * i);
  }
  return word;
}

// `stride` threads together, this one being number `rank`: copies a text to words.
__device__ __forceinline__ void load_words(uint32_t* words, const uint8_t* text, int size, unsigned rank,
                                  unsigned stride) {
  for (int i = static_cast<int>(rank); 4 * i < size; i += static_cast<int>(stride))
    words[i] = word_of(text, 4 * i, size);
}

// Warp: copies `size` bytes to `to`, whole words where words are aligned there.
__device__ __forceinline__ void store_bytes(uint8_t* to, const uint8_t* from, int size, unsigned lane) {
  const int lead = static_cast<int>((0 - reinterpret_cast<uintptr_t>(to)) & 3);
  const int head = lead < size ? lead : size;
  const int words = (size - head) / 4;
  uint32_t* aligned = reinterpret_cast<uint32_t*>(to + head);
  for (int i = static_cast<int>(lane); i < words; i += WarpThreads)
    aligned[i] = word_of(from, head + 4 * i, size);
  const int rest = size - head - 4 * words;  // with the head no more than 6 bytes
  const int mine = static_cast<int>(lane);
  if (mine < head) to[mine] = from[mine];
  if (mine < rest) to[head + 4 * words + mine] = from[head + 4 * words + mine];
}

// Thread: the first `size` bytes of a big-endian word, and zeros.
__device__ __forceinline__ uint32_t leading_bytes(uint32_t word, int size) {
  if (size >= 4) return word;
  return size <= 0 ? 0 : word & ~(0xffffffffu >> (8 * size));
}

// 16 bytes as four big-endian words, x the first: a block of AES or GHASH.
__device__ __forceinline__ uint4 load_block(const uint32_t* words) {
  const uint4 raw = *reinterpret_cast<const uint4*>(words);
  return make_uint4(swap_bytes(raw.x), swap_bytes(raw.y), swap_bytes(raw.z), swap_bytes(raw.w));
}
__device__ __forceinline__ void store_block(uint32_t* words, uint4 block) {
  *reinterpret_cast<uint4*>(words) = make_uint4(swap_bytes(block.x), swap_bytes(block.y),
                                                swap_bytes(block.z), swap_bytes(block.w));
}
__device__ __forceinline__ uint4 leading_bytes(uint4 block, int size) {
  return make_uint4(leading_bytes(block.x, size), leading_bytes(block.y, size - 4),
                    leading_bytes(block.z, size - 8), leading_bytes(block.w, size - 12));
}
__device__ __forceinline__ uint4 exclusive_or(uint4 a, uint4 b) {
  return make_uint4(a.x ^ b.x, a.y ^ b.y, a.z ^ b.z, a.w ^ b.w);
}

}  // namespace viaduct::kernels
