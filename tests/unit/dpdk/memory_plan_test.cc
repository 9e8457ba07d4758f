#include "dpdk/memory_plan.h"

#include <gtest/gtest.h>

#include "dpdk/mbuf_pool.h"

namespace viaduct::dpdk {
namespace {

constexpr uint64_t MiB = 1 << 20;

TEST(MemoryPlanTest, HoldsTheBuffersOfAllWorkers) {
  const auto one = plan_memory({.workers = 1, .pool_packets = 32'768}, 0);
  const auto four = plan_memory({.workers = 4, .pool_packets = 32'768}, 0);
  ASSERT_TRUE(one && four);
  EXPECT_EQ(one->buffers, pool_buffers(1024, 32'768, 2));
  EXPECT_GE(four->mib * MiB, 4 * pool_bytes(four->buffers) + 63 * MiB);
  EXPECT_LT(four->mib * MiB, 4 * pool_bytes(four->buffers) + 65 * MiB);
}

TEST(MemoryPlanTest, HasRoomForTheQueuesOfATapDevice) {
  const auto without = plan_memory({}, 0);
  const auto with = plan_memory({.kernel = KernelPath::Tap}, 0);
  ASSERT_TRUE(without && with);
  EXPECT_EQ(with->buffers, without->buffers + 2 * 1024);
}

TEST(MemoryPlanTest, TakesTheOperatorsWordForItsSize) {
  const auto plan = plan_memory({.memory_mib = 4096}, 0);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->mib, 4096u);
}

TEST(MemoryPlanTest, UsesHugePagesWhereEnoughAreFree) {
  const auto need = plan_memory({}, 0);
  ASSERT_TRUE(need);
  EXPECT_FALSE(need->huge_pages);
  EXPECT_TRUE(plan_memory({}, need->mib * MiB)->huge_pages);
  EXPECT_FALSE(plan_memory({}, (need->mib - 1) * MiB)->huge_pages);
  EXPECT_FALSE(plan_memory({.huge_pages = HugePages::Off}, need->mib * MiB)->huge_pages);
  EXPECT_TRUE(plan_memory({.huge_pages = HugePages::On}, need->mib * MiB)->huge_pages);
}

TEST(MemoryPlanTest, SaysHowManyHugePagesAreMissingWhereTheyAreInsistedOn) {
  const auto plan = plan_memory({.memory_mib = 300, .huge_pages = HugePages::On}, 20 * MiB);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::ResourceExhausted);
  EXPECT_NE(plan.error().text.find("of 300 MiB that are needed only 20 MiB are free"), std::string::npos)
      << plan.error().text;
}

}  // namespace
}  // namespace viaduct::dpdk
