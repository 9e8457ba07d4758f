// Which pictures a receiver gets and at which layer, what it and its senders are told of that.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/conference/room.h"

namespace viaduct::conference {
namespace {

using codec::CodecType;
using codec::MediaKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint16_t Scr = 2;

PictureName camera_of(uint64_t id) { return {EndpointId{id}, Content::Camera}; }
PictureName screen_of(uint64_t id) { return {EndpointId{id}, Content::Screen}; }

class PicturesTest : public testing::Test {
 protected:
  // Three encodings of a picture, of 100, 400 and 1600 kbit/s.
  static LayerLadder layered() {
    LayerLadder ladder;
    for (uint8_t i = 0; i < 3; ++i) {
      ladder.add({.layer = {i, {}},
                  .height = static_cast<uint16_t>(180 << i),
                  .frame_rate = 30,
                  .rate = DataRate::kbps(100 << (2 * i))});
    }
    return ladder;
  }
  Handle<Endpoint> sender(uint64_t id) {
    const auto who = room.join(id, {.audio_slots = 0, .video_slots = 0, .simulcast = true, .screen = true});
    room.send_all(who);
    room.source(who, Room::Cam).ladder = layered();
    return who;
  }
  Handle<Endpoint> viewer(size_t slots, uint64_t id = 100) {
    return room.join(id, {.audio_slots = 0, .video_slots = slots, .sends = false});
  }
  void wish(Handle<Endpoint> who, ReceiverWishes wishes) {
    room.conference_of(who).set_wishes(endpoint(who), std::move(wishes));
    room.run_timers();
  }
  Endpoint& endpoint(Handle<Endpoint> who) { return *room.directory.find(who); }
  std::vector<uint64_t> seen(Handle<Endpoint> who) const { return room.carried(who, MediaKind::Video); }
  // By slot: the encoding that is forwarded as soon as may be; -1: none.
  std::vector<int> encodings(Handle<Endpoint> who) {
    std::vector<int> out;
    for (const Subscription& s : endpoint(who).slots) {
      const auto target = s.selector.target();
      out.push_back(target ? target->encoding : -1);
    }
    return out;
  }
  std::vector<bool> paused(Handle<Endpoint> who) {
    std::vector<bool> out;
    for (const Subscription& s : endpoint(who).slots) out.push_back(s.share.paused);
    return out;
  }

