// Arithmetic of numbers that wrap: RTP sequence numbers (16 bits) and timestamps (32 bits).
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace viaduct::rtp {

// A forward or backward jump beyond this is a restart of the stream, not loss (MAX_DROPOUT of RFC 3550 appendix A.1).
inline constexpr int64_t MaxDropout = 3000;

// Whether `a` comes after `b`, counting the shorter way round. Exactly half way round, the greater number is the newer,
// so that of two different numbers always exactly one is.
template <std::unsigned_integral T>
constexpr bool is_newer_of(T a, T b) {
  constexpr T Half = static_cast<T>(T{1} << (std::numeric_limits<T>::digits - 1));
  const T ahead = static_cast<T>(a - b);
  return ahead == Half ? a > b : ahead != 0 && ahead < Half;
}
constexpr bool is_newer(uint16_t a, uint16_t b) { return is_newer_of(a, b); }
constexpr bool is_newer_timestamp(uint32_t a, uint32_t b) { return is_newer_of(a, b); }

// Extends wrapping numbers to 64 bits that do not wrap: each is taken as the nearest to the one before it. The first
// stays as it is, so older ones that follow it may come out negative.
template <std::unsigned_integral T>
class Unwrapper {
 public:
  int64_t unwrap(T value) {
    last_ = peek(value);
    started_ = true;
    return last_;
  }
  // What unwrap() would say, remembering nothing.
  int64_t peek(T value) const {
    if (!started_) return value;
    return last_ + static_cast<std::make_signed_t<T>>(static_cast<T>(value - static_cast<T>(last_)));
  }
  bool started() const { return started_; }

 private:
  int64_t last_ = 0;
  bool started_ = false;
};

using SequenceUnwrapper = Unwrapper<uint16_t>;
using TimestampUnwrapper = Unwrapper<uint32_t>;

}  // namespace viaduct::rtp
