// Who is carried to whom, in which slot, and what control is told of it.
#include "conference/conference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/conference/room.h"

namespace viaduct::conference {
namespace {

using codec::CodecType;
using codec::MediaKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

TEST(Conference, GivesEachMemberTheSourcesOfAllOthersAndNotItsOwn) {
  Room room;
  const auto ada = room.join(1), bob = room.join(2), eve = room.join(3);
  for (const auto who : {ada, bob, eve}) room.send_all(who);
  room.run_timers();
  EXPECT_THAT(room.carried(ada, MediaKind::Audio), ElementsAre(2, 3, 0));
  EXPECT_THAT(room.carried(bob, MediaKind::Audio), ElementsAre(1, 3, 0));
  EXPECT_THAT(room.carried(eve, MediaKind::Audio), ElementsAre(1, 2, 0));
  EXPECT_THAT(room.carried(ada, MediaKind::Video), ElementsAre(2, 3, 0, 0));
}

TEST(Conference, KeepsConferencesApart) {
  Room room;
  const auto ada = room.join(1), bob = room.join(2, {.conference = 2});
  room.send_all(ada);
  room.send_all(bob);
  room.run_timers();
  EXPECT_THAT(room.carried(ada, MediaKind::Audio), ElementsAre(0, 0, 0));
}

TEST(Conference, CarriesNothingOfASourceThatHasNotSentAPacket) {
  Room room;
  const auto ada = room.join(1), bob = room.join(2);
  room.run_timers();
  EXPECT_THAT(room.carried(ada, MediaKind::Video), ElementsAre(0, 0, 0, 0));
  room.send(bob, Room::Cam, CodecType::Vp8);
  room.run_timers();
  EXPECT_THAT(room.carried(ada, MediaKind::Video), ElementsAre(2, 0, 0, 0));
  EXPECT_THAT(room.carried(ada, MediaKind::Audio), ElementsAre(0, 0, 0));
}

TEST(Conference, LeavesTheOthersInTheirSlotsWhenOneLeaves) {
  Room room;
  const auto ada = room.join(1), bob = room.join(2), eve = room.join(3), joe = room.join(4);
  for (const auto who : {bob, eve, joe}) room.send_all(who);
  room.run_timers();
  ASSERT_THAT(room.carried(ada, MediaKind::Video), ElementsAre(2, 3, 4, 0));
  room.leave(eve);
  EXPECT_THAT(room.carried(ada, MediaKind::Video), ElementsAre(2, 0, 4, 0)) << "at once";
  room.send_all(room.join(5));
  room.run_timers();
  EXPECT_THAT(room.carried(ada, MediaKind::Video), ElementsAre(2, 5, 4, 0));
}

TEST(Conference, CarriesNoMutedSource) {
  Room room;
  const auto ada = room.join(1), bob = room.join(2);
  room.send_all(bob);
  room.run_timers();
  room.set_muted(bob, Room::Cam, true);
  room.run_timers();
  EXPECT_THAT(room.carried(ada, MediaKind::Video), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(room.carried(ada, MediaKind::Audio), ElementsAre(2, 0, 0));
  EXPECT_THAT(room.source(bob, Room::Cam).receivers, IsEmpty());
  room.set_muted(bob, Room::Cam, false);
  room.run_timers();
  EXPECT_THAT(room.carried(ada, MediaKind::Video), ElementsAre(2, 0, 0, 0));
}

TEST(Conference, WantsAKeyFrameOfAVideoSourceThatASlotBeginsToCarry) {
  Room room;
  const auto ada = room.join(1), bob = room.join(2);
  room.send_all(bob);
  EXPECT_FALSE(room.source(bob, Room::Cam).encodings.front().key_frame.take(room.now));
  room.run_timers();
  EXPECT_TRUE(room.source(bob, Room::Cam).encodings.front().key_frame.take(room.now));
  EXPECT_EQ(room.directory.find(ada)->slots[3].selector.awaited(), 0);
  EXPECT_FALSE(room.directory.find(ada)->slots[0].selector.awaited()) << "sound has none";
}

TEST(Conference, CarriesTheLoudestOfTenTalkersInThreeSlots) {
  Room room;
  const auto listener = room.join(100, {.audio_slots = 3, .sends = false});
  Room::Voices voices;
  for (uint64_t id = 1; id <= 10; ++id) {
    const auto who = room.join(id);
    room.send_all(who);
    voices.emplace_back(who, static_cast<uint8_t>(120 - 10 * id));  // 10 is the loudest
  }
  room.run_for(1s, voices);
  EXPECT_THAT(room.carried(listener, MediaKind::Audio), UnorderedElementsAre(8, 9, 10));

  const auto before = room.carried(listener, MediaKind::Audio);
  voices[0].second = 10;  // the quietest begins to shout
  room.run_for(200ms, voices);
  const auto after = room.carried(listener, MediaKind::Audio);
  EXPECT_THAT(after, UnorderedElementsAre(1, 9, 10));
  for (size_t i = 0; i < after.size(); ++i) {
    if (after[i] == 1) continue;
    EXPECT_EQ(after[i], before[i]) << "who is heard stays in place";
  }
}

TEST(Conference, CarriesANewTalkerWithinAHundredMilliseconds) {
  Room room;
  const auto listener = room.join(100, {.audio_slots = 3, .sends = false});
  Room::Voices voices;
  for (uint64_t id = 1; id <= 10; ++id) {
    voices.emplace_back(room.join(id), static_cast<uint8_t>(120 - 10 * id));
    room.send_all(voices.back().first);
  }
  room.run_for(1020ms, voices);
  voices[0].second = 0;
  room.run_for(100ms, voices);
  EXPECT_THAT(room.carried(listener, MediaKind::Audio), UnorderedElementsAre(1, 9, 10));
}

TEST(Conference, MovesNobodyBecauseOfSmallDifferencesInLoudness) {
  Room room;
  const auto listener = room.join(100, {.audio_slots = 3, .sends = false});
  std::vector<Handle<Endpoint>> talkers;
  for (uint64_t id = 1; id <= 10; ++id) room.send_all(talkers.emplace_back(room.join(id)));
  SeededRandom random(5);
  room.run_for(1s);
  const auto before = room.carried(listener, MediaKind::Audio);
  for (int i = 0; i < 100; ++i) {
    for (const auto who : talkers) room.speak(who, static_cast<uint8_t>(90 + random.below(8)));
    room.run_for(20ms);
    ASSERT_EQ(room.carried(listener, MediaKind::Audio), before);
  }
}

TEST(Conference, ShowsTheSpeakerWhenThereAreFewerSlotsThanPictures) {
  Room room;
  const auto viewer = room.join(100, {.video_slots = 1, .sends = false});
  const auto ada = room.join(1), bob = room.join(2);
  room.send_all(ada);
  room.send_all(bob);
  room.talk_for(1s, {bob});
  EXPECT_THAT(room.carried(viewer, MediaKind::Video), ElementsAre(2));
  room.run_for(3s);
  EXPECT_THAT(room.carried(viewer, MediaKind::Video), ElementsAre(2)) << "silence changes nothing";
  room.talk_for(1s, {ada});
  EXPECT_THAT(room.carried(viewer, MediaKind::Video), ElementsAre(1));
}

TEST(Conference, SaysWhoSpeaks) {
  Room room;
  const auto ada = room.join(1), bob = room.join(2);
  room.send_all(ada);
  room.send_all(bob);
  room.speak(bob, 127);
  room.talk_for(1s, {ada});
  auto reports = room.take_reports<SpeakerChanged>();
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].speaker, EndpointId{1});
  EXPECT_EQ(room.conference_of(bob).speaker(), EndpointId{1});

