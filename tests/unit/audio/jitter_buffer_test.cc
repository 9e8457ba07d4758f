#include "audio/jitter_buffer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/random.h"

namespace viaduct::audio {
namespace {

using From = JitterBuffer::From;
using Fate = JitterBuffer::Fate;
using Pace = JitterBuffer::Pace;
using ::testing::ElementsAre;

constexpr Duration Frame = 20ms;

// A sender and the buffer, on virtual time. Packet n is sent at n * 20 ms of the sender's clock and
// carries n.
class JitterBufferTest : public ::testing::Test {
 protected:
  Fate put(int64_t n, Timestamp at, int64_t withheld = -1) {
    const auto number = static_cast<uint8_t>(n);
    return buffer.put({.sequence = n,
                       .withheld = withheld,
                       .timestamp = FirstTimestamp + static_cast<uint32_t>(n * 960),
                       .samples = 960,
                       .at = at,
                       .payload = Bytes(&number, 1)});
  }
  // In time, after a transit of `later`.
  Fate put(int64_t n, Duration later = 0ms) { return put(n, sent(n) + later); }
  static Timestamp sent(int64_t n) { return Timestamp(10s) + n * Frame; }
  // Plays until the first packet does, which stays the last one played.
  Timestamp begin(int64_t n) {
    put(n);
    Timestamp now = sent(n);
    while (buffer.take(now).from != From::Packet) now += Frame;
    return now;
  }
  // The number of the packet that a piece is of.
  static int number(const JitterBuffer::Piece& p) { return p.payload.empty() ? -1 : p.payload[0]; }

