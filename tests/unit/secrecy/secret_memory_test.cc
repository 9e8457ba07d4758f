#include "secrecy/secret_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "base/random.h"
#include "secrecy/in_secret_memory.h"
#include "tests/unit/secrecy/child.h"
#include "tests/unit/secrecy/memory_of_process.h"

namespace viaduct::secrecy {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using viaduct::testing::flags_of;
using viaduct::testing::left_at;
using viaduct::testing::LocksForReal;
using viaduct::testing::peek;

constexpr size_t Mebibyte = size_t{1} << 20;
constexpr size_t Sizes[] = {1,   15,   16,   17,     64,     65,     80,     100,    128,
                            129, 1000, 4096, 17'000, 65'535, 65'536, 65'537, 300'000};

SecretMemory::Settings within(size_t most_bytes) {
  return {.most_bytes = most_bytes, .kept_for_program_bytes = 0};
}

std::vector<uint8_t> bytes_at(const void* block, size_t bytes) {
  const auto* at = static_cast<const uint8_t*>(block);
  return {at, at + bytes};
}

TEST(SecretMemory, HandsOutZeroedBlocksOnSixteenByteBorders) {
  SecretMemory memory(within(16 * Mebibyte));
  for (const size_t bytes : Sizes) {
    void* block = memory.allocate(bytes);
    ASSERT_NE(block, nullptr) << bytes;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % SecretMemory::Alignment, 0u) << bytes;
    EXPECT_THAT(bytes_at(block, bytes), Each(0)) << bytes;
    std::memset(block, 0xaa, bytes);  // all of it is the holder's
    EXPECT_TRUE(memory.owns(block));
  }
  EXPECT_EQ(memory.allocate(0), nullptr);
}

TEST(SecretMemory, GivesEachHolderMemoryOfItsOwn) {
  SecretMemory memory(within(16 * Mebibyte));
  std::vector<std::pair<uint8_t*, size_t>> blocks;
  for (uint8_t i = 0; i < 200; ++i) {
    const size_t bytes = Sizes[i % std::size(Sizes)] % 5000 + 1;
    blocks.emplace_back(static_cast<uint8_t*>(memory.allocate(bytes)), bytes);
    std::memset(blocks.back().first, i, bytes);
  }
  for (uint8_t i = 0; i < 200; ++i)
    EXPECT_THAT(bytes_at(blocks[i].first, blocks[i].second), Each(i));
}

TEST(SecretMemory, WipesWhatIsGivenBack) {
  SecretMemory memory(within(16 * Mebibyte));
  for (const size_t bytes : Sizes) {
    if (bytes > SecretMemory::LargestSmallBytes) continue;
    void* block = memory.allocate(bytes);
    std::memset(block, 0xaa, bytes);
    memory.release(block);
    EXPECT_THAT(left_at(block, bytes), Each(0)) << bytes;
  }
}

TEST(SecretMemory, GivesThePagesOfALargeBlockBackToTheKernel) {
  SecretMemory memory(within(16 * Mebibyte));
  void* block = memory.allocate(3 * Mebibyte);
  EXPECT_GE(memory.usage().bytes_reserved, 3 * Mebibyte);
  memory.release(block);
  EXPECT_EQ(memory.usage().bytes_reserved, 0u);
  EXPECT_FALSE(memory.owns(block));
  EXPECT_FALSE(peek(block, 16));
}

TEST(SecretMemory, KeepsTheContentOfABlockThatChangesItsSize) {
  SecretMemory memory(within(16 * Mebibyte));
  auto* block = static_cast<uint8_t*>(memory.allocate(10));
  std::memset(block, 7, 10);
  for (const size_t bytes : {12, 100, 70'000, 200'000, 5000, 10}) {
    block = static_cast<uint8_t*>(memory.reallocate(block, bytes));
    ASSERT_NE(block, nullptr);
    EXPECT_THAT(bytes_at(block, 10), Each(7)) << bytes;
    EXPECT_THAT(bytes_at(block + 10, bytes - 10), Each(0)) << bytes;
  }
  EXPECT_EQ(memory.reallocate(block, 0), nullptr);
  EXPECT_EQ(memory.usage().bytes_in_use, 0u);
}

TEST(SecretMemory, WipesWhatABlockLosesWhenItShrinksOrMoves) {
  SecretMemory memory(within(16 * Mebibyte));
  auto* block = static_cast<uint8_t*>(memory.allocate(128));
  std::memset(block, 0xaa, 128);
  ASSERT_EQ(memory.reallocate(block, 120), block);
  EXPECT_THAT(left_at(block + 120, 8), Each(0));
  memory.reallocate(block, 4000);
  EXPECT_THAT(left_at(block, 120), Each(0));
}

TEST(SecretMemory, LeavesABlockAsItWasWhenItCannotGrow) {
  SecretMemory memory(within(Mebibyte));
  auto* block = static_cast<uint8_t*>(memory.allocate(100));
  std::memset(block, 7, 100);
  EXPECT_EQ(memory.reallocate(block, 5 * Mebibyte), nullptr);
  EXPECT_THAT(bytes_at(block, 100), Each(7));
}

TEST(SecretMemory, GrowsToItsBoundAndNoFurther) {
  SecretMemory memory(within(2 * Mebibyte));
  std::vector<void*> blocks;
  while (void* block = memory.allocate(10'000)) blocks.push_back(block);
  EXPECT_GT(blocks.size(), 150u);
  EXPECT_EQ(memory.usage().bytes_reserved, 2 * Mebibyte);
  EXPECT_EQ(memory.allocate(Mebibyte), nullptr);
  for (size_t i = 0; i < 100; ++i) {
    memory.release(blocks.back());
    blocks.pop_back();
    blocks.push_back(memory.allocate(10'000));
    ASSERT_NE(blocks.back(), nullptr);
  }
  EXPECT_EQ(memory.usage().bytes_reserved, 2 * Mebibyte);
  EXPECT_EQ(memory.allocate(SIZE_MAX), nullptr);
}

TEST(SecretMemory, LeavesRoomForTheProgramWhenALibraryHasTakenItsShare) {
  SecretMemory memory({.most_bytes = 4 * Mebibyte, .kept_for_program_bytes = Mebibyte});
  while (memory.allocate(60'000, SecretOwner::Library)) {}
  EXPECT_EQ(memory.usage().bytes_reserved, 3 * Mebibyte);
  EXPECT_EQ(memory.allocate(65'000, SecretOwner::Library), nullptr);
  EXPECT_NE(memory.allocate(65'000, SecretOwner::Program), nullptr);
}

TEST(SecretMemory, StaysOutOfDumpsSwapAndForkedChildren) {
  for (const Backing at_best : {Backing::MemfdSecret, Backing::Locked}) {
    SecretMemory memory({.most_bytes = Mebibyte, .kept_for_program_bytes = 0, .at_best = at_best});
    auto* block = static_cast<uint8_t*>(memory.allocate(32));
    const std::string flags = flags_of(block);
    EXPECT_THAT(flags, AllOf(HasSubstr("dd"), HasSubstr("dc"))) << to_string(at_best);
    if (LocksForReal && memory.usage().backing != Backing::Unlocked) {
      EXPECT_THAT(flags, HasSubstr("lo")) << to_string(at_best);
    }
    const auto child = viaduct::testing::in_child([&] { return *block; });
    EXPECT_EQ(child.signal, SIGSEGV) << to_string(at_best);
  }
}

TEST(SecretMemory, OfMemfdSecretCannotBeReadThroughProc) {
  if (!kernel_offers_memfd_secret()) GTEST_SKIP() << "this kernel offers no memfd_secret";
  SecretMemory hidden(within(Mebibyte));
  void* secret = hidden.allocate(32);
  std::memset(secret, 0xaa, 32);
  EXPECT_EQ(hidden.usage().backing, Backing::MemfdSecret);
  EXPECT_FALSE(peek(secret, 32));

  SecretMemory locked(
      {.most_bytes = Mebibyte, .kept_for_program_bytes = 0, .at_best = Backing::Locked});
  void* seen = locked.allocate(32);
  std::memset(seen, 0xaa, 32);
  EXPECT_EQ(peek(seen, 32),
            std::vector<uint8_t>(32, 0xaa));  // the way of looking does find something
}

TEST(SecretMemory, SaysWhatStandsBehindItsWeakestPage) {
  SecretMemory memory(
      {.most_bytes = Mebibyte, .kept_for_program_bytes = 0, .at_best = Backing::Unlocked});
  EXPECT_EQ(memory.usage().backing, Backing::MemfdSecret);  // there is none yet
  memory.allocate(1);
  EXPECT_EQ(memory.usage().backing, Backing::Unlocked);
}

TEST(SecretMemoryDeathTest, AbortsWhenABlockComesBackTwice) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // a forked child has no secret memory
  SecretMemory memory(within(Mebibyte));
  void* block = memory.allocate(32);
  memory.release(block);
  EXPECT_DEATH(memory.release(block), "mark == InUse");
}

TEST(SecretMemoryOfTheProcess, IsSharedByThreadsThatGiveBackEachOthersBlocks) {
  const size_t before = process_memory().usage().bytes_in_use;
  constexpr size_t Threads = 4;
  std::array<std::atomic<uint64_t*>, 64> exchange{};
  std::vector<std::thread> threads;
  for (size_t t = 0; t < Threads; ++t) {
    threads.emplace_back([&, t] {
      SeededRandom random(t);
      for (int i = 0; i < 4000; ++i) {
        auto* mine = static_cast<uint64_t*>(allocate(sizeof(uint64_t) * (1 + random.below(300))));
        ASSERT_EQ(*mine, 0u);
        *mine = random.next();
        release(exchange[random.below(exchange.size())].exchange(mine));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (auto& left : exchange) {
    void* block = left.load();
    EXPECT_TRUE(process_memory().owns(block));
    std::thread([block] { release(block); }).join();
  }
  EXPECT_EQ(process_memory().usage().bytes_in_use, before);
}

struct alignas(64) WideKey : AlignedInSecretMemory<64> {
  uint8_t bytes[100] = {};
};

TEST(SecretMemoryOfTheProcess, AlignsObjectsThatAskForMoreAndTakesThemBack) {
  // Makes 20 keys and gives them back; the bytes in use afterwards, what this thread keeps at hand among them.
  const auto make_and_give_back = [] {
    std::vector<std::unique_ptr<WideKey>> keys;
    for (int i = 0; i < 20; ++i) {
      keys.push_back(std::make_unique<WideKey>());
      EXPECT_EQ(reinterpret_cast<uintptr_t>(keys.back().get()) % 64, 0u);
      EXPECT_TRUE(process_memory().owns(keys.back().get()));
      EXPECT_TRUE(process_memory().owns(keys.back().get() + 1));
    }
    keys.clear();
    return process_memory().usage().bytes_in_use;
  };
  for (int i = 0; i < 10; ++i) make_and_give_back();  // what earlier tests have left at hand is used up or replaced
  const size_t settled = make_and_give_back();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(make_and_give_back(), settled);
}

TEST(SecretMemoryOfTheProcess, WipesWhatIsGivenBack) {
  for (const size_t bytes : {1, 40, 5000, 60'000}) {
    void* block = allocate(bytes);
    std::memset(block, 0xaa, bytes);
    void* grown = reallocate(block, bytes * 3 + 16);
    ASSERT_NE(grown, block);
    EXPECT_THAT(left_at(block, bytes), Each(0)) << bytes;
    EXPECT_THAT(bytes_at(grown, bytes), Each(0xaa)) << bytes;
    release(grown);
  }
  release(nullptr);
}

}  // namespace
}  // namespace viaduct::secrecy