  Room room;
};

TEST_F(PicturesTest, AreTheOnStageThenTheSelectedThenThoseOfRecentSpeakers) {
  std::vector<Handle<Endpoint>> people;
  for (uint64_t id = 1; id <= 6; ++id) people.push_back(sender(id));
  const auto eve = viewer(4);
  wish(eve, {.on_stage = {camera_of(5)}, .selected = {camera_of(4)}});
  EXPECT_THAT(seen(eve), testing::UnorderedElementsAre(5, 4, 1, 2));
  room.talk_for(1s, {people[5]});
  EXPECT_THAT(seen(eve), testing::UnorderedElementsAre(5, 4, 6, 1));
  wish(eve, {.last_n = 3, .on_stage = {camera_of(5)}, .selected = {camera_of(4)}});
  EXPECT_THAT(seen(eve), testing::UnorderedElementsAre(5, 4, 6, 0));
}

TEST_F(PicturesTest, StayInTheirSlotsAsLongAsTheyAreAmongTheFirst) {
  std::vector<Handle<Endpoint>> people;
  for (uint64_t id = 1; id <= 6; ++id) people.push_back(sender(id));
  const auto eve = viewer(3);
  room.run_timers();
  ASSERT_THAT(seen(eve), ElementsAre(1, 2, 3));
  wish(eve, {.on_stage = {camera_of(3)}});
  EXPECT_THAT(seen(eve), ElementsAre(1, 2, 3));
  wish(eve, {.on_stage = {camera_of(6)}});
  EXPECT_THAT(seen(eve), ElementsAre(1, 2, 6));
}

TEST_F(PicturesTest, AreNoneThatNobodyWantsToSee) {
  for (uint64_t id = 1; id <= 4; ++id) sender(id);
  const auto eve = viewer(3);
  wish(eve, {.max_heights = {{camera_of(3), 360}, {camera_of(1), 0}}});
  EXPECT_THAT(seen(eve), ElementsAre(2, 3, 4));
  wish(eve, {.on_stage = {camera_of(1)}, .max_height = 0, .max_heights = {{camera_of(2), -1}}});
  EXPECT_THAT(seen(eve), testing::UnorderedElementsAre(2, 0, 0));
  wish(eve, {.last_n = 0});
  EXPECT_THAT(seen(eve), ElementsAre(0, 0, 0));
}

TEST_F(PicturesTest, AreOfNobodyElseThanTheConferences) {
  sender(1);
  const auto stranger = room.join(7, {.conference = 2});
  room.send_all(stranger);
  const auto eve = room.join(100, {.audio_slots = 0, .video_slots = 3});
  room.send_all(eve);
  wish(eve, {.on_stage = {camera_of(7), camera_of(100), camera_of(55)}});
  EXPECT_THAT(seen(eve), ElementsAre(1, 0, 0));
}

TEST_F(PicturesTest, AreGoneWithWhoLeavesHoweverMuchTheyAreWanted) {
  const auto ada = sender(1);
  const auto eve = viewer(2);
  wish(eve, {.on_stage = {camera_of(1)}});
  ASSERT_THAT(seen(eve), ElementsAre(1, 0));
  room.leave(ada);
  EXPECT_THAT(seen(eve), ElementsAre(0, 0));
  room.run_for(1s);
  EXPECT_THAT(seen(eve), ElementsAre(0, 0));
}

TEST_F(PicturesTest, ShowAScreenApartFromItsOwnersCamera) {
  const auto ada = sender(1);
  room.send(ada, Scr, CodecType::Vp8);
  const auto eve = viewer(2);
  wish(eve, {.on_stage = {screen_of(1)}, .max_heights = {{camera_of(1), 0}}});
  ASSERT_THAT(seen(eve), ElementsAre(1, 0));
  EXPECT_EQ(endpoint(eve).slots[0].carries->source, Scr);
  const auto reports = room.take_reports<SlotsChanged>();
  ASSERT_FALSE(reports.empty());
  EXPECT_EQ(reports.back().slots[0].content, Content::Screen);
}

TEST_F(PicturesTest, AreAsGoodAsTheyCanBeWhereNobodyMeasures) {
  sender(1);
  sender(2);
  const auto eve = viewer(3);
  wish(eve, {.max_heights = {{camera_of(2), 180}}});
  EXPECT_THAT(encodings(eve), ElementsAre(2, 0, -1));
  EXPECT_EQ(endpoint(eve).demand, DataRate::kbps(1955)) << "1700 and 15 per cent";
}

TEST_F(PicturesTest, AreAsGoodAsThereIsRoomForAndPausedWithoutAny) {
  for (uint64_t id = 1; id <= 3; ++id) sender(id);
  const auto eve = viewer(3);
  endpoint(eve).available = DataRate::kbps(700);
  room.run_timers();
  EXPECT_THAT(encodings(eve), ElementsAre(1, 0, 0));
  EXPECT_THAT(room.take_reports<SlotsChanged>().back().slots, SizeIs(3));

  endpoint(eve).available = DataRate::kbps(210);
  room.run_for(100ms);
  EXPECT_THAT(encodings(eve), ElementsAre(0, 0, -1));
  EXPECT_THAT(paused(eve), ElementsAre(false, false, true));
  EXPECT_THAT(seen(eve), ElementsAre(1, 2, 3)) << "it keeps its slot";
  auto reports = room.take_reports<SlotsChanged>();
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_TRUE(reports[0].slots[2].paused);

  endpoint(eve).available = DataRate::kbps(700);
  room.run_for(12s);
  EXPECT_THAT(encodings(eve), ElementsAre(1, 0, 0));
  reports = room.take_reports<SlotsChanged>();
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_FALSE(reports[0].slots[2].paused);
}

TEST_F(PicturesTest, LeaveRoomForTheSound) {
  const auto eve = room.join(100, {.audio_slots = 1, .video_slots = 1, .sends = false});
  endpoint(eve).available = DataRate::kbps(480);
  const Timestamp start = room.now;
  for (; room.now < start + 6s; room.now += 20ms) {
    endpoint(eve).slots[0].meter.add(100, room.now);  // 40 kbit/s
    if (room.now == start + 2s) sender(1);
    room.run_timers();
  }
  EXPECT_EQ(endpoint(eve).slots[1].selector.target()->encoding, 0) << "460 are needed for the next, of 440";
}

TEST_F(PicturesTest, AskForAKeyFrameOfTheEncodingThatComesNext) {
  const auto ada = sender(1);
  const auto eve = viewer(1);
  endpoint(eve).available = DataRate::kbps(600);
  room.run_timers();
  ASSERT_THAT(encodings(eve), ElementsAre(1));
  std::vector<bool> asked;
  for (Encoding& e : room.source(ada, Room::Cam).encodings) asked.push_back(e.key_frame.take(room.now));
  EXPECT_THAT(asked, ElementsAre(false, true, false));
}

// Of a stream with two spatial layers, to a receiver that gets both.
TEST_F(PicturesTest, AskForAKeyFrameWhereSpatialLayersAreTakenAwayInTheMidstOfLosses) {
  for (const bool has_lost : {false, true}) {
    const auto ada = sender(has_lost ? 1 : 2);
    const auto eve = viewer(1, has_lost ? 100 : 101);
    LayerLadder ladder;
    ladder.add({.layer = {0, {0, 0}}, .height = 180, .frame_rate = 30, .rate = DataRate::kbps(100)});
    ladder.add({.layer = {0, {1, 0}}, .height = 360, .frame_rate = 30, .rate = DataRate::kbps(400)});
    Encoding& encoding = room.source(ada, Room::Cam).encodings[0];
    room.source(ada, Room::Cam).ladder = ladder;
    endpoint(eve).available = DataRate::kbps(1000);
    wish(eve, {.on_stage = {camera_of(has_lost ? 1 : 2)}});
    Subscription& slot = endpoint(eve).slots[0];
    rtp::FrameInfo frame{.starts_frame = true, .ends_frame = true, .key_frame = true};
    frame.layers = 1u << rtp::LayerId{0, 0}.index() | 1u << rtp::LayerId{1, 0}.index();
    slot.selector.pick({0, 1, 3000}, frame);
    encoding.key_frame.on_key_frame();
    ASSERT_EQ(slot.selector.current()->id.spatial, 1);

    endpoint(eve).available = DataRate::kbps(200);
    if (has_lost) slot.asked_again = room.now;
    room.run_for(100ms);
    ASSERT_EQ(slot.selector.target()->id.spatial, 0);
    EXPECT_EQ(encoding.key_frame.take(room.now), has_lost);
  }
}

TEST_F(PicturesTest, FollowLayersThatComeAndGo) {
  const auto ada = sender(1);
  const auto eve = viewer(1);
  LayerLadder low;
  low.add(layered().rungs()[0]);
  room.source(ada, Room::Cam).ladder = low;
  room.run_for(300ms);
  EXPECT_THAT(encodings(eve), ElementsAre(0));
  room.source(ada, Room::Cam).ladder = layered();
  room.run_for(300ms);
  EXPECT_THAT(encodings(eve), ElementsAre(2));
}

TEST_F(PicturesTest, TellSendersWhatNobodyNeeds) {
  sender(1);
  const auto eve = viewer(1);
  wish(eve, {.max_height = 360});
  room.run_for(4s);
  EXPECT_THAT(room.take_reports<LayersWanted>(), IsEmpty());
  room.run_for(2s);
  auto told = room.take_reports<LayersWanted>();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].endpoint, EndpointId{1});
  EXPECT_EQ(told[0].source_mid, "cam");
  EXPECT_EQ(told[0].max_height, 360);
  ASSERT_THAT(told[0].encodings, SizeIs(3));
  EXPECT_EQ(told[0].encodings[2].rid, "h");
  EXPECT_TRUE(told[0].encodings[0].wanted && told[0].encodings[1].wanted && !told[0].encodings[2].wanted);

