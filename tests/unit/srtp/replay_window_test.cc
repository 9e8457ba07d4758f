#include "protocol/srtp/replay_window.h"

#include <gtest/gtest.h>

#include <set>

#include "base/random.h"
#include "protocol/srtp/packet_index.h"

namespace viaduct::srtp {
namespace {

TEST(ReplayWindow, TakesEachIndexOnce) {
  ReplayWindow window;
  for (uint64_t index : {100u, 101u, 99u, 350u, 102u}) {
    EXPECT_TRUE(window.is_new(index)) << index;
    EXPECT_TRUE(window.commit(index)) << index;
    EXPECT_FALSE(window.is_new(index)) << index;
    EXPECT_FALSE(window.commit(index)) << index;
  }
  EXPECT_EQ(window.highest(), 350u);
}

TEST(ReplayWindow, TakesIndexZeroFirst) {
  ReplayWindow window;
  EXPECT_FALSE(window.started());
  EXPECT_TRUE(window.commit(0));
  EXPECT_TRUE(window.started());
  EXPECT_FALSE(window.is_new(0));
}

TEST(ReplayWindow, RefusesWhatLiesBehindIt) {
  ReplayWindow window;
  window.commit(1000);
  EXPECT_TRUE(window.is_new(1000 - ReplayWindow::WindowPackets + 1));
  EXPECT_FALSE(window.is_new(1000 - ReplayWindow::WindowPackets));
  EXPECT_FALSE(window.is_new(0));
}

TEST(ReplayWindow, IsNotMovedByATestAlone) {
  ReplayWindow window;
  window.commit(10);
  EXPECT_TRUE(window.is_new(uint64_t{1} << 47));  // a forged packet, far ahead, that will not authenticate
  EXPECT_EQ(window.highest(), 10u);
  EXPECT_TRUE(window.is_new(9));
}

TEST(ReplayWindow, RefusesTheSecondOfTwoCopiesThatBothPassedTheTest) {
  ReplayWindow window;
  window.commit(10);
  EXPECT_TRUE(window.is_new(11));
  EXPECT_TRUE(window.is_new(11));
  EXPECT_TRUE(window.commit(11));
  EXPECT_FALSE(window.commit(11));
}

TEST(ReplayWindow, RefusesAtTheVerdictWhatHasFallenBehindSinceTheTest) {
  ReplayWindow window;
  window.commit(10);
  EXPECT_TRUE(window.is_new(9));
  window.commit(10 + ReplayWindow::WindowPackets);
  EXPECT_FALSE(window.commit(9));
}

TEST(ReplayWindow, ForgetsNothingAndRemembersNothingWrongOverARandomWalk) {
  SeededRandom random(2);
  ReplayWindow window;
  std::set<uint64_t> seen;
  uint64_t highest = 5'000;
  window.commit(highest);
  seen.insert(highest);
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t index = highest - 400 + random.below(random.chance(0.01) ? 1'500 : 410);
    const bool inside = index + ReplayWindow::WindowPackets > highest;
    ASSERT_EQ(window.commit(index), inside && !seen.contains(index)) << index << " with highest " << highest;
    if (inside) seen.insert(index);
    highest = std::max(highest, index);
  }
}

// S06: everything that was sent around a rollover comes again, in the shape of wire sequence numbers.
TEST(ReplayWindow, TakesNoReplayAcrossARollover) {
  ReplayWindow window;
  const auto receive = [&](uint16_t seq) {
    const auto index = window.started() ? estimate_index(window.highest(), seq) : seq;
    return index && window.commit(*index);
  };
  std::vector<uint16_t> sent;
  for (uint32_t i = 0; i < 200; ++i) sent.push_back(static_cast<uint16_t>(65'436 + i));
  for (uint16_t seq : sent) EXPECT_TRUE(receive(seq)) << seq;
  EXPECT_EQ(window.highest(), 65'436u + 199);
  for (int round = 0; round < 3; ++round) {
    for (uint16_t seq : sent) EXPECT_FALSE(receive(seq)) << seq;
  }
}

TEST(ReplayWindow, TakesALatePacketFromBeforeARollover) {
  ReplayWindow window;
  window.commit(65'534);
  window.commit(65'536 + 2);
  const auto late = estimate_index(window.highest(), 65'535);
  ASSERT_TRUE(late);
  EXPECT_EQ(*late, 65'535u);
  EXPECT_TRUE(window.commit(*late));
}

}  // namespace
}  // namespace viaduct::srtp
