// Randomness as an argument: the bridge draws from the kernel, a test from a seed.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace viaduct {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(MutableBytes out) = 0;

  uint32_t u32();
  uint64_t u64();
  // Text of `length` characters from the ice-char alphabet (RFC 8839 section 5.4), 6 bits of randomness each.
  std::string ice_chars(size_t length);
};

// getrandom(2): fit for keys, passwords and identifiers.
class SystemRandom final : public Random {
 public:
  void fill(MutableBytes out) override;
};

// xoshiro256**: repeatable, never for secrets outside a test.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed);
  void fill(MutableBytes out) override;
  uint64_t next();
  // Uniform in [0, bound); bound > 0.
  uint64_t below(uint64_t bound) { return next() % bound; }
  bool chance(double probability) { return static_cast<double>(next() >> 11) * 0x1.0p-53 < probability; }

 private:
  uint64_t s_[4];
};

}  // namespace viaduct
