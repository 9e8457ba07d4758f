// SHA-1 (FIPS 180-4 section 6.1) and HMAC (RFC 2104) from its two prepared states.
#pragma once

#include "kernels/srtp/bytes.cuh"

namespace viaduct::kernels {

constexpr unsigned Sha1BlockWords = 16;
constexpr unsigned HmacKeyWords = 5;  // RFC 3711 section 5.2: 160 bits

struct Sha1State {
  uint32_t words[5];
};

__device__ __forceinline__ Sha1State sha1_start() {
  return {{0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u}};
}

__device__ __forceinline__ uint32_t rotate_left(uint32_t word, unsigned bits) {
  return __funnelshift_l(word, word, bits);
}

// The function and the constant of round t (FIPS 180-4 sections 4.1.1 and 4.2.1).
__device__ __forceinline__ uint32_t sha1_mix(int t, uint32_t b, uint32_t c, uint32_t d) {
  if (t < 20) return ((b & c) | (~b & d)) + 0x5a827999u;
  if (t < 40) return (b ^ c ^ d) + 0x6ed9eba1u;
  if (t < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcu;
  return (b ^ c ^ d) + 0xca62c1d6u;
}

// Thread: takes in one block of 16 big-endian words, which serve as scratch.
__device__ __forceinline__ void sha1_block(Sha1State& state, uint32_t* w) {
  uint32_t a = state.words[0], b = state.words[1], c = state.words[2], d = state.words[3],
           e = state.words[4];
  UNROLL
  for (int t = 0; t < 80; ++t) {
    if (t >= 16)
      w[t & 15] = rotate_left(w[(t + 13) & 15] ^ w[(t + 8) & 15] ^ w[(t + 2) & 15] ^ w[t & 15], 1);
    const uint32_t next = rotate_left(a, 5) + sha1_mix(t, b, c, d) + e + w[t & 15];
    e = d;
    d = c;
    c = rotate_left(b, 30);
    b = a;
    a = next;
  }
  state.words[0] += a;
  state.words[1] += b;
  state.words[2] += c;
  state.words[3] += d;
  state.words[4] += e;
}

// Thread: the state of HMAC after the key's block, every byte of it combined with `pad`: 0x36 for the inner
// hash, 0x5c for the outer.
__device__ __forceinline__ Sha1State hmac_key_state(const uint32_t* key_words, uint32_t pad) {
  const uint32_t pads = pad * 0x01010101u;
  uint32_t block[Sha1BlockWords];
  for (unsigned i = 0; i < Sha1BlockWords; ++i) block[i] = (i < HmacKeyWords ? key_words[i] : 0) ^ pads;
  Sha1State state = sha1_start();
  sha1_block(state, block);
  return state;
}

// Thread: HMAC-SHA1 of `size` bytes that stand as little-endian words, with a byte 0x80 behind them
// and zeros to the end of its word: SHA-1's padding begins in the text's own last word.
__device__ __forceinline__ Sha1State hmac_sha1(const uint32_t* inner, const uint32_t* outer,
                                      const uint32_t* text, uint32_t size) {
  const uint32_t text_words = size / 4 + 1;
  const uint32_t blocks = (size + 1 + 8 + 63) / 64;
  Sha1State state = {{inner[0], inner[1], inner[2], inner[3], inner[4]}};
  for (uint32_t block = 0; block < blocks; ++block) {
    uint32_t w[Sha1BlockWords];
    UNROLL
    for (uint32_t i = 0; i < Sha1BlockWords; ++i) {
      const uint32_t at = Sha1BlockWords * block + i;
      w[i] = at < text_words ? swap_bytes(text[at]) : 0;
    }
    if (block == blocks - 1) w[15] = 8 * (64 + size);  // bits, the key's block included
    sha1_block(state, w);
  }
  uint32_t digest[Sha1BlockWords] = {state.words[0], state.words[1], state.words[2], state.words[3],
                                     state.words[4], 0x80000000u, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                     8 * (64 + 20)};
  Sha1State result = {{outer[0], outer[1], outer[2], outer[3], outer[4]}};
  sha1_block(result, digest);
  return result;
}

}  // namespace viaduct::kernels
