#include "tests/unit/audio/mix_fixture.h"

namespace viaduct::testing {
namespace {

using ::testing::Each;
using ::testing::Field;
using ::testing::Ge;
using ::testing::Le;

constexpr double Loud = 4'000, Silent = 300;

class Mix : public MixFixture {};

TEST_F(Mix, EveryoneHearsTheOthersAndNobodyHearsThemselves) {
  const double tones[] = {400, 700, 1100};
  for (uint64_t n = 0; n < 3; ++n) {
    add_speaker(n, Tone(tones[n]));
    add_listener(n);
  }
  add_listener(9);
  run_for(3s);
  for (uint64_t n = 0; n < 3; ++n) {
    for (uint64_t other = 0; other < 3; ++other) {
      if (n == other) {
        EXPECT_LT(hears(n, tones[other]), Silent) << n;
      } else {
        EXPECT_GT(hears(n, tones[other]), Loud) << n << " of " << other;
      }
    }
    EXPECT_GT(hears(9, tones[n]), Loud);
  }
}

TEST_F(Mix, IsEncodedOnceForAllWhoOnlyListenAndOnceForEachWhoIsHeard) {
  add_speaker(1, Tone(400));
  add_speaker(2, Tone(700));
  add_listener(1);
  for (uint64_t n = 10; n < 60; ++n) add_listener(n);
  run_for(2s);
  const uint64_t one = frames_for_one, all = frames_for_all;
  const uint64_t encoded = service.counters().encoded.value();
  run_for(1s);
  EXPECT_EQ(frames_for_one - one, 50u);  // 2 does not listen
  EXPECT_EQ(frames_for_all - all, 50u);
  EXPECT_EQ(service.counters().encoded.value() - encoded, 100u);
  EXPECT_EQ(service.counters().listeners.value(), 51);
}

TEST_F(Mix, EachTickIsOneStepOfTime) {
  add_speaker(1, Tone(400));
  Listener& l = add_listener(2);
  run_for(1s);
  for (size_t i = 1; i < l.frames.size(); ++i) {
    EXPECT_EQ(l.frames[i].tick, l.frames[i - 1].tick + 1);
    EXPECT_EQ(l.frames[i].made, l.frames[i - 1].made + 20ms);
  }
}

TEST_F(Mix, OnlyTheLoudestAreHeard) {
  add_listener(9);
  for (uint64_t n = 0; n < 3; ++n) add_speaker(n, Tone(400 + 300 * static_cast<double>(n), 9'000));
  add_speaker(3, Tone(1900, 2'000));
  run_for(3s);
  EXPECT_GT(hears(9, 400), Loud);
  EXPECT_LT(hears(9, 1900), Silent);
  speakers.at(0).speaks = false;
  run_for(3s);
  EXPECT_LT(hears(9, 400), Silent);
  EXPECT_GT(hears(9, 1900), 1'000);
}

TEST_F(Mix, WhoIsHeardIsNotReplacedBySomebodyAboutAsLoud) {
  add_listener(9);
  for (uint64_t n = 0; n < 3; ++n) add_speaker(n, Tone(400 + 300 * static_cast<double>(n), 8'000));
  run_for(1s);
  add_speaker(3, Tone(1900, 10'000));
  run_for(2s);
  EXPECT_LT(hears(9, 1900), Silent);
  EXPECT_GT(hears(9, 400), Loud);
}

// At the edge of what 16 bits hold there must be no plateaus: that is what clipping sounds like.
TEST(LoudMix, IsLimitedAndNotClippedWhenTenPeopleShout) {
  class Shouters : public MixFixture {
   public:
    Shouters() : MixFixture(limits::MixVoices) {}
    void TestBody() override {}
  } room;
  room.add_listener(99);
  for (uint64_t n = 0; n < 10; ++n)
    room.add_speaker(n, Tone(300 + 170 * static_cast<double>(n), 30'000, 3));
  room.run_for(5s);
  const auto& heard = room.listeners.at(99).heard;
  int plateau = 0, longest = 0;
  double power = 0;
  for (size_t i = 1; i < heard.size(); ++i) {
    power += static_cast<double>(heard[i]) * heard[i];
    plateau = std::abs(heard[i]) >= 32'700 && heard[i] == heard[i - 1] ? plateau + 1 : 0;
    longest = std::max(longest, plateau);
  }
  EXPECT_LE(longest, 2);
  EXPECT_GT(std::sqrt(power / static_cast<double>(heard.size())), 4'000);  // and loud it is
}

TEST_F(Mix, SurvivesTheEndOfASpeaker) {
  add_speaker(1, Tone(400));
  add_speaker(2, Tone(700));
  add_listener(9);
  run_for(2s);
  speakers.erase(1);
  run_for(2s);
  EXPECT_LT(hears(9, 400), 50);
  EXPECT_GT(hears(9, 700), Loud);
  run_for(5s);
  EXPECT_EQ(service.counters().conferences.value(), 1);
}

TEST_F(Mix, GoesOnWhenASourceChangesItsSsrc) {
  add_speaker(1, Tone(400));
  add_listener(9);
  run_for(2s);
  Speaker second = std::move(speakers.at(1));
  second.sequence += 500'000;  // as the path unwraps it, with a timestamp from anywhere
  speakers.erase(1);
  speakers.emplace(1, std::move(second));
  run_for(2s);
  EXPECT_GT(hears(9, 400), Loud);
}

TEST_F(Mix, IsAtAnEndWhenNobodyListensAnyMore) {
  add_speaker(1, Tone(400));
  add_listener(9);
  run_for(1s);
  listeners.clear();
  run_for(4s);
  EXPECT_EQ(service.next_deadline(), Never);
  EXPECT_EQ(service.counters().conferences.value(), 0);
}

TEST_F(Mix, IsAtAnEndAtOnceWhenTheConferenceIsForgotten) {
  add_speaker(1, Tone(400));
  add_listener(9);
  run_for(1s);
  listeners.clear();
  forget(Room);
  service.turn(now);
  EXPECT_EQ(service.next_deadline(), Never);
}

TEST_F(Mix, KeepsConferencesApart) {
  add_speaker(1, Tone(400));
  add_listener(9);
  add_speaker(2, Tone(700)).room = audio::ConferenceKey{2};
  add_listener(8).room = audio::ConferenceKey{2};
  run_for(2s);
  EXPECT_GT(hears(9, 400), Loud);
  EXPECT_LT(hears(9, 700), 50);
  EXPECT_GT(hears(8, 700), Loud);
  EXPECT_LT(hears(8, 400), 50);
}

TEST_F(Mix, LeavesOutWhatTheThreadWasTooLateForAndKeepsTime) {
  add_speaker(1, Tone(400));
  Listener& l = add_listener(9);
  run_for(1s);
  const audio::MixedFrame last = l.frames.back();
  const size_t frames = l.frames.size();
  now += 1s;
  step();
  EXPECT_LE(l.frames.size() - frames, 1u);
  run_for(20ms);
  const auto passed = l.frames.back().made - last.made;
  EXPECT_EQ(l.frames.back().tick - last.tick, static_cast<uint64_t>(passed / 20ms));
  EXPECT_GE(service.counters().ticks_skipped.value(), 48u);
}

TEST_F(Mix, SaysHowLoudItIs) {
  Listener& l = add_listener(9);
  add_speaker(1, Tone(400));
  run_for(2s);
  EXPECT_THAT(l.frames.back().level, ::testing::AllOf(Ge(8), Le(25)));
  speakers.clear();
  run_for(2s);
  EXPECT_EQ(l.frames.back().level, 127);
}

}  // namespace
}  // namespace viaduct::testing
