#include "base/slot_map.h"

#include <gtest/gtest.h>

#include <string>
#include <unordered_set>

namespace viaduct {
namespace {

TEST(SlotMap, FindsWhatItKeeps) {
  SlotMap<std::string> map(4);
  const auto a = map.emplace("a");
  const auto b = map.emplace("b");
  EXPECT_TRUE(a);
  EXPECT_NE(a, b);
  EXPECT_EQ(*map.find(a), "a");
  EXPECT_EQ(*map.find(b), "b");
  EXPECT_EQ(map.size(), 2u);
}

TEST(SlotMap, FindsNothingUnderANameWhoseObjectWasReplaced) {
  SlotMap<std::string> map(1);
  const auto old = map.emplace("old");
  map.erase(old);
  EXPECT_EQ(map.find(old), nullptr);
  const auto young = map.emplace("young");
  EXPECT_EQ(young.index, old.index);
  EXPECT_NE(young.generation, old.generation);
  EXPECT_EQ(map.find(old), nullptr);
  map.erase(old);  // does nothing
  EXPECT_EQ(*map.find(young), "young");
  EXPECT_EQ(map.size(), 1u);
}

TEST(SlotMap, FindsNothingUnderAnEmptyOrForeignName) {
  SlotMap<int> map(4);
  EXPECT_EQ(map.find({}), nullptr);
  EXPECT_EQ(map.find({0, 1}), nullptr);
  EXPECT_EQ(map.find({3, 1}), nullptr);
  map.erase({3, 1});
  EXPECT_EQ(map.size(), 0u);
}

TEST(SlotMap, GivesAnEmptyNameWhenFullAndTakesFreedPlaces) {
  SlotMap<int> map(2);
  const auto a = map.emplace(1);
  EXPECT_TRUE(map.emplace(2));
  EXPECT_FALSE(map.emplace(3));
  EXPECT_EQ(map.size(), 2u);
  map.erase(a);
  EXPECT_TRUE(map.emplace(3));
}

TEST(SlotMap, KeepsObjectsInPlaceWhileItGrows) {
  SlotMap<int> map(1000);
  const auto first = map.emplace(7);
  const int* const at = map.find(first);
  for (int i = 0; i < 999; ++i) map.emplace(i);
  EXPECT_EQ(map.find(first), at);
}

TEST(SlotMap, VisitsEachObjectAndMayLoseItOnTheWay) {
  SlotMap<int> map(4);
  for (int i = 0; i < 4; ++i) map.emplace(i);
  int sum = 0;
  map.for_each([&](Handle<int> h, int& value) {
    sum += value;
    if (value % 2 == 0) map.erase(h);
  });
  EXPECT_EQ(sum, 0 + 1 + 2 + 3);
  EXPECT_EQ(map.size(), 2u);
}

TEST(Handle, HashesByIndexAndGeneration) {
  const std::unordered_set<Handle<int>> handles = {{1, 1}, {1, 2}, {2, 1}, {1, 1}};
  EXPECT_EQ(handles.size(), 3u);
}

}  // namespace
}  // namespace viaduct
