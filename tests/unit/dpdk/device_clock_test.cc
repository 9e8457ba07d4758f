#include "dpdk/device_clock.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace viaduct::dpdk {
namespace {

constexpr Timestamp Start{std::chrono::hours(5)};

// A card whose clock ticks 625 times in a microsecond and began somewhere.
uint64_t ticks_at(Timestamp t) { return 77'000'000'000 + static_cast<uint64_t>((t - Start).count()) * 625 / 1000; }

TEST(DeviceClockTest, TellsNowUntilItKnowsTheRate) {
  DeviceClock clock;
  EXPECT_TRUE(clock.is_due(Start));
  clock.observe(ticks_at(Start), Start);
  EXPECT_FALSE(clock.is_set());
  EXPECT_EQ(clock.to_host(ticks_at(Start - 5us), Start), Start);
}

TEST(DeviceClockTest, TellsWhenAPacketArrived) {
  DeviceClock clock;
  for (int i = 0; i <= 20; ++i) clock.observe(ticks_at(Start + i * 100ms), Start + i * 100ms);
  const Timestamp now = Start + 2050ms;
  for (const Duration age : {0us, 3us, 250us, 40'000us}) {
    const Duration off = clock.to_host(ticks_at(now - age), now) - (now - age);
    EXPECT_LT(std::abs(off.count()), 100) << "ns, at " << age.count();
  }
}

TEST(DeviceClockTest, NeverTellsTheFutureOrThePastLongGone) {
  DeviceClock clock;
  clock.observe(ticks_at(Start), Start);
  clock.observe(ticks_at(Start + 100ms), Start + 100ms);
  const Timestamp now = Start + 110ms;
  EXPECT_EQ(clock.to_host(ticks_at(now + 1ms), now), now);
  EXPECT_EQ(clock.to_host(ticks_at(now - 150ms), now), now);
  for (const uint64_t junk : {uint64_t{0}, ~uint64_t{0}, uint64_t{1} << 63}) EXPECT_EQ(clock.to_host(junk, now), now);
}

TEST(DeviceClockTest, BeginsAnewWhenTheCardsClockWasSet) {
  DeviceClock clock;
  clock.observe(ticks_at(Start), Start);
  clock.observe(ticks_at(Start + 100ms), Start + 100ms);
  clock.observe(5, Start + 200ms);
  EXPECT_FALSE(clock.is_set());
  clock.observe(5 + 62'500'000, Start + 300ms);
  ASSERT_TRUE(clock.is_set());
  EXPECT_LT(std::abs((clock.to_host(5 + 62'500'000 - 625, Start + 300ms) - (Start + 299'999us)).count()), 10);
}

TEST(DeviceClockTest, IsToBeObservedFromTimeToTime) {
  DeviceClock clock;
  clock.observe(1, Start);
  EXPECT_FALSE(clock.is_due(Start + DeviceClock::Interval - 1ns));
  EXPECT_TRUE(clock.is_due(Start + DeviceClock::Interval));
}

}  // namespace
}  // namespace viaduct::dpdk
