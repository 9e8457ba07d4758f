// This binary runs on the heap that secrecy/wiping_new.cc gives the program.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/secrecy/memory_of_process.h"

namespace viaduct::secrecy {
namespace {

using viaduct::testing::peek;

constexpr size_t Links = 64;  // what malloc itself writes into a free block stays within these
constexpr uint8_t Filling = 0xa7;

// How many bytes of the filling are left of a block of `bytes` that stood there.
size_t left_of(uintptr_t at, size_t bytes) {
  const auto seen = peek(at + Links, bytes - Links);
  return seen ? static_cast<size_t>(std::count(seen->begin(), seen->end(), Filling)) : 0;
}

template <typename Make, typename Free>
size_t left_after(size_t bytes, Make&& make, Free&& free_block) {
  auto* block = static_cast<uint8_t*>(make(bytes));
  std::memset(block, Filling, bytes);
  const auto at = reinterpret_cast<uintptr_t>(block);
  free_block(block);
  return left_of(at, bytes);
}

TEST(WipingNew, WipesEveryFormOfDelete) {
  for (const size_t bytes : {100, 900, 4000, 60'000}) {
    EXPECT_EQ(left_after(
                  bytes, [](size_t n) { return ::operator new(n); },
                  [](void* p) { ::operator delete(p); }),
              0u);
    EXPECT_EQ(left_after(
                  bytes, [](size_t n) { return new uint8_t[n]; }, [](uint8_t* p) { delete[] p; }),
              0u);
    EXPECT_EQ(left_after(
                  bytes, [](size_t n) { return ::operator new (n, std::align_val_t{64}); },
                  [](void* p) { ::operator delete (p, std::align_val_t{64}); }),
              0u);
    EXPECT_EQ(left_after(
                  bytes, [](size_t n) { return ::operator new(n, std::nothrow); },
                  [](void* p) { ::operator delete(p, std::nothrow); }),
              0u);
  }
}

TEST(WipingNew, IsMoreThanWhatFreeDoes) {
  EXPECT_GT(left_after(
                900, [](size_t n) { return std::malloc(n); }, [](void* p) { std::free(p); }),
            800u);
}

TEST(WipingNew, WipesTheStringsThatTheLibraryGrows) {
  std::string text(1000, static_cast<char>(Filling));
  const auto at = reinterpret_cast<uintptr_t>(text.data());
  text.append(text);
  ASSERT_NE(reinterpret_cast<uintptr_t>(text.data()), at);
  EXPECT_EQ(left_of(at, 1000), 0u);
}

TEST(WipingNew, GivesMemoryThatCanBeUsed) {
  EXPECT_NE(std::unique_ptr<uint8_t[]>(new uint8_t[0]), nullptr);
  struct alignas(256) Wide {
    uint8_t bytes[300];
  };
  const auto wide = std::make_unique<Wide>();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(wide.get()) % 256, 0u);
  EXPECT_THROW(static_cast<void>(::operator new(SIZE_MAX / 2)), std::bad_alloc);
}

}  // namespace
}  // namespace viaduct::secrecy
