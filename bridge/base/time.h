// Time as the bridge sees it: a monotonic instant and a span between two of them.
//
// No code but base/clock.cc reads a clock. Everything else is handed `now`, so a whole bridge runs on virtual time.
#pragma once

#include <chrono>
#include <cstdint>

namespace viaduct {

// The time line of a Timestamp. It has no now() on purpose: see base/clock.h.
struct MonotonicTimeline {
  using rep = int64_t;
  using period = std::nano;
  using duration = std::chrono::nanoseconds;
  using time_point = std::chrono::time_point<MonotonicTimeline, duration>;
  static constexpr bool is_steady = true;
};

using Duration = std::chrono::nanoseconds;
using Timestamp = MonotonicTimeline::time_point;

using namespace std::chrono_literals;  // 20ms, 3s: a bare number is never a time

inline constexpr Timestamp Never = Timestamp::max();

// Whole microseconds, milliseconds and fractional seconds of a span, for wire formats and metrics.
constexpr int64_t to_us(Duration d) { return std::chrono::duration_cast<std::chrono::microseconds>(d).count(); }
constexpr int64_t to_ms(Duration d) { return std::chrono::duration_cast<std::chrono::milliseconds>(d).count(); }
constexpr double to_seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

// 64-bit NTP time (RFC 5905 section 6): seconds since 1900 in the upper half, fractions of 2^-32 s in the lower.
struct NtpTime {
  uint64_t value = 0;
  // The middle 32 bits, which RTCP carries as LSR (RFC 3550 section 6.4.1).
  constexpr uint32_t middle() const { return static_cast<uint32_t>(value >> 16); }
  friend constexpr bool operator==(NtpTime, NtpTime) = default;
};

// Turns monotonic instants into NTP time by one offset fixed at start, so that RTCP clocks never jump.
class NtpClock {
 public:
  // `wall_since_1970` is the wall-clock time that corresponds to the instant `at`.
  constexpr NtpClock(Timestamp at, Duration wall_since_1970) : wall_at_zero_(wall_since_1970 - at.time_since_epoch()) {}

  constexpr NtpTime at(Timestamp t) const {
    constexpr uint64_t SecondsFrom1900To1970 = 2'208'988'800;
    const auto since_1970 = static_cast<uint64_t>((wall_at_zero_ + t.time_since_epoch()).count());
    const uint64_t seconds = since_1970 / 1'000'000'000 + SecondsFrom1900To1970;
    const uint64_t fraction = ((since_1970 % 1'000'000'000) << 32) / 1'000'000'000;
    return {(seconds << 32) | fraction};
  }

 private:
  Duration wall_at_zero_;
};

// The span between two NTP times, later minus earlier; negative when they are the other way round.
constexpr Duration ntp_difference(NtpTime later, NtpTime earlier) {
  const auto diff = static_cast<int64_t>(later.value - earlier.value);  // units of 2^-32 s
  const int64_t seconds = diff >> 32;
  const uint64_t fraction = static_cast<uint64_t>(diff) & 0xffffffffu;
  return std::chrono::seconds(seconds) + Duration(static_cast<int64_t>((fraction * 1'000'000'000) >> 32));
}

// A span in the unit of DLSR and of the middle 32 bits of NTP time: 1/65536 s, saturating.
constexpr uint32_t to_compact_ntp(Duration d) {
  if (d.count() <= 0) return 0;
  if (d >= std::chrono::seconds(65536)) return 0xffffffffu;
  const uint64_t units = (static_cast<uint64_t>(d.count()) * 65536) / 1'000'000'000;
  return static_cast<uint32_t>(units);
}
constexpr Duration from_compact_ntp(uint32_t units) {
  return Duration(static_cast<int64_t>((static_cast<uint64_t>(units) * 1'000'000'000) >> 16));
}

}  // namespace viaduct
