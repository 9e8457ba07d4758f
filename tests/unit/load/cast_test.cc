// From a scenario to the participants and what happens to them.
#include "tests/load/cast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace viaduct::load {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Scenario two_meetings() {
  Scenario s;
  s.joins_per_second = 10;
  ConferencePlan meeting{.name = "meeting", .count = 2};
  meeting.groups.push_back(
      {.name = "speakers", .participants = 2, .audio_senders = 2, .video_senders = 1});
  meeting.groups.push_back({.name = "listeners", .participants = 3});
  s.conferences = {meeting};
  return s;
}

std::vector<uint32_t> who(const Cast& cast) {
  std::vector<uint32_t> out;
  for (const Cue& cue : cast.cues) out.push_back(cue.participant);
  return out;
}

TEST(Cast, NamesEachConferenceAndGivesEachMemberTheirPart) {
  const Scenario s = two_meetings();
  const Cast cast = make_cast(s);
  ASSERT_EQ(cast.participants.size(), 10u);
  EXPECT_EQ(cast.participants[0].conference, "meeting-1");
  EXPECT_EQ(cast.participants[5].conference, "meeting-2");
  EXPECT_EQ(cast.participants[1].name, "speakers 2");
  EXPECT_TRUE(cast.participants[0].sends_video);
  EXPECT_FALSE(cast.participants[1].sends_video);
  EXPECT_TRUE(cast.participants[1].sends_audio);
  EXPECT_FALSE(cast.participants[2].sends_audio);
}

TEST(Cast, IsTheSameForTheSameSeed) {
  Scenario s = two_meetings();
  s.conferences[0].groups[1].churn = ChurnPlan{.stay = 3s, .away = 1s};
  const auto cues = [&] {
    std::vector<std::tuple<Duration, uint32_t, Action::Kind>> out;
    for (const Cue& c : make_cast(s).cues) out.emplace_back(c.at, c.participant, c.kind);
    return out;
  };
  const auto first = cues();
  EXPECT_FALSE(first.empty());
  EXPECT_EQ(first, cues());
  const uint64_t seed = make_cast(s).participants[0].seed;
  s.seed = 2;
  EXPECT_NE(first, cues());
  EXPECT_NE(seed, make_cast(s).participants[0].seed);
}

TEST(Cast, AppliesAnActionToTheFirstOfEachGroupThatItNames) {
  Scenario s = two_meetings();
  s.timeline.push_back({.at = 5s, .kind = Action::Kind::Mute, .group = "listeners", .count = 2});
  EXPECT_THAT(who(make_cast(s)), ElementsAre(2, 3, 7, 8));
  s.timeline[0].count = 0;
  EXPECT_THAT(who(make_cast(s)), ElementsAre(2, 3, 4, 7, 8, 9));
}

TEST(Cast, PlaysTheTimelineInOrderOfTime) {
  Scenario s = two_meetings();
  s.timeline.push_back({.at = 9s, .kind = Action::Kind::Leave, .group = "speakers", .count = 1});
  s.timeline.push_back({.at = 2s, .kind = Action::Kind::Speak, .group = "speakers", .count = 1});
  const Cast cast = make_cast(s);
  ASSERT_EQ(cast.cues.size(), 4u);
  EXPECT_EQ(cast.cues[0].at, 2s);
  EXPECT_EQ(cast.cues[3].at, 9s);
}

TEST(Cast, LetsADrainTakeItsTime) {
  Scenario s = two_meetings();
  s.timeline.push_back({.at = 1s, .kind = Action::Kind::Drain});
  const Cast cast = make_cast(s);
  ASSERT_EQ(cast.cues.size(), 10u);
  EXPECT_EQ(cast.cues[0].at, 1s);
  EXPECT_EQ(cast.cues[9].at, 1900ms);
}

TEST(Cast, LetsTheMembersOfAChurningGroupComeAndGoInTurn) {
  Scenario s = two_meetings();
  s.duration = 60s;
  s.conferences[0].count = 1;
  s.conferences[0].groups[1].churn = ChurnPlan{.stay = 5s, .away = 2s};
  std::map<uint32_t, std::vector<Action::Kind>> life;
  for (const Cue& cue : make_cast(s).cues) {
    EXPECT_LT(cue.at, s.duration);
    life[cue.participant].push_back(cue.kind);
  }
  EXPECT_EQ(life.size(), 3u);
  for (const auto& [participant, kinds] : life) {
    EXPECT_GT(kinds.size(), 4u);
    for (size_t i = 0; i < kinds.size(); ++i)
      EXPECT_EQ(kinds[i], i % 2 ? Action::Kind::Join : Action::Kind::Leave);
  }
}

TEST(Cast, SaysWhatTheBridgeCannotDoYet) {
  Scenario s = two_meetings();
  EXPECT_THAT(make_cast(s).not_exercised, IsEmpty());
  s.conferences[0].groups[0].video.layers = {Layer{320, 180}, Layer{}};
  s.timeline.push_back({.kind = Action::Kind::Layout});
  s.timeline.push_back({.kind = Action::Kind::Leave, .group = "nobody", .line = 12});
  EXPECT_THAT(make_cast(s).not_exercised,
              ElementsAre(HasSubstr("line 12"), HasSubstr("Simulcast"), HasSubstr("Layout")));
}

}  // namespace
}  // namespace viaduct::load