  room.leave(ada);
  reports = room.take_reports<SpeakerChanged>();
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].speaker, std::nullopt);
}

TEST(Conference, TakesNobodyWhoIsMutedForTheSpeaker) {
  Room room;
  const auto ada = room.join(1);
  room.send_all(ada);
  room.set_muted(ada, Room::Mic, true);
  room.talk_for(1s, {ada});
  EXPECT_THAT(room.take_reports<SpeakerChanged>(), IsEmpty());
}

TEST(Conference, TellsANewcomerAllItsSlotsEvenWhenTheyAreIdle) {
  Room room;
  room.join(1, {.audio_slots = 1, .video_slots = 2});
  const auto reports = room.take_reports<SlotsChanged>();
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].endpoint, EndpointId{1});
  ASSERT_THAT(reports[0].slots, SizeIs(3));
  EXPECT_EQ(reports[0].slots[0].mid, "a0");
  EXPECT_EQ(reports[0].slots[2].mid, "v1");
  EXPECT_EQ(reports[0].slots[2].kind, MediaKind::Video);
  EXPECT_FALSE(reports[0].slots[0].carries);
}

TEST(Conference, ReportsEverySlotWheneverOneChangesAndNothingOtherwise) {
  Room room;
  room.join(1, {.audio_slots = 1, .video_slots = 1});
  const auto bob = room.join(2, {.audio_slots = 0, .video_slots = 0});
  room.take_reports<SlotsChanged>();
  room.send_all(bob);
  room.run_timers();
  const auto reports = room.take_reports<SlotsChanged>();
  ASSERT_THAT(reports, SizeIs(1)) << "one for both kinds";
  ASSERT_THAT(reports[0].slots, SizeIs(2));
  EXPECT_EQ(reports[0].slots[0].carries, EndpointId{2});
  EXPECT_EQ(reports[0].slots[0].source_mid, "mic");
  EXPECT_EQ(reports[0].slots[1].source_mid, "cam");

  room.conference_of(bob).on_source_changed();
  room.run_for(1s);
  EXPECT_THAT(room.take_reports<SlotsChanged>(), IsEmpty());
}