  viewer(1, 101);
  room.run_for(300ms);
  told = room.take_reports<LayersWanted>();
  ASSERT_THAT(told, SizeIs(1)) << "at once";
  EXPECT_TRUE(told[0].encodings[2].wanted);
  EXPECT_EQ(told[0].max_height, -1);

  room.leave(eve);
  room.leave(room.directory.with_id(EndpointId{101}));
  room.run_for(6s);
  told = room.take_reports<LayersWanted>();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].max_height, 0);
  EXPECT_FALSE(told[0].encodings[0].wanted);
}

TEST_F(PicturesTest, TellAReceiverOfItsNetworkOnceASecondAndOnlyOfRealChanges) {
  sender(1);
  const auto eve = viewer(1);
  endpoint(eve).available = DataRate::kbps(1000);
  room.run_for(1s);
  auto told = room.take_reports<NetworkMeasured>();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].available, DataRate::kbps(1000));
  EXPECT_EQ(told[0].wanted, DataRate::kbps(1840));
  endpoint(eve).available = DataRate::kbps(1100);
  room.run_for(3s);
  EXPECT_THAT(room.take_reports<NetworkMeasured>(), IsEmpty());
  for (int kbps : {500, 900, 400, 1200}) {
    endpoint(eve).available = DataRate::kbps(kbps);
    room.run_for(200ms);
  }
  EXPECT_THAT(room.take_reports<NetworkMeasured>(), SizeIs(1));
}

