// How long a worker lets packets gather, by what it sends.
#include "path/coalescer.h"

#include <gtest/gtest.h>

namespace viaduct::path {
namespace {

constexpr Duration Turn = 1ms;

// A worker's turns on virtual time.
class Load {
 public:
  // Sends at `rate` packets a second for `time`.
  void run(int64_t rate, Duration time) {
    for (const Timestamp end = now + time; now < end; now += Turn) {
      due_ += to_seconds(Turn) * static_cast<double>(rate);
      coalescer.on_turn(static_cast<uint64_t>(due_), now);
    }
  }
  Duration wait() const { return coalescer.wait(now, now); }

  Coalescer coalescer;
  Timestamp now{100s};

 private:
  double due_ = 0;
};

TEST(Coalescer, LetsNobodyWaitAtFirst) { EXPECT_EQ(Load().wait(), 0ns); }

TEST(Coalescer, LetsNobodyWaitWhileLittleIsSent) {
  Load load;
  load.run(Coalescer::Quiet, 1s);
  EXPECT_EQ(load.wait(), 0ns);
}

TEST(Coalescer, WaitsAMillisecondAtMostHoweverMuchIsSent) {
  Load load;
  load.run(Coalescer::Busy, 1s);
  EXPECT_EQ(load.wait(), limits::LongestGather);
  load.run(100 * Coalescer::Busy, 1s);
  EXPECT_EQ(load.wait(), limits::LongestGather);
}

TEST(Coalescer, WaitsLongerTheMoreIsSent) {
  Load some, more;
  some.run(Coalescer::Quiet + 3'000, 1s);
  more.run(Coalescer::Quiet + 9'000, 1s);
  EXPECT_GT(some.wait(), 0ns);
  EXPECT_GT(more.wait(), some.wait());
  EXPECT_LT(more.wait(), limits::LongestGather);
}

TEST(Coalescer, FollowsTheLoadWithinTwoWindows) {
  Load load;
  load.run(Coalescer::Busy, 1s);
  load.run(0, 2 * Coalescer::Window);
  EXPECT_EQ(load.wait(), 0ns);
  load.run(Coalescer::Busy, 2 * Coalescer::Window);
  EXPECT_EQ(load.wait(), limits::LongestGather);
}

TEST(Coalescer, CountsFramesWithPausesBetweenThemAsOneStream) {
  Load load;
  for (int frame = 0; frame < 60; ++frame) {  // 30 a second, all of a frame at once
    load.run(1'000'000, 1ms);
    load.run(0, 32ms);
  }
  EXPECT_EQ(load.wait(), limits::LongestGather);
}

TEST(Coalescer, TakesOffWhatThePacketsHaveWaitedAlready) {
  Load load;
  load.run(Coalescer::Busy, 1s);
  EXPECT_EQ(load.coalescer.wait(load.now - 300us, load.now), limits::LongestGather - 300us);
  EXPECT_EQ(load.coalescer.wait(load.now - 990us, load.now), 0ns) << "not worth a sleep";
  EXPECT_EQ(load.coalescer.wait(load.now - 5ms, load.now), 0ns);
}

}  // namespace
}  // namespace viaduct::path
