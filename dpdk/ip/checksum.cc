#include "dpdk/ip/checksum.h"

namespace viaduct::dpdk::ip {
namespace {

// Two words at a time are added in lanes of 64 bits, which no packet can fill: as one's complement goes, a sum of
// 32-bit numbers is as good as one of 16-bit numbers.
using Lanes [[gnu::vector_size(32)]] = uint64_t;
constexpr uint64_t LowHalf = 0xffffffff;

template <typename T>
[[gnu::always_inline]] inline T load(const uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Compiled once for each kind of CPU; the compiler makes of the lanes what that one has.
[[gnu::always_inline]] inline uint64_t sum_in_lanes(const uint8_t* at, size_t left) {
  Lanes low{}, high{};
  for (; left >= 2 * sizeof(Lanes); at += 2 * sizeof(Lanes), left -= 2 * sizeof(Lanes)) {
    Lanes first, second;
    std::memcpy(&first, at, sizeof first);
    std::memcpy(&second, at + sizeof first, sizeof second);
    low += (first & LowHalf) + (second & LowHalf);
    high += (first >> 32) + (second >> 32);
  }
  low += high;
  uint64_t sum = low[0] + low[1] + low[2] + low[3];
  for (; left >= 8; at += 8, left -= 8) {
    const auto words = load<uint64_t>(at);
    sum += (words & LowHalf) + (words >> 32);
  }
  if (left >= 4) {
    sum += load<uint32_t>(at);
    at += 4, left -= 4;
  }
  if (left >= 2) {
    sum += load<uint16_t>(at);
    at += 2, left -= 2;
  }
  if (left == 1) sum += std::endian::native == std::endian::little ? uint64_t{*at} : uint64_t{*at} << 8;
  return sum;
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] uint64_t sum_by_avx2(const uint8_t* at, size_t size) { return sum_in_lanes(at, size); }
bool has_avx2() { return __builtin_cpu_supports("avx2") != 0; }
#else
uint64_t sum_by_avx2(const uint8_t* at, size_t size) { return sum_in_lanes(at, size); }
bool has_avx2() { return false; }
#endif

}  // namespace

uint64_t word_sum(Bytes bytes) {
  return has_avx2() ? sum_by_avx2(bytes.data(), bytes.size()) : sum_in_lanes(bytes.data(), bytes.size());
}

}  // namespace viaduct::dpdk::ip