TEST(Conference, ReportsASourceThatAMemberCannotDecodeAndCarriesItToOthers) {
  Room room;
  const auto ada = room.join(1);
  const auto bob = room.join(2, {.decodes = {CodecType::Opus, CodecType::H264}});
  const auto eve = room.join(3);
  room.send_all(ada);
  room.run_timers();
  EXPECT_THAT(room.carried(bob, MediaKind::Video), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(room.carried(bob, MediaKind::Audio), ElementsAre(1, 0, 0));
  EXPECT_THAT(room.carried(eve, MediaKind::Video), ElementsAre(1, 0, 0, 0));

  std::vector<UndecodableSource> missed;
  for (const auto& report : room.take_reports<SlotsChanged>()) {
    if (report.endpoint == EndpointId{2}) {
      missed = report.undecodable;
    } else {
      EXPECT_THAT(report.undecodable, IsEmpty());
    }
  }
  EXPECT_THAT(missed, ElementsAre(UndecodableSource{EndpointId{1}, CodecType::Vp8}));

  room.send(ada, Room::Cam, CodecType::H264);
  room.run_timers();
  EXPECT_THAT(room.carried(bob, MediaKind::Video), ElementsAre(1, 0, 0, 0));
  EXPECT_THAT(room.carried(eve, MediaKind::Video), ElementsAre(0, 0, 0, 0));
}

TEST(Conference, SettlesOnFormatsAnewAsMembersComeAndGo) {
  Room room;
  const auto last_report = [&] { return room.take_reports<CodecsChanged>().back().video; };
  const auto ada = room.join(1, {.decodes = {CodecType::Vp8, CodecType::H264}});
  EXPECT_THAT(last_report(), ElementsAre(CodecType::Vp8, CodecType::H264));
  const auto bob = room.join(2, {.decodes = {CodecType::H264}});
  EXPECT_THAT(last_report(), ElementsAre(CodecType::H264));
  EXPECT_THAT(room.conference_of(ada).video_codecs(), ElementsAre(CodecType::H264));
  room.leave(bob);
  EXPECT_THAT(last_report(), ElementsAre(CodecType::Vp8, CodecType::H264));
}

}  // namespace
}  // namespace viaduct::conference
