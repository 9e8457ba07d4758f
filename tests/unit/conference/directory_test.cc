#include "conference/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/conference/room.h"

namespace viaduct::conference {
namespace {

using codec::CodecType;
using codec::MediaKind;
using ::testing::SizeIs;

TEST(Directory, KnowsAnEndpointByHandleAndById) {
  Room room;
  const auto ada = room.join(1);
  ASSERT_TRUE(ada);
  EXPECT_EQ(room.directory.with_id(EndpointId{1}), ada);
  EXPECT_EQ(room.directory.find(ada)->name, "member 1");
  EXPECT_FALSE(room.directory.with_id(EndpointId{2}));
}

TEST(Directory, FindsNothingUnderAnOldName) {
  Room room;
  const auto ada = room.join(1);
  const SourceRef mic{ada, Room::Mic};
  room.leave(ada);
  const auto bob = room.join(2);
  EXPECT_EQ(bob.index, ada.index) << "in the same place";
  EXPECT_EQ(room.directory.find(ada), nullptr);
  EXPECT_EQ(room.directory.find(mic), nullptr);
  EXPECT_EQ(room.directory.find(SlotRef{ada, 0}), nullptr);
  room.leave(ada);
  EXPECT_NE(room.directory.find(bob), nullptr) << "leaving twice takes nobody else along";
}

TEST(Directory, EndsAConferenceWithItsLastMemberAndBeginsItAnew) {
  Room room;
  const auto ada = room.join(1), bob = room.join(2);
  EXPECT_EQ(room.directory.conference_count(), 1u);
  room.leave(ada);
  EXPECT_EQ(room.directory.conference_count(), 1u);
  room.leave(bob);
  EXPECT_EQ(room.directory.conference_count(), 0u);
  EXPECT_EQ(room.directory.endpoint_count(), 0u);
  EXPECT_TRUE(room.join(3));
  EXPECT_EQ(room.directory.conference_count(), 1u);
}

TEST(Directory, RefusesAnIdThatIsTaken) {
  Room room;
  ASSERT_TRUE(room.join(1));
  EXPECT_FALSE(room.join(1, {.conference = 2}));
  EXPECT_EQ(room.directory.conference_count(), 1u) << "no conference begins for who is refused";
}

// A member that has no part in the media: a thousand of them cost little.
Room::Member idle_member(uint64_t conference) {
  return {.conference = conference, .audio_slots = 0, .video_slots = 0, .sends = false};
}

TEST(Directory, RefusesAMemberTooManyForOneConference) {
  Room room;
  uint64_t id = 1;
  while (id <= limits::EndpointsPerConference) ASSERT_TRUE(room.join(id++, idle_member(1)));
  EXPECT_FALSE(room.join(id, idle_member(1)));
  EXPECT_TRUE(room.join(id, {.conference = 2}));
}

TEST(Directory, RefusesAConferenceTooManyForOneWorker) {
  Room room;
  const uint64_t last = limits::ConferencesPerWorker;
  for (uint64_t i = 1; i <= last; ++i) {
    ASSERT_TRUE(room.join(i, idle_member(i)));
  }
  EXPECT_FALSE(room.join(last + 1, idle_member(last + 1)));
  EXPECT_TRUE(room.join(last + 1)) << "there is room in those that exist";
}

TEST(Directory, RefusesAnEndpointTooManyForOneWorker) {
  Room room;
  for (uint64_t i = 0; i < limits::EndpointsPerWorker; ++i) {
    ASSERT_TRUE(room.join(i + 1, idle_member(1 + i / 256)));
  }
  EXPECT_FALSE(room.join(1'000'000, {.conference = 1'000}));
  EXPECT_EQ(room.directory.conference_count(), limits::EndpointsPerWorker / 256);
  room.leave(room.directory.with_id(EndpointId{1}));
  EXPECT_TRUE(room.join(1'000'000, {.conference = 1'000}));
}

TEST(Directory, HandsBackThePacketsThatALeaverKept) {
  Room room;
  const auto ada = room.join(1);
  uint8_t buffer[1];
  Packet packet;
  packet.buffer = buffer;
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_FALSE(room.source(ada, Room::Cam).encodings.front().resend.store({.packet = packet, .sequence = i}));
  }
  std::vector<Packet> freed;
  room.directory.remove(ada, freed);
  EXPECT_THAT(freed, SizeIs(3));
}

TEST(Directory, ShowsEverythingInASnapshot) {
  Room room;
  const auto ada = room.join(1), bob = room.join(2);
  room.send_all(ada);
  room.send_all(bob);
  room.talk_for(1s, {ada});
  room.source(ada, Room::Cam).encodings.front().meter.add(1000, room.now);

  const WorkerSnapshot shot = room.directory.snapshot(3, {}, room.now);
  EXPECT_EQ(shot.worker, 3u);
  ASSERT_THAT(shot.conferences, SizeIs(1));
  const ConferenceSnapshot& conference = shot.conferences[0];
  EXPECT_EQ(conference.name, "room");
  EXPECT_EQ(conference.speaker, EndpointId{1});
  ASSERT_THAT(conference.endpoints, SizeIs(2));
  const EndpointSnapshot& first = conference.endpoints[0];
  EXPECT_EQ(first.id, EndpointId{1});
  EXPECT_EQ(first.state, "checking");
  EXPECT_EQ(first.remote_address, "");
  EXPECT_EQ(first.age, 1s);
  ASSERT_THAT(first.sources, SizeIs(2));
  EXPECT_EQ(first.sources[1].codec, CodecType::Vp8);
  EXPECT_EQ(first.sources[1].bytes, 1000u);
  ASSERT_THAT(first.slots, SizeIs(7));
  EXPECT_EQ(first.slots[0].carries, EndpointId{2});
  EXPECT_EQ(first.slots[1].carries, std::nullopt);
}

TEST(Endpoint, KnowsItsStreamsByTheirSsrcs) {
  Room room;
  const Endpoint& e = *room.directory.find(room.join(7));
  EXPECT_EQ(e.owner_of(700)->source, Room::Mic);
  EXPECT_EQ(e.owner_of(701)->source, Room::Cam);
  EXPECT_FALSE(e.owner_of(701)->rtx);
  EXPECT_TRUE(e.owner_of(702)->rtx);
  EXPECT_FALSE(e.owner_of(703));
  EXPECT_FALSE(e.owner_of(0)) << "a source without RTX owns no SSRC 0";
  EXPECT_EQ(e.source_with_mid("cam"), Room::Cam);
  EXPECT_FALSE(e.source_with_mid(""));
}

TEST(Encoding, ExtendsNumbersWithoutEverGoingBelowZero) {
  Encoding encoding;
  const int64_t first = encoding.extend(5);
  EXPECT_EQ(encoding.extend(65'535), first - 6);
  EXPECT_GE(encoding.extend(65'000), 0);
  EXPECT_EQ(encoding.extend(5), first);
}

TEST(Encoding, NumbersAStreamUnderAnotherSsrcAboveAllBeforeIt) {
  for (const uint16_t last : {uint16_t{0}, uint16_t{40'000}, uint16_t{65'535}}) {
    for (const uint16_t first : {uint16_t{0}, uint16_t{20'000}, uint16_t{65'535}}) {
      Encoding encoding;
      encoding.highest = encoding.extend(last);
      encoding.begin_stream(2);
      EXPECT_EQ(encoding.ssrc, 2u);
      const int64_t number = encoding.extend(first);
      EXPECT_GT(number - 32'768, encoding.highest) << "and so are late packets";
      EXPECT_EQ(static_cast<uint16_t>(number), first);
    }
  }
}

TEST(Subscription, BeginsBelowHalfOfItsSequenceNumbers) {
  SeededRandom random(3);
  for (int i = 0; i < 200; ++i) {
    Subscription slot({MediaKind::Video, "v0", 1, 2}, random);
    slot.projection.start({}, Timestamp{1s}, 90'000);
    EXPECT_LT(slot.projection.project({}, Timestamp{1s})->index, 0x8000u);
    EXPECT_LT(slot.next_rtx_index, 0x8000u);
  }
}

}  // namespace
}  // namespace viaduct::conference
