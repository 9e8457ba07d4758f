// GHASH, the authentication of GCM (NIST SP 800-38D section 6.4): arithmetic in GF(2^128), in constant
// time, without tables.
#pragma once

#include "kernels/srtp/bytes.cuh"

namespace viaduct::kernels {

// Thread: the product of two polynomials over GF(2) of degree 31. Integer multiplication carries;
// with three zeros between any two bits that count, no carry reaches the next one.
__device__ __forceinline__ uint64_t carryless_product(uint32_t a, uint32_t b) {
  constexpr uint32_t Every4th = 0x11111111u;
  uint64_t product = 0;
  for (int i = 0; i < 4; ++i) {  // the bits that stand at i modulo 4 in the product
    uint64_t sum = 0;
    for (int j = 0; j < 4; ++j) {
      const uint64_t left = a & (Every4th << j);
      const uint64_t right = b & (Every4th << ((i - j) & 3));
      sum ^= left * right;
    }
    product |= sum & (static_cast<uint64_t>(Every4th) << 32 | Every4th) << i;
  }
  return product;
}

// Thread: adds a product of 64 bits at word `at` of a longer one.
__device__ __forceinline__ void add_product(uint32_t* words, int at, uint64_t product) {
  words[at] ^= static_cast<uint32_t>(product);
  words[at + 1] ^= static_cast<uint32_t>(product >> 32);
}

// Thread: words[at ...] += the product of two polynomials of two words each, the lower word first.
// Karatsuba: three products for four.
__device__ __forceinline__ void add_double_product(uint32_t* words, int at, const uint32_t* a, const uint32_t* b) {
  const uint64_t low = carryless_product(a[0], b[0]);
  const uint64_t high = carryless_product(a[1], b[1]);
  const uint64_t middle = carryless_product(a[0] ^ a[1], b[0] ^ b[1]) ^ low ^ high;
  add_product(words, at, low);
  add_product(words, at + 1, middle);
  add_product(words, at + 2, high);
}

// Thread: reduces a product modulo x^128 + x^7 + x^2 + x + 1. GCM writes polynomials with their bits
// in the other order, so that the product stands one bit too low.
__device__ __forceinline__ uint4 ghash_reduce(const uint32_t* product) {
  uint32_t v[8];
  v[0] = product[0] << 1;
  for (int i = 1; i < 8; ++i) v[i] = __funnelshift_l(product[i - 1], product[i], 1);
  for (int i = 0; i < 4; ++i) {
    const uint32_t low = v[i];
    v[i + 4] ^= low ^ low >> 1 ^ low >> 2 ^ low >> 7;
    v[i + 3] ^= low << 31 ^ low << 30 ^ low << 25;
  }
  return make_uint4(v[7], v[6], v[5], v[4]);
}

// Thread: a times b.
__device__ __forceinline__ uint4 ghash_multiply(uint4 a, uint4 b) {
  const uint32_t left[4] = {a.w, a.z, a.y, a.x};
  const uint32_t right[4] = {b.w, b.z, b.y, b.x};
  const uint32_t left_sum[2] = {left[0] ^ left[2], left[1] ^ left[3]};
  const uint32_t right_sum[2] = {right[0] ^ right[2], right[1] ^ right[3]};
  uint32_t low[4] = {};
  uint32_t high[4] = {};
  uint32_t middle[4] = {};
  add_double_product(low, 0, left, right);
  add_double_product(high, 0, left + 2, right + 2);
  add_double_product(middle, 0, left_sum, right_sum);
  uint32_t product[8] = {low[0], low[1], low[2], low[3], high[0], high[1], high[2], high[3]};
  for (int i = 0; i < 4; ++i) product[2 + i] ^= middle[i] ^ low[i] ^ high[i];
  return ghash_reduce(product);
}

// Warp: the sum in GF(2^128) of all lanes' elements, for every lane.
__device__ __forceinline__ uint32_t warp_xor(uint32_t word) {
  for (int distance = 16; distance > 0; distance /= 2)
    word ^= __shfl_xor_sync(FullWarp, word, distance);
  return word;
}
__device__ __forceinline__ uint4 warp_xor(uint4 element) {
  return make_uint4(warp_xor(element.x), warp_xor(element.y), warp_xor(element.z),
                    warp_xor(element.w));
}

}  // namespace viaduct::kernels