  static constexpr uint32_t FirstTimestamp = 0xffff'f000;  // wraps early
  JitterBuffer buffer;
};

TEST_F(JitterBufferTest, PlaysPacketsInTheirOrderHoweverTheyCome) {
  Timestamp now = begin(0);
  for (const int64_t n : {2, 1, 4, 3}) EXPECT_EQ(put(n, now), Fate::Kept);
  EXPECT_EQ(put(3, now), Fate::Repeated);
  std::vector<int> played;
  for (int i = 0; i < 4; ++i) played.push_back(number(buffer.take(now += Frame)));
  EXPECT_THAT(played, ElementsAre(1, 2, 3, 4));
}

TEST_F(JitterBufferTest, KeepsWhatComesWhileAPacketIsPlayed) {
  Timestamp now = begin(3);  // which has been handed out and not yet been forgotten
  put(4, now);
  EXPECT_EQ(number(buffer.take(now += Frame)), 4);
}

TEST_F(JitterBufferTest, WaitsBeforeItBeginsForPacketsThatAreSlower) {
  put(0);
  EXPECT_EQ(buffer.take(sent(0)).from, From::Silence);
  EXPECT_FALSE(buffer.is_playing());
  EXPECT_EQ(buffer.take(sent(0) + 40ms).from, From::Packet);
  EXPECT_EQ(buffer.delay(sent(0) + 60ms), 40ms);
}

TEST_F(JitterBufferTest, FillsAGapOfOneFromThePacketBehindIt) {
  Timestamp now = begin(0);
  put(2, now);
  const auto piece = buffer.take(now += Frame);
  EXPECT_EQ(piece.from, From::Redundancy);
  EXPECT_EQ(number(piece), 2);
  EXPECT_EQ(piece.samples, 960u);
  EXPECT_EQ(number(buffer.take(now += Frame)), 2);
}

TEST_F(JitterBufferTest, GuessesAtAllButTheLastOfALongerGap) {
  Timestamp now = begin(0);
  put(4, now);
  std::vector<From> from;
  for (int i = 0; i < 4; ++i) from.push_back(buffer.take(now += Frame).from);
  EXPECT_THAT(from, ElementsAre(From::Guess, From::Guess, From::Redundancy, From::Packet));
}

TEST_F(JitterBufferTest, FallsSilentAfterAFewGuesses) {
  Timestamp now = begin(0);
  for (int i = 0; i < JitterBuffer::MaxGuesses; ++i)
    EXPECT_EQ(buffer.take(now += Frame).from, From::Guess);
  EXPECT_EQ(buffer.take(now += Frame).from, From::Silence);
  EXPECT_FALSE(buffer.is_playing());
}

TEST_F(JitterBufferTest, DoesNotGuessAtWhatWasWithheldAsSilence) {
  Timestamp now = begin(0);
  put(3, now, /*withheld=*/2);
  std::vector<From> from;
  for (int i = 0; i < 3; ++i) from.push_back(buffer.take(now += Frame).from);
  EXPECT_THAT(from, ElementsAre(From::Silence, From::Silence, From::Packet));
}

TEST_F(JitterBufferTest, LetsALatePacketPlayAfterAGuessAndIsLaterFromThenOn) {
  Timestamp now = begin(0);
  EXPECT_EQ(buffer.take(now += Frame).from, From::Guess);
  put(1, now);
  EXPECT_EQ(number(buffer.take(now += Frame)), 1);
}

TEST_F(JitterBufferTest, DoesNotPlayAGapTwiceThatItHasGuessedAtAlready) {
  Timestamp now = begin(0);
  EXPECT_EQ(buffer.take(now += Frame).from, From::Guess);
  put(2, now);  // 1 is lost
  EXPECT_EQ(number(buffer.take(now += Frame)), 2);
}

TEST_F(JitterBufferTest, RefusesPacketsWhoseTimeIsOver) {
  Timestamp now = begin(0);
  put(2, now);
  buffer.take(now += Frame);
  EXPECT_EQ(put(1, now), Fate::Late);
  EXPECT_EQ(put(0, now), Fate::Late);
}

TEST_F(JitterBufferTest, BeginsAnewWhenTimestampsLeap) {
  Timestamp now = begin(0);
  EXPECT_EQ(put(10'000'000, now), Fate::Kept);
  EXPECT_FALSE(buffer.is_playing());
  EXPECT_EQ(buffer.size(), 1u);
  EXPECT_EQ(number(buffer.take(now + 40ms)), static_cast<uint8_t>(10'000'000));
}

// A call of some minutes or an hour, at cheap packets.
struct Course {
  double ppm = 0;         // the sender's clock is faster by
  Duration jitter = 0ms;  // exponential, of this mean
  double loss = 0;
  Duration length = 60s;
};
struct Outcome {
  std::map<From, int> pieces;
  int longer = 0, shorter = 0, late = 0;
  Duration least = 1h, most = 0s;  // delay, after the first ten seconds
  size_t fullest = 0;
};

Outcome hold(const Course& course) {
  JitterBuffer buffer;
  SeededRandom random(11);
  Outcome out;
  std::multimap<Timestamp, int64_t> under_way;
  const double period = 20e6 / (1 + course.ppm * 1e-6);  // ns
  const auto unit = [&] { return (static_cast<double>(random.u32()) + 1) / 4294967297.0; };
  int64_t sent = 0;
  const Timestamp start(1h);
  for (Timestamp now = start; now < start + course.length; now += Frame) {
    for (; start + Duration(static_cast<int64_t>(static_cast<double>(sent) * period)) <= now;
         ++sent) {
      const Timestamp at =
          start + Duration(static_cast<int64_t>(static_cast<double>(sent) * period));
      const auto later = Duration(
          static_cast<int64_t>(-std::log(unit()) * static_cast<double>(course.jitter.count())));
      if (unit() > course.loss) under_way.emplace(at + later, sent);
    }
    const uint8_t payload = 0;
    for (auto it = under_way.begin(); it != under_way.end() && it->first <= now;) {
      const auto fate = buffer.put({.sequence = it->second,
                                    .timestamp = static_cast<uint32_t>(it->second * 960),
                                    .samples = 960,
                                    .at = it->first,
                                    .payload = Bytes(&payload, 1)});
      out.late += fate == Fate::Late;
      it = under_way.erase(it);
    }
    const Pace pace = buffer.pick_pace(now, false);
    out.longer += pace == Pace::Longer;
    out.shorter += pace == Pace::Shorter;
    const int frames = pace == Pace::Longer ? 0 : pace == Pace::Shorter ? 2 : 1;
    for (int i = 0; i < frames; ++i) ++out.pieces[buffer.take(now).from];
    out.fullest = std::max(out.fullest, buffer.size());
    if (now - start < 10s || !buffer.is_playing()) continue;
    out.least = std::min(out.least, buffer.delay(now));
    out.most = std::max(out.most, buffer.delay(now));
  }
  return out;
}

TEST(JitterBufferCourse, IsNoDeeperThanASteadyNetworkNeeds) {
  const Outcome steady = hold({.length = 120s});
  EXPECT_LE(steady.least, 40ms);
  EXPECT_EQ(steady.late, 0);
  EXPECT_EQ(steady.longer, 0);
  EXPECT_EQ(steady.pieces.at(From::Packet), 5998 + steady.shorter);  // it begins 40 ms late
}

TEST(JitterBufferCourse, GrowsWithTheJitterSoThatFewPacketsAreLate) {
  const Outcome rough = hold({.jitter = 15ms, .length = 120s});
  EXPECT_GE(rough.most, 50ms);
  EXPECT_LE(rough.most, 150ms);
  EXPECT_LT(rough.late, 6000 * 5 / 100);
  EXPECT_LT(rough.pieces.at(From::Guess), 6000 * 5 / 100);
}

TEST(JitterBufferCourse, TakesMostLossesFromRedundancy) {
  const Outcome lossy = hold({.jitter = 3ms, .loss = 0.1, .length = 120s});
  EXPECT_GT(lossy.pieces.at(From::Redundancy), 6000 * 7 / 100);
  EXPECT_LT(lossy.pieces.at(From::Guess), 6000 * 3 / 100);
}

class DriftOfAnHour : public ::testing::TestWithParam<double> {};

TEST_P(DriftOfAnHour, NeitherFillsNorEmptiesTheBuffer) {
  Outcome hour = hold({.ppm = GetParam(), .jitter = 2ms, .length = 1h});
  EXPECT_LE(hour.most, 100ms);
  EXPECT_LE(hour.fullest, 6u);
  EXPECT_LT(hour.late, 180);
  EXPECT_LT(hour.pieces[From::Guess] + hour.longer, 300);
  EXPECT_LT(hour.shorter, 150);
  EXPECT_NEAR(hour.pieces.at(From::Packet), 180'000, 300);
}

INSTANTIATE_TEST_SUITE_P(Clocks, DriftOfAnHour, ::testing::Values(-100.0, 0.0, 100.0));

TEST(JitterBufferCourse, SurvivesAnyNumbersAndNeverHoldsMoreThanItsBound) {
  SeededRandom random(5);
  JitterBuffer buffer;
  Timestamp now(1s);
  const std::vector<uint8_t> payload(JitterBuffer::MaxPayloadBytes, 7);
  uint32_t timestamp = 0;
  for (int i = 0; i < 200'000; ++i) {
    const uint32_t choice = random.u32() % 8;
    timestamp += choice == 0 ? random.u32() : choice == 1 ? 0u - random.u32() % 20'000 : 960;
    buffer.put({.sequence = static_cast<int64_t>(random.u32()),
                .withheld = static_cast<int64_t>(random.u32()),
                .timestamp = timestamp,
                .samples = 120 * (1 + random.u32() % 48),
                .at = now,
                .payload = Bytes(payload).first(random.u32() % payload.size())});
    ASSERT_LE(buffer.size(), JitterBuffer::Capacity);
    if (random.u32() % 2 == 0) continue;
    now += Duration(random.u32() % 40'000'000);
    buffer.pick_pace(now, random.u32() % 2 == 0);
    const auto piece = buffer.take(now);
    ASSERT_GE(piece.samples, 120u);
    ASSERT_LE(piece.samples, 5760u);
    ASSERT_EQ(piece.samples % 120, 0u);
  }
}

}  // namespace
}  // namespace viaduct::audio
