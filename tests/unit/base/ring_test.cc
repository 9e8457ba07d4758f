#include "base/spsc_ring.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace viaduct {
namespace {

TEST(SpscRing, GivesBackInOrderAndThenNothing) {
  SpscRing<int> ring(4);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ring.push(int(i)));
  EXPECT_EQ(ring.size(), 3u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ring.pop(), i);
  EXPECT_EQ(ring.pop(), std::nullopt);
}

TEST(SpscRing, RefusesWhenFullAndLeavesTheValueAlone) {
  SpscRing<std::unique_ptr<int>> ring(2);
  EXPECT_TRUE(ring.push(std::make_unique<int>(1)));
  EXPECT_TRUE(ring.push(std::make_unique<int>(2)));
  auto third = std::make_unique<int>(3);
  EXPECT_FALSE(ring.push(std::move(third)));
  ASSERT_TRUE(third);
  EXPECT_EQ(**ring.pop(), 1);
  EXPECT_TRUE(ring.push(std::move(third)));
  EXPECT_EQ(**ring.pop(), 2);
  EXPECT_EQ(**ring.pop(), 3);
}

TEST(SpscRing, ReleasesWhatAPoppedSlotHeldAtOnce) {
  SpscRing<std::shared_ptr<int>> ring(4);
  auto value = std::make_shared<int>(1);
  EXPECT_TRUE(ring.push(std::shared_ptr<int>(value)));
  EXPECT_EQ(value.use_count(), 2);
  ring.pop();
  EXPECT_EQ(value.use_count(), 1);
}

TEST(SpscRing, KeepsItsOrderOverManyTurnsBetweenTwoThreads) {
  constexpr uint64_t Values = 200'000;
  SpscRing<uint64_t> ring(64);
  std::thread producer([&] {
    for (uint64_t i = 0; i < Values;) {
      if (ring.push(uint64_t(i))) ++i;
      else std::this_thread::yield();
    }
  });
  uint64_t expected = 0;
  bool in_order = true;
  while (expected < Values) {
    if (const auto value = ring.pop()) in_order = in_order && *value == expected++;
    else std::this_thread::yield();
  }
  producer.join();
  EXPECT_TRUE(in_order);
  EXPECT_EQ(ring.pop(), std::nullopt);
}

TEST(SpscRingDeathTest, NeedsACapacityThatIsAPowerOfTwo) {
  EXPECT_DEATH(SpscRing<int>(3), "bug: CHECK");
  EXPECT_DEATH(SpscRing<int>(0), "bug: CHECK");
}

}  // namespace
}  // namespace viaduct
