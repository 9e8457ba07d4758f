// What a sender is told that others need of its pictures.
#include "conference/layer_needs.h"

#include <gtest/gtest.h>

namespace viaduct::conference {
namespace {

constexpr Timestamp Start{60s};
constexpr uint64_t Alone = 0;

LayerLadder ladder() {
  LayerLadder all;
  for (uint8_t i = 0; i < 3; ++i)
    all.add({.layer = {i, {}}, .height = static_cast<uint16_t>(180 << i), .rate = DataRate::kbps(100 << i)});
  return all;
}

class LayerNeedsTest : public testing::Test {
 protected:
  LayerNeedsTest() { needs.note_heights(ladder()); }
  // Whether the sender is told something, of a source that is sent and received on no other worker.
  bool settle(Timestamp now) { return needs.settle(Alone, true, now); }

  LayerNeeds needs{3};
};

TEST_F(LayerNeedsTest, AreAllEncodingsUpToTheHeight) {
  EXPECT_EQ(needs.need_of(-1), (LayerNeed{0b111, -1}));
  EXPECT_EQ(needs.need_of(0), (LayerNeed{0, 0}));
  EXPECT_EQ(needs.need_of(90), (LayerNeed{0b001, 90})) << "the smallest that there is";
  EXPECT_EQ(needs.need_of(180), (LayerNeed{0b001, 180}));
  EXPECT_EQ(needs.need_of(719), (LayerNeed{0b011, 719}));
  EXPECT_EQ(needs.need_of(720), (LayerNeed{0b111, 720}));
}

TEST_F(LayerNeedsTest, AreWhateverHasNoKnownHeight) {
  EXPECT_EQ(LayerNeeds(2).need_of(90), (LayerNeed{0b11, 90}));
}

TEST_F(LayerNeedsTest, KeepTheHeightOfAnEncodingThatIsNotSentAnyMore) {
  LayerLadder low;
  low.add(ladder().rungs()[0]);
  needs.note_heights(low);
  EXPECT_EQ(needs.need_of(360), (LayerNeed{0b011, 360}));
}

TEST_F(LayerNeedsTest, AreToldAtOnceWhenThereAreMoreAndLaterWhenThereAreFewer) {
  needs.here = needs.need_of(-1);
  EXPECT_FALSE(settle(Start)) << "everything is needed until the sender hears otherwise";
  needs.here = needs.need_of(180);
  EXPECT_FALSE(settle(Start));
  EXPECT_FALSE(settle(Start + 4900ms));
  EXPECT_TRUE(settle(Start + 5s));
  EXPECT_EQ(needs.told(), (LayerNeed{0b001, 180}));
  EXPECT_FALSE(settle(Start + 6s));
  needs.here = needs.need_of(360);
  EXPECT_TRUE(settle(Start + 6s));
  EXPECT_EQ(needs.told(), (LayerNeed{0b011, 360}));
}

TEST_F(LayerNeedsTest, AreNotTakenBackForAMoment) {
  needs.here = needs.need_of(-1);
  for (Timestamp now = Start; now < Start + 60s; now += 4s) {
    needs.here = needs.need_of(180);
    EXPECT_FALSE(settle(now));
    needs.here = needs.need_of(-1);
    EXPECT_FALSE(settle(now + 3s));
  }
}

TEST_F(LayerNeedsTest, AreThoseOfAllWorkersTogether) {
  constexpr uint64_t Others = 0b110;
  const auto settled = [&](Timestamp now) { return needs.settle(Others, true, now); };
  needs.here = {};
  needs.set_elsewhere(1, needs.need_of(180));
  EXPECT_FALSE(settled(Start));
  EXPECT_FALSE(settled(Start + 10s)) << "worker 2 has not said anything";
  needs.set_elsewhere(2, needs.need_of(360));
  settled(Start + 10s);
  EXPECT_TRUE(settled(Start + 15s));
  EXPECT_EQ(needs.told(), (LayerNeed{0b011, 360}));
  needs.set_elsewhere(1, {0xff, -1});
  EXPECT_TRUE(settled(Start + 16s));
  EXPECT_EQ(needs.told(), (LayerNeed{0b111, -1})) << "and no encoding that there is not";
  needs.settle(0b100, true, Start + 17s);  // worker 1 has nobody in the conference any more
  EXPECT_TRUE(needs.settle(0b100, true, Start + 22s));
  EXPECT_EQ(needs.told(), (LayerNeed{0b011, 360}));
}

TEST_F(LayerNeedsTest, AreEverythingBeforeTheSourceIsSent) {
  needs.here = {};
  EXPECT_FALSE(needs.settle(Alone, false, Start));
  EXPECT_FALSE(needs.settle(Alone, false, Start + 10s));
  settle(Start + 10s);
  EXPECT_TRUE(settle(Start + 15s));
  EXPECT_EQ(needs.told(), LayerNeed());
  EXPECT_TRUE(needs.settle(Alone, false, Start + 16s)) << "it may begin again";
  EXPECT_EQ(needs.told(), (LayerNeed{0b111, -1}));
}

}  // namespace
}  // namespace viaduct::conference