TEST_F(PicturesTest, TellWhoBeginsAndCeasesToShowAScreen) {
  const auto ada = sender(1);
  const auto eve = viewer(2);
  room.run_for(1s);
  EXPECT_THAT(room.take_reports<ScreenShown>(), IsEmpty());
  room.send(ada, Scr, CodecType::Vp8);
  for (int second = 0; second < 10; ++second) {  // a screen that is still
    room.source(ada, Scr).encodings[0].meter.add(1000, room.now);
    room.run_for(1s);
  }
  auto told = room.take_reports<ScreenShown>();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_TRUE(told[0].shown);
  EXPECT_THAT(seen(eve), ElementsAre(1, 1));

  room.run_for(2500ms);
  told = room.take_reports<ScreenShown>();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_FALSE(told[0].shown);
  EXPECT_THAT(seen(eve), ElementsAre(1, 0)) << "its slot is free for another";
}

TEST_F(PicturesTest, TakeNoScreenForEndedThatNobodyNeeds) {
  const auto ada = sender(1);
  const auto eve = viewer(1);
  wish(eve, {.last_n = 1, .on_stage = {camera_of(1)}});
  room.send(ada, Scr, CodecType::Vp8);
  for (int i = 0; i < 80; ++i) {  // until its sender has heard that nobody looks
    if (i < 60) room.source(ada, Scr).encodings[0].meter.add(1000, room.now);
    room.run_for(100ms);
  }
  ASSERT_EQ(room.source(ada, Scr).needs.told(), LayerNeed());
  room.take_reports<ScreenShown>();
  room.run_for(30s);
  EXPECT_THAT(room.take_reports<ScreenShown>(), IsEmpty());
  EXPECT_TRUE(room.source(ada, Scr).sending);
}

TEST_F(PicturesTest, NameRecentSpeakersTheLatestFirst) {
  const auto ada = sender(1), bob = sender(2);
  sender(3);
  room.talk_for(1s, {ada});
  room.run_for(2s);
  room.talk_for(2s, {bob});
  const auto told = room.take_reports<RecentSpeakersChanged>();
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_THAT(told[0].speakers, ElementsAre(EndpointId{1}));
  EXPECT_THAT(told[1].speakers, ElementsAre(EndpointId{2}, EndpointId{1}));
  room.leave(bob);
  const auto after = room.take_reports<RecentSpeakersChanged>();
  ASSERT_THAT(after, SizeIs(1));
  EXPECT_THAT(after[0].speakers, ElementsAre(EndpointId{1}));
}

}  // namespace
}  // namespace viaduct::conference
