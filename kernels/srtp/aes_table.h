// The one table of AES: for each byte its S-box value times 2, 1, 1 and 3 (FIPS 197 sections 4.2 and
// 5.1), the first in the highest byte. Computed by the compiler.
#pragma once

#include <cstdint>

namespace viaduct::kernels {

struct AesTable {
  uint32_t words[256];
};

// Multiplication by x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1.
constexpr uint32_t aes_double(uint32_t a) { return ((a << 1) ^ ((a & 0x80) != 0 ? 0x11b : 0)) & 0xff; }

constexpr AesTable make_aes_table() {
  // Powers of the generator x + 1 give inverses: the inverse of g^i is g^(255 - i).
  uint32_t powers[256] = {};
  uint32_t power = 1;
  for (int i = 0; i < 256; ++i) {
    powers[i] = power;
    power ^= aes_double(power);
  }
  uint32_t inverse[256] = {};
  for (int i = 0; i < 255; ++i) inverse[powers[i]] = powers[(255 - i) % 255];

  AesTable table = {};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const uint32_t i = inverse[byte];
    const uint32_t twice = i | i << 8;  // rotations to the left are shifts of this
    const uint32_t s = (i ^ twice >> 7 ^ twice >> 6 ^ twice >> 5 ^ twice >> 4 ^ 0x63) & 0xff;
    table.words[byte] = aes_double(s) << 24 | s << 16 | s << 8 | (aes_double(s) ^ s);
  }
  return table;
}

}  // namespace viaduct::kernels
