// AES (FIPS 197) for encryption, which is all that counter mode and GCM need.
//
// Lookups by secret bytes would show in time if two threads of a warp met in one bank of shared
// memory. So each bank holds a copy of the table, and lane i looks into bank i alone: whatever the
// bytes, a lookup takes the same time.
#pragma once

#include "kernels/srtp/aes_table.h"
#include "kernels/srtp/bytes.cuh"

namespace viaduct::kernels {

struct AesBanks {
  uint32_t words[256][WarpThreads];  // [byte][lane]
};

__device__ const AesTable AesWords = make_aes_table();

// Block: fills the banks. The caller has a barrier before anyone looks anything up.
__device__ __forceinline__ void fill_banks(AesBanks& banks) {
  for (unsigned i = threadIdx.x; i < 256 * WarpThreads; i += blockDim.x)
    banks.words[i / WarpThreads][i % WarpThreads] = AesWords.words[i / WarpThreads];
}

// One thread's view of the banks.
struct AesLane {
  const AesBanks& banks;
  unsigned lane;

  // SubBytes and MixColumns of one byte of a column's first row.
  __device__ __forceinline__ uint32_t mixed(uint32_t byte) const { return banks.words[byte & 0xff][lane]; }
  // SubBytes alone.
  __device__ __forceinline__ uint32_t substituted(uint32_t byte) const { return mixed(byte) >> 8 & 0xff; }
};

__device__ __forceinline__ uint32_t rotate_right_bytes(uint32_t word, unsigned bytes) {
  return __funnelshift_r(word, word, 8 * bytes);
}

// Thread: one column after SubBytes, ShiftRows and MixColumns. Its rows come from the columns a, b, c, d.
__device__ __forceinline__ uint32_t aes_column(const AesLane& aes, uint32_t a, uint32_t b, uint32_t c,
                                      uint32_t d) {
  return aes.mixed(a >> 24) ^ rotate_right_bytes(aes.mixed(b >> 16), 1) ^
         rotate_right_bytes(aes.mixed(c >> 8), 2) ^ rotate_right_bytes(aes.mixed(d), 3);
}
// The same without MixColumns, as in the last round.
__device__ __forceinline__ uint32_t aes_last_column(const AesLane& aes, uint32_t a, uint32_t b, uint32_t c,
                                           uint32_t d) {
  return aes.substituted(a >> 24) << 24 | aes.substituted(b >> 16) << 16 |
         aes.substituted(c >> 8) << 8 | aes.substituted(d);
}

// Thread: encrypts one block.
__device__ __forceinline__ uint4 aes_encrypt(const AesLane& aes, const uint32_t* round_keys, uint32_t rounds,
                                    uint4 block) {
  uint4 s = exclusive_or(block, make_uint4(round_keys[0], round_keys[1], round_keys[2], round_keys[3]));
  for (uint32_t round = 1; round < rounds; ++round) {
    const uint32_t* k = round_keys + 4 * round;
    s = make_uint4(aes_column(aes, s.x, s.y, s.z, s.w) ^ k[0], aes_column(aes, s.y, s.z, s.w, s.x) ^ k[1],
                   aes_column(aes, s.z, s.w, s.x, s.y) ^ k[2], aes_column(aes, s.w, s.x, s.y, s.z) ^ k[3]);
  }
  const uint32_t* k = round_keys + 4 * rounds;
  return make_uint4(aes_last_column(aes, s.x, s.y, s.z, s.w) ^ k[0],
                    aes_last_column(aes, s.y, s.z, s.w, s.x) ^ k[1],
                    aes_last_column(aes, s.z, s.w, s.x, s.y) ^ k[2],
                    aes_last_column(aes, s.w, s.x, s.y, s.z) ^ k[3]);
}

__device__ __forceinline__ uint32_t substitute_word(const AesLane& aes, uint32_t word) {
  return aes_last_column(aes, word, word, word, word);
}

// Thread: the key schedule (FIPS 197 section 5.2), begun by the key itself, `key_words` words: 4 or 8.
// Returns the number of rounds.
__device__ __forceinline__ uint32_t aes_expand_key(const AesLane& aes, uint32_t key_words, uint32_t* round_keys) {
  const uint32_t rounds = key_words + 6;
  uint32_t round_constant = 1;
  for (uint32_t i = key_words; i < 4 * (rounds + 1); ++i) {
    uint32_t word = round_keys[i - 1];
    if (i % key_words == 0) {
      word = substitute_word(aes, rotate_right_bytes(word, 3)) ^ round_constant << 24;
      round_constant = aes_double(round_constant);
    } else if (key_words == 8 && i % key_words == 4) {
      word = substitute_word(aes, word);
    }
    round_keys[i] = round_keys[i - key_words] ^ word;
  }
  return rounds;
}

}  // namespace viaduct::kernels
