// The small things that say how much and how often: rates, resendings, key-frame requests.
#include <gtest/gtest.h>

#include "conference/rate_meter.h"
#include "conference/recently_resent.h"
#include "conference/source.h"

namespace viaduct::conference {
namespace {

constexpr Timestamp Start{10s};

TEST(RateMeter, CountsEverythingAndRatesTheLastFullSecond) {
  RateMeter meter;
  for (int i = 0; i < 50; ++i) meter.add(1000, Start + i * 20ms);
  EXPECT_EQ(meter.packets(), 50u);
  EXPECT_EQ(meter.bytes(), 50'000u);
  EXPECT_EQ(meter.rate(Start + 500ms).bits_per_second, 0) << "the second is not over";
  EXPECT_EQ(meter.rate(Start + 1s).bits_per_second, 400'000);
  EXPECT_EQ(meter.rate(Start + 1900ms).bits_per_second, 400'000);
}

TEST(RateMeter, FallsToZeroWhenNothingComes) {
  RateMeter meter;
  meter.add(1000, Start);
  EXPECT_GT(meter.rate(Start + 1s).bits_per_second, 0);
  EXPECT_EQ(meter.rate(Start + 2s).bits_per_second, 0);
  EXPECT_EQ(meter.rate(Start + 60s).bits_per_second, 0);
  EXPECT_EQ(meter.bytes(), 1000u);
}

TEST(RateMeter, DoesNotTakeTheBytesOfAnOldPauseForARate) {
  RateMeter meter;
  meter.add(1'000'000, Start);
  meter.add(100, Start + 10s);
  EXPECT_EQ(meter.rate(Start + 10s).bits_per_second, 0);
}

TEST(RecentlyResent, KeepsAPacketBackUntilThePatienceIsOver) {
  RecentlyResent resent;
  EXPECT_TRUE(resent.may_resend(7, Start, 50ms));
  resent.note(7, Start);
  EXPECT_FALSE(resent.may_resend(7, Start + 49ms, 50ms));
  EXPECT_TRUE(resent.may_resend(7, Start + 50ms, 50ms));
}

TEST(RecentlyResent, TellsPacketsApartThatShareAPlace) {
  RecentlyResent resent;
  resent.note(7, Start);
  EXPECT_TRUE(resent.may_resend(8, Start, 50ms));
  EXPECT_TRUE(resent.may_resend(7 + 64, Start, 50ms));
}

TEST(RecentlyResent, KnowsNothingBeforeTheFirst) {
  EXPECT_TRUE(RecentlyResent().may_resend(0, Start, 50ms)) << "an empty place looks like number 0";
}

TEST(KeyFrameThrottle, AsksForNothingUnlessWanted) {
  KeyFrameThrottle throttle;
  EXPECT_FALSE(throttle.take(Start));
  throttle.want();
  EXPECT_TRUE(throttle.take(Start));
  EXPECT_FALSE(throttle.take(Start)) << "asked already";
}

TEST(KeyFrameThrottle, RepeatsARequestThatNoKeyFrameAnswered) {
  KeyFrameThrottle throttle;
  throttle.want();
  EXPECT_TRUE(throttle.take(Start));
  EXPECT_FALSE(throttle.take(Start + 499ms));
  EXPECT_TRUE(throttle.take(Start + 500ms));
  throttle.on_key_frame();
  EXPECT_FALSE(throttle.take(Start + 5s));
}

TEST(KeyFrameThrottle, AsksAgainNoSoonerThan200MillisecondsAfterAnAnswer) {
  KeyFrameThrottle throttle;
  throttle.want();
  EXPECT_TRUE(throttle.take(Start));
  throttle.on_key_frame();
  throttle.want();
  EXPECT_FALSE(throttle.take(Start + 199ms));
  EXPECT_TRUE(throttle.take(Start + 200ms));
}

TEST(KeyFrameThrottle, AsksFiveTimesASecondAtMostWhateverIsWanted) {
  for (const bool answered : {false, true}) {
    KeyFrameThrottle throttle;
    int requests = 0;
    for (Duration t{}; t < 10s; t += 1ms) {
      for (int i = 0; i < 10; ++i) throttle.want();
      if (!throttle.take(Start + t)) continue;
      ++requests;
      if (answered) throttle.on_key_frame();
    }
    EXPECT_LE(requests, 50);
    EXPECT_GE(requests, 20);
  }
}

TEST(KeyFrameThrottle, AsksOnceForEachWishWhereNoAnswerCanBeSeen) {
  KeyFrameThrottle requests;
  requests.set_answers_visible(false);
  requests.want();
  EXPECT_TRUE(requests.take(Start));
  EXPECT_FALSE(requests.take(Start + 10s)) << "for all the bridge knows it was answered";
  requests.want();
  EXPECT_TRUE(requests.take(Start + 10s));
  requests.want();
  EXPECT_FALSE(requests.take(Start + 10s + 199ms)) << "no more than five a second";
  EXPECT_TRUE(requests.take(Start + 10s + 200ms));
}

TEST(KeyFrameThrottle, StopsRepeatingWhenAnswersCanNoLongerBeSeen) {
  KeyFrameThrottle requests;
  requests.want();
  EXPECT_TRUE(requests.take(Start));
  EXPECT_TRUE(requests.take(Start + 500ms));
  requests.set_answers_visible(false);
  EXPECT_TRUE(requests.take(Start + 1s));
  EXPECT_FALSE(requests.take(Start + 60s));
}

}  // namespace
}  // namespace viaduct::conference
