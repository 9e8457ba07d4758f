// Who is taken for the speaker, from patterns of the levels that voices state.
#include "conference/dominant_speaker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>
#include <vector>

namespace viaduct::conference {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr EndpointId Ada{1}, Bob{2}, Eve{3};
constexpr Timestamp Start{60s};

// What somebody's microphone states every 20 ms: 0 is the loudest, 127 silence; nothing: no packet.
using Sound = std::function<std::optional<uint8_t>(Duration since_start)>;

// Room noise at -80 dBov or so, which moves by a few dB.
std::optional<uint8_t> room(Duration t) { return static_cast<uint8_t>(78 + to_ms(t) / 20 % 5); }

// Syllables of 140 to 260 ms with gaps of 40 ms between them, at -30 dBov or so.
Sound speech(Duration from, Duration until, unsigned seed = 1) {
  return [=](Duration t) -> std::optional<uint8_t> {
    if (t < from || t >= until) return room(t);
    std::mt19937 random(seed);
    for (Duration at = from;;) {
      const Duration syllable = (7 + random() % 7) * 20ms;
      if (t < at + syllable) return static_cast<uint8_t>(26 + (to_ms(t) / 20 * 7 + seed) % 9);
      at += syllable + 40ms;
      if (t < at) return room(t);
    }
  };
}

// A table of people whose sounds a test makes up.
class Table {
 public:
  explicit Table(std::map<EndpointId, Sound> people) : people_(std::move(people)) {}

  void run_until(Duration end) {
    for (; t_ < end; t_ += 20ms) {
      for (const auto& [who, sound] : people_) {
        if (const auto level = sound(t_)) activity_[who].on_level(*level, Start + t_);
      }
      if (!speaker.due(Start + t_)) continue;
      std::vector<DominantSpeaker::Voice> voices;
      for (const auto& [who, a] : activity_)
        voices.push_back({who, a.counts(Start + t_), a.last_level()});
      if (speaker.decide(voices, Start + t_).speaker) changes.emplace_back(to_ms(t_), *speaker.current());
    }
  }
  DominantSpeaker speaker;
  std::vector<std::pair<int64_t, EndpointId>> changes;  // when, in ms, and to whom

 private:
  std::map<EndpointId, Sound> people_;
  std::map<EndpointId, SpeechActivity> activity_;
  Duration t_{};
};

TEST(DominantSpeaker, IsNobodyInAQuietRoom) {
  Table table({{Ada, room}, {Bob, room}});
  table.run_until(10s);
  EXPECT_THAT(table.changes, IsEmpty());
  EXPECT_FALSE(table.speaker.current());
}

TEST(DominantSpeaker, IsWhoSpeaksWithinASecond) {
  Table table({{Ada, room}, {Bob, speech(2s, 10s)}});
  table.run_until(10s);
  ASSERT_EQ(table.changes.size(), 1u);
  EXPECT_EQ(table.speaker.current(), Bob);
  EXPECT_GE(table.changes[0].first, 2100) << "a tenth of a second of speech is the least";
  EXPECT_LE(table.changes[0].first, 3000);
}

TEST(DominantSpeaker, ChangesToWhoSpeaksNextWithinAboutASecond) {
  Table table({{Ada, speech(2s, 8s)}, {Bob, speech(8s, 14s, 2)}});
  table.run_until(14s);
  ASSERT_EQ(table.changes.size(), 2u);
  EXPECT_EQ(table.changes[1].second, Bob);
  EXPECT_LE(table.changes[1].first, 9300);
}

TEST(DominantSpeaker, IsNobodyWhoCoughsWhileAnotherSpeaks) {
  const auto cough = [](Duration t) -> std::optional<uint8_t> {
    return t % 2000ms >= 1000ms && t % 2000ms < 1080ms ? uint8_t{10} : room(t);
  };
  Table table({{Ada, speech(1s, 30s)}, {Bob, cough}});
  table.run_until(30s);
  EXPECT_EQ(table.changes.size(), 1u) << "to Ada, once";
  EXPECT_EQ(table.speaker.current(), Ada);
}

TEST(DominantSpeaker, IsNobodyForASingleClickInSilence) {
  const auto click = [](Duration t) -> std::optional<uint8_t> {
    return t % 1000ms == 0ms ? uint8_t{5} : room(t);
  };
  Table table({{Ada, room}, {Bob, click}});
  table.run_until(20s);
  EXPECT_THAT(table.changes, IsEmpty());
}

TEST(DominantSpeaker, StaysOverAShortInterjection) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    Table table({{Ada, speech(1s, 20s, seed)}, {Bob, speech(8s, 8300ms, seed + 50)}});
    table.run_until(20s);
    EXPECT_EQ(table.changes.size(), 1u) << seed;
    EXPECT_EQ(table.speaker.current(), Ada) << seed;
  }
}

