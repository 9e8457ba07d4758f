// Media does not stay in memory: buffers that came back are wiped, in time and a few at a time.
#include "tests/packets/path_fixture.h"

namespace viaduct::testing {
namespace {

class Wipe : public PathFixture {
 protected:
  // Runs the path as its worker does: it sleeps until the path's deadline, at most half a second.
  void sleep_through(Duration time) {
    for (const Timestamp end = now_ + time; now_ < end;) {
      now_ = std::min({path.next_deadline(), now_ + 500ms, end});
      path.turn(now_);
    }
  }
  void use_whole_pool() {
    std::vector<Packet> packets(io.free_packets());
    ASSERT_EQ(io.allocate(packets), packets.size());
    io.release(packets);
  }
};

TEST_F(Wipe, LeavesNothingFiveSecondsAfterTheLastParticipantIsGone) {
  TestClient& alice = join_sender(1);
  TestClient& bob = join_sender(2);
  use_whole_pool();
  ASSERT_EQ(io.unwiped(), io.pool_size());
  leave(alice);
  leave(bob);
  sleep_through(5s);
  EXPECT_EQ(io.unwiped(), 0u);
}

TEST_F(Wipe, LeavesNothingFiveSecondsAfterAParticipantWhoseCallGoesOn) {
  TestClient& alice = join_sender(1);
  join_sender(2);
  use_whole_pool();
  leave(alice);
  sleep_through(5s);
  EXPECT_EQ(io.unwiped(), 0u);
}

TEST_F(Wipe, IsDoneAFewBuffersAtATimeForPacketsToPassBetween) {
  join_sender(1);
  use_whole_pool();
  const Timestamp start = now_;
  size_t ticks = 0;
  for (; io.unwiped() > 0; ++ticks) {
    const size_t before = io.unwiped();
    now_ = path.next_deadline();
    path.turn(now_);
    ASSERT_LE(before - io.unwiped(), limits::WipedPacketsPerTick);
    ASSERT_LT(now_ - start, limits::WipeWithin);
  }
  EXPECT_GE(ticks, io.pool_size() / limits::WipedPacketsPerTick);
  EXPECT_EQ(io.most_wiped_at_once, limits::WipedPacketsPerTick);
}

TEST_F(Wipe, LetsTheWorkerSleepOnceAllIsDone) {
  use_whole_pool();
  now_ += 500ms;
  path.turn(now_);
  EXPECT_LE(path.next_deadline() - now_, 10ms);
  sleep_through(5s);
  EXPECT_EQ(path.next_deadline(), Never);
}

}  // namespace
}  // namespace viaduct::testing
