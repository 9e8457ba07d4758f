#include "base/time.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/units.h"

namespace viaduct {
namespace {

constexpr uint64_t SecondsFrom1900To1970 = 2'208'988'800;

TEST(NtpClock, CountsFrom1900) {
  const NtpClock clock(Timestamp(10s), 0s);  // 1 January 1970 is at 10 s of the monotonic clock
  EXPECT_EQ(clock.at(Timestamp(10s)).value, SecondsFrom1900To1970 << 32);
  EXPECT_EQ(clock.at(Timestamp(11s + 500ms)).value, ((SecondsFrom1900To1970 + 1) << 32) | 0x80000000u);
  EXPECT_EQ(clock.at(Timestamp(11s + 250ms)).middle(), ((SecondsFrom1900To1970 + 1) & 0xffff) << 16 | 0x4000u);
}

TEST(NtpClock, WrapsIntoTheNextEraIn2036) {
  const NtpClock clock(Timestamp(0s), 2'085'978'496s);  // 7 February 2036, 06:28:16 UTC (RFC 5905 figure 4)
  EXPECT_EQ(clock.at(Timestamp(0s)).value, 0u);
  EXPECT_EQ(clock.at(Timestamp(3s)).value, uint64_t{3} << 32);
  EXPECT_EQ(ntp_difference(clock.at(Timestamp(2s)), clock.at(Timestamp(-2s))), 4s);
}

TEST(NtpDifference, IsTheSpanBetweenTwoTimes) {
  const NtpClock clock(Timestamp(0s), 1'700'000'000s);
  const NtpTime a = clock.at(Timestamp(100s));
  const NtpTime b = clock.at(Timestamp(103s + 125ms));
  EXPECT_EQ(ntp_difference(b, a), 3125ms);
  EXPECT_EQ(ntp_difference(a, a), 0s);
}

TEST(NtpDifference, IsNegativeBackwards) {
  const NtpTime a{uint64_t{100} << 32};
  const NtpTime b{(uint64_t{100} << 32) | 0x80000000u};
  EXPECT_EQ(ntp_difference(a, b), -500ms);
  EXPECT_EQ(ntp_difference(NtpTime{uint64_t{97} << 32}, a), -3s);
}

TEST(CompactNtp, Uses65536thsOfASecond) {
  EXPECT_EQ(to_compact_ntp(1s), 65536u);
  EXPECT_EQ(to_compact_ntp(500ms), 32768u);
  EXPECT_EQ(to_compact_ntp(15'258ns), 0u);
  EXPECT_EQ(to_compact_ntp(15'259ns), 1u);
  EXPECT_EQ(from_compact_ntp(65536 + 16384), 1250ms);
  EXPECT_EQ(from_compact_ntp(0xffffffffu), 65536s - 15'259ns);
}

TEST(CompactNtp, SaturatesAtBothEnds) {
  EXPECT_EQ(to_compact_ntp(-1s), 0u);
  EXPECT_EQ(to_compact_ntp(Duration::min()), 0u);
  EXPECT_EQ(to_compact_ntp(65536s - 1us), 0xffffffffu);
  EXPECT_EQ(to_compact_ntp(65536s), 0xffffffffu);
  EXPECT_EQ(to_compact_ntp(24h * 365), 0xffffffffu);
  EXPECT_EQ(to_compact_ntp(Duration::max()), 0xffffffffu);
}

TEST(CompactNtp, SurvivesThereAndBack) {
  for (uint32_t units : {0u, 1u, 65535u, 65536u, 1'000'000u, 0x80000000u, 0xffffffffu}) {
    const uint32_t back = to_compact_ntp(from_compact_ntp(units));
    EXPECT_LE(units - back, 1u) << units;  // nanoseconds are cut, so one unit may be lost
  }
}

TEST(Time, ConvertsToWireUnitsByCutting) {
  EXPECT_EQ(to_ms(1'999us), 1);
  EXPECT_EQ(to_us(1'999ns), 1);
  EXPECT_DOUBLE_EQ(to_seconds(250ms), 0.25);
}

TEST(DataRate, IsSizeOverTime) {
  EXPECT_EQ((DataSize{1'250} / 10ms), DataRate::kbps(1'000));
  EXPECT_EQ((DataSize{1'250} / 0s), DataRate{});
  EXPECT_EQ((DataSize{1'250} / -1s), DataRate{});
}

TEST(Clock, NeverGoesBack) {
  const Timestamp first = monotonic_now();
  const Timestamp second = monotonic_now();
  EXPECT_LE(first, second);
  EXPECT_GE(thread_cpu_time(), 0s);
}

TEST(Clock, PairsMonotonicAndWallTime) {
  const NtpClock clock = ntp_clock_from_now();
  const NtpTime now = clock.at(monotonic_now());
  const NtpTime wall = NtpClock(Timestamp(0s), wall_since_1970()).at(Timestamp(0s));
  const Duration apart = ntp_difference(wall, now);
  EXPECT_LT(apart, 60s);
  EXPECT_GT(apart, -60s);
}

}  // namespace
}  // namespace viaduct