TEST(DominantSpeaker, DoesNotAlternateBetweenTwoWhoTalkAtOnce) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    Table table({{Ada, speech(1s, 31s, seed)}, {Bob, speech(3s, 31s, seed + 50)}});
    table.run_until(31s);
    EXPECT_LE(table.changes.size(), 4u) << "in half a minute, seed " << seed;
  }
}

TEST(DominantSpeaker, StaysTheSpeakerInSilenceHoweverLong) {
  Table table({{Ada, speech(1s, 4s)}, {Bob, room}});
  table.run_until(120s);
  EXPECT_EQ(table.changes.size(), 1u);
  EXPECT_EQ(table.speaker.current(), Ada);
}

TEST(DominantSpeaker, TakesALoudHumForNoise) {
  const auto hum = [](Duration) -> std::optional<uint8_t> { return uint8_t{20}; };
  Table table({{Ada, room}, {Bob, hum}});
  table.run_until(10s);
  EXPECT_THAT(table.changes, IsEmpty());
}

TEST(DominantSpeaker, LearnsInAMinuteOrTwoThatARoomHasBecomeLoud) {
  // An air conditioner at -45 dBov, which is switched on at 5 s, is far above the quiet room before it.
  const auto fan = [](Duration t) -> std::optional<uint8_t> {
    return t < 5s ? room(t) : static_cast<uint8_t>(44 + to_ms(t) / 20 % 3);
  };
  Table table({{Ada, room}, {Bob, fan}});
  table.run_until(90s);
  ASSERT_THAT(table.changes, ElementsAre(std::pair<int64_t, EndpointId>(5100, Bob)));
  SpeechActivity loud;
  for (Duration t{}; t < 90s; t += 20ms) loud.on_level(*fan(t), Start + t);
  EXPECT_EQ(loud.counts(Start + 90s - 20ms), (SpeechCounts{0, 0, 0}));
}

TEST(DominantSpeaker, TakesSilenceForGrantedAfter40Milliseconds) {
  SpeechActivity voice;
  for (int i = 0; i < 50; ++i) voice.on_level(i < 5 ? 90 : 20, Start + i * 20ms);
  const Timestamp last = Start + 49 * 20ms;
  EXPECT_EQ(voice.counts(last), (SpeechCounts{10, 5, 9}));
  EXPECT_EQ(voice.counts(last + 40ms), (SpeechCounts{10, 5, 9}));
  EXPECT_EQ(voice.counts(last + 41ms), (SpeechCounts{0, 4, 8}));
  EXPECT_EQ(voice.counts(last + 200ms), (SpeechCounts{0, 1, 8}));
  EXPECT_EQ(voice.counts(last + 1h), SpeechCounts());
  voice.on_level(20, last + 60ms);
  EXPECT_EQ(voice.counts(last + 60ms), (SpeechCounts{10, 4, 8})) << "one interval was silent";
}

TEST(DominantSpeaker, IsWhoIsAloneAndActive) {
  const auto beeps = [](Duration t) -> std::optional<uint8_t> {
    return t % 500ms == 0ms ? uint8_t{20} : uint8_t{90};
  };
  Table table({{Ada, beeps}});
  table.run_until(3s);
  EXPECT_EQ(table.speaker.current(), Ada);
}

TEST(DominantSpeaker, DecidesEvery300MillisecondsWithoutDrift) {
  DominantSpeaker speaker;
  int decisions = 0;
  for (Timestamp now = Start; now < Start + 30s; now += 7ms) {
    if (!speaker.due(now)) continue;
    EXPECT_LT(now.time_since_epoch() % DominantSpeaker::DecisionInterval, 7ms);
    speaker.decide({}, now);
    ++decisions;
  }
  EXPECT_EQ(decisions, 100);
}

TEST(DominantSpeaker, DecidesTheSameInWhateverOrderVoicesStand) {
  const SpeechCounts loud{10, 5, 4};
  for (const bool reversed : {false, true}) {
    DominantSpeaker speaker;
    std::vector<DominantSpeaker::Voice> voices{{Ada, loud, Start}, {Bob, loud, Start}, {Eve, {}, Start}};
    if (reversed) std::ranges::reverse(voices);
    speaker.decide(voices, Start);
    EXPECT_EQ(speaker.current(), Ada);
  }
}

