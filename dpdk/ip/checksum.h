// The Internet checksum (RFC 1071): the complement of a one's complement sum of 16-bit words.
//
// Sums are of words as they stand in memory, which the arithmetic allows, so nothing is swapped on the way: what is
// added to a sum is a part of the packet or a number passed through in_network_order(), and what comes out is written
// with store_word().
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"

namespace viaduct::dpdk::ip {

// The sum of the words, not yet folded; the last byte of an odd number stands for a word with a zero behind it. Any
// alignment.
uint64_t word_sum(Bytes bytes);

// Of a few bytes, an even number, where a call would cost more than the work.
template <size_t Size>
inline uint64_t word_sum_of(const uint8_t* bytes) {
  static_assert(Size % 4 == 0);
  uint64_t sum = 0;
  for (size_t i = 0; i < Size; i += 4) {
    uint32_t words;
    std::memcpy(&words, bytes + i, 4);
    sum += words;
  }
  return sum;
}

constexpr uint16_t fold(uint64_t sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

constexpr uint16_t in_network_order(uint16_t value) {
  if constexpr (std::endian::native == std::endian::big) return value;
  return static_cast<uint16_t>(value << 8 | value >> 8);
}

inline void store_word(uint8_t* at, uint16_t word) { std::memcpy(at, &word, sizeof word); }
inline uint16_t load_word(const uint8_t* at) {
  uint16_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// The checksum to store. A receiver's sum over everything, checksum included, then folds to 0xffff.
constexpr uint16_t checksum_of(uint64_t sum) { return static_cast<uint16_t>(~fold(sum)); }
constexpr bool sums_up(uint64_t sum) { return fold(sum) == 0xffff; }

// The checksum after one of the words under it has changed (RFC 1624 equation 3). What was wrong stays wrong. Never 0,
// which would not do where all the words have become 0; 0xffff is as good everywhere else.
constexpr uint16_t changed(uint16_t checksum, uint16_t from, uint16_t to) {
  const uint16_t now = checksum_of(uint64_t{static_cast<uint16_t>(~checksum)} + static_cast<uint16_t>(~from) + to);
  return now == 0 ? 0xffff : now;
}

}  // namespace viaduct::dpdk::ip
