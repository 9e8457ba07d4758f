#include "conference/allocator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace viaduct::conference {
namespace {

using codec::MediaKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

SourceRef source(uint32_t endpoint) { return {Handle<Endpoint>{endpoint, 0}, 0}; }

// The slots of one client, one letter each: 'a' audio, 'v' video.
class Slots {
 public:
  explicit Slots(std::string_view kinds) {
    for (const char kind : kinds) {
      const auto media = kind == 'a' ? MediaKind::Audio : MediaKind::Video;
      slots_.emplace_back(SlotDescription{.kind = media}, random_);
    }
  }
  // Allocates and carries out the changes; returns how many there were.
  size_t allocate(MediaKind kind, std::vector<SourceRef> wanted) {
    const auto changes = conference::allocate(slots_, kind, wanted);
    for (const SlotChange& c : changes) slots_[c.slot].carry(c.carries);
    return changes.size();
  }
  // By slot: the endpoint whose source it carries, or -1.
  std::vector<int> carried() const {
    std::vector<int> out;
    for (const Subscription& s : slots_) {
      out.push_back(s.carries ? static_cast<int>(s.carries->endpoint.index) : -1);
    }
    return out;
  }

 private:
  SeededRandom random_{1};
  std::vector<Subscription> slots_;
};

TEST(Allocator, FillsSlotsOfTheKindInTheirOrder) {
  Slots slots("avav");
  slots.allocate(MediaKind::Video, {source(7), source(8)});
  EXPECT_THAT(slots.carried(), ElementsAre(-1, 7, -1, 8));
}

TEST(Allocator, CarriesTheMostWantedWhenThereAreFewerSlots) {
  Slots slots("vv");
  slots.allocate(MediaKind::Video, {source(7), source(8), source(9)});
  EXPECT_THAT(slots.carried(), ElementsAre(7, 8));
}

TEST(Allocator, LeavesEveryoneInPlaceWhenTheOrderChanges) {
  Slots slots("vvv");
  slots.allocate(MediaKind::Video, {source(7), source(8), source(9)});
  EXPECT_EQ(slots.allocate(MediaKind::Video, {source(9), source(7), source(8)}), 0u);
  EXPECT_THAT(slots.carried(), ElementsAre(7, 8, 9));
}

TEST(Allocator, GivesOnlyTheSlotOfTheDisplacedToANewcomer) {
  Slots slots("vvv");
  slots.allocate(MediaKind::Video, {source(7), source(8), source(9)});
  EXPECT_EQ(slots.allocate(MediaKind::Video, {source(5), source(9), source(7)}), 1u);
  EXPECT_THAT(slots.carried(), ElementsAre(7, 5, 9));
}

TEST(Allocator, EmptiesTheSlotOfASourceThatNobodyWantsAnyMore) {
  Slots slots("vv");
  slots.allocate(MediaKind::Video, {source(7), source(8)});
  slots.allocate(MediaKind::Video, {source(8)});
  EXPECT_THAT(slots.carried(), ElementsAre(-1, 8));
  slots.allocate(MediaKind::Video, {source(8), source(9)});
  EXPECT_THAT(slots.carried(), ElementsAre(9, 8));
}

TEST(Allocator, TellsTheSourcesOfOneClientApart) {
  Slots slots("vv");
  const SourceRef camera{Handle<Endpoint>{7, 0}, 1}, screen{Handle<Endpoint>{7, 0}, 2};
  EXPECT_EQ(slots.allocate(MediaKind::Video, {camera, screen}), 2u);
}

TEST(Allocator, HasNothingToDoWithoutSlots) {
  EXPECT_EQ(Slots("aa").allocate(MediaKind::Video, {source(7)}), 0u);
  EXPECT_THAT(Slots("").carried(), IsEmpty());
}

}  // namespace
}  // namespace viaduct::conference
