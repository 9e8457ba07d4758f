#include "base/random.h"

#include <sys/random.h>

#include <bit>
#include <cerrno>

#include "base/check.h"

namespace viaduct {

uint32_t Random::u32() {
  uint8_t b[4];
  fill(b);
  return load_be32(b);
}

uint64_t Random::u64() {
  uint8_t b[8];
  fill(b);
  return load_be64(b);
}

std::string Random::ice_chars(size_t length) {
  static constexpr char Alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text(length, '\0');
  fill({reinterpret_cast<uint8_t*>(text.data()), text.size()});
  for (char& c : text) c = Alphabet[static_cast<uint8_t>(c) & 63];
  return text;
}

void SystemRandom::fill(MutableBytes out) {
  while (!out.empty()) {
    const ssize_t n = getrandom(out.data(), out.size(), 0);
    if (n < 0) {
      CHECK(errno == EINTR);
      continue;
    }
    out = out.subspan(static_cast<size_t>(n));
  }
}

SeededRandom::SeededRandom(uint64_t seed) {
  for (uint64_t& word : s_) {  // splitmix64, as the authors of xoshiro advise for seeding
    seed += 0x9e3779b97f4a7c15u;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    word = z ^ (z >> 31);
  }
}

uint64_t SeededRandom::next() {
  const uint64_t result = std::rotl(s_[1] * 5, 7) * 9;
  const uint64_t t = s_[1] << 17;
  s_[2] ^= s_[0];
  s_[3] ^= s_[1];
  s_[1] ^= s_[2];
  s_[0] ^= s_[3];
  s_[2] ^= t;
  s_[3] = std::rotl(s_[3], 45);
  return result;
}

void SeededRandom::fill(MutableBytes out) {
  for (size_t i = 0; i < out.size(); i += 8) {
    uint64_t word = next();
    for (size_t j = i; j < out.size() && j < i + 8; ++j, word >>= 8) out[j] = static_cast<uint8_t>(word);
  }
}

}  // namespace viaduct