TEST(DominantSpeaker, NeedsTheLeadOnAllThreeScales) {
  struct Row {
    SpeechCounts speaker, challenger;
    bool wins;
  };
  const Row rows[] = {
      {{0, 0, 3}, {9, 5, 4}, true},   {{9, 0, 3}, {9, 5, 4}, false},  // both are loud now
      {{0, 3, 3}, {9, 5, 4}, false},                                  // the speaker has just paused
      {{0, 0, 4}, {9, 5, 4}, false},                                  // no longer than the speaker
      {{0, 0, 0}, {9, 5, 0}, false},  {{0, 0, 0}, {3, 5, 1}, false}, {{0, 0, 0}, {9, 1, 1}, true}};
  for (const Row& row : rows) {
    DominantSpeaker speaker;
    const DominantSpeaker::Voice ada{Ada, {9, 5, 5}, Start}, bob{Bob, {}, Start};
    speaker.decide(std::vector{ada, bob}, Start);
    ASSERT_EQ(speaker.current(), Ada);
    speaker.decide(std::vector<DominantSpeaker::Voice>{{Ada, row.speaker, Start}, {Bob, row.challenger, Start}},
                   Start + 300ms);
    EXPECT_EQ(speaker.current() == Bob, row.wins) << &row - rows;
  }
}

TEST(RecentSpeakers, AreOrderedByWhoWasTheSpeakerLast) {
  Table table({{Ada, speech(1s, 5s)}, {Bob, speech(6s, 10s)}, {Eve, room}});
  table.run_until(5s);
  EXPECT_THAT(table.speaker.recent(), ElementsAre(testing::Field(&DominantSpeaker::Recent::endpoint, Ada)));
  table.run_until(12s);
  EXPECT_THAT(table.speaker.recent(), ElementsAre(testing::Field(&DominantSpeaker::Recent::endpoint, Bob),
                                                  testing::Field(&DominantSpeaker::Recent::endpoint, Ada)));
}

TEST(RecentSpeakers, AreForgottenWhenTheyLeave) {
  Table table({{Ada, speech(1s, 5s)}, {Bob, speech(6s, 10s)}});
  table.run_until(12s);
  const auto ada = table.speaker.forget(Ada);
  EXPECT_FALSE(ada.speaker);
  EXPECT_TRUE(ada.order);
  EXPECT_TRUE(table.speaker.forget(Bob).speaker);
  EXPECT_FALSE(table.speaker.current());
  EXPECT_THAT(table.speaker.recent(), IsEmpty());
  EXPECT_FALSE(table.speaker.forget(Eve).order);
}

TEST(RecentSpeakers, AreForgottenAnHourAfterTheirLastLevelButForTheSpeaker) {
  DominantSpeaker speaker;
  const SpeechCounts loud{10, 5, 5};
  using Voice = DominantSpeaker::Voice;
  speaker.decide(std::vector<Voice>{{Ada, loud, Start}, {Bob, {}, Start}}, Start);
  speaker.decide(std::vector<Voice>{{Ada, {}, Start}, {Bob, loud, Start}}, Start + 300ms);
  ASSERT_EQ(speaker.recent().size(), 2u);
  EXPECT_FALSE(speaker.decide(std::vector<Voice>{{Ada, {}, Start}}, Start + 1h).order);
  EXPECT_TRUE(speaker.decide(std::vector<Voice>{{Ada, {}, Start}}, Start + 1h + 300ms).order);
  ASSERT_EQ(speaker.recent().size(), 1u);
  EXPECT_EQ(speaker.recent()[0].endpoint, Bob) << "nobody has spoken since";
}

TEST(SpeechActivity, BeginsAnewAfterAnHourWithoutALevel) {
  SpeechActivity voice;
  voice.on_level(100, Start);  // a quiet room
  for (int i = 1; i <= 60; ++i) voice.on_level(30, Start + i * 20ms);
  EXPECT_EQ(voice.counts(Start + 1200ms).long_term, 10);
  const Timestamp later = Start + 1200ms + 1h + 20ms;
  for (int i = 0; i < 60; ++i) voice.on_level(30, later + i * 20ms);
  EXPECT_EQ(voice.counts(later + 1180ms), SpeechCounts()) << "what the room was like then says nothing now";
}

TEST(SpeechActivity, IsWhatAnotherWorkerCountsAndNoMoreThanThereCanBe) {
  SpeechActivity voice;
  voice.hold({9, 4, 7}, Start);
  EXPECT_EQ(voice.counts(Start + 10s), (SpeechCounts{9, 4, 7})) << "until it says something else";
  EXPECT_EQ(voice.last_level(), Start);
  voice.hold({200, 200, 200}, Start);
  EXPECT_EQ(voice.counts(Start), (SpeechCounts{12, 5, 10}));
}

}  // namespace
}  // namespace viaduct::conference
