// What a conference that is encrypted end to end, or requires it, changes for its members.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/conference/room.h"

namespace viaduct::conference {
namespace {

using codec::MediaKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr E2eePolicy InClear{}, Wanted{.wanted = true}, Required{.wanted = true, .required = true};

class EncryptedConference : public ::testing::Test {
 protected:
  EncryptedConference() {
    room.send_all(ada);
    room.send_all(bob);
    room.run_timers();
    room.take_reports<SlotsChanged>();
  }
  Conference& conference() { return room.conference_of(ada); }
  Endpoint& member(Handle<Endpoint> who) { return *room.directory.find(who); }
  std::vector<uint64_t> seen_by_ada() { return room.carried(ada, MediaKind::Video); }
  std::vector<uint64_t> heard_by_ada() { return room.carried(ada, MediaKind::Audio); }
  std::vector<HeldBack> reasons(EndpointId who, const std::string& mid) {
    std::vector<HeldBack> out;
    for (const auto& r : room.take_reports<SourceHeldBack>()) {
      if (r.endpoint == who && r.source_mid == mid) out.push_back(r.reason);
    }
    return out;
  }
  // Bodies as plain as can be.
  void show_plain(Source& source) {
    while (source.observed() != ObservedBodies::Plain)
      source.encodings.front().bodies.add({.fits = true, .probe = {1, 2, 3, 4}}, room.now);
  }

  Room room;
  const Handle<Endpoint> ada = room.join(1), bob = room.join(2);
};

TEST_F(EncryptedConference, BeginsEveryPictureStreamAnewWhenItIsSealedAndWhenItIsOpened) {
  Subscription& picture = member(ada).slots[3];
  Subscription& sound = member(ada).slots[0];
  for (const E2eePolicy& policy : {Wanted, InClear}) {
    room.now += 1s;
    picture.projection.start({.sequence = 5}, room.now, 90'000);
    sound.projection.start({.sequence = 5}, room.now, 48'000);
    room.source(bob, Room::Cam).encodings.front().key_frame.on_key_frame();
    conference().set_e2ee_policy(policy);
    EXPECT_FALSE(picture.projection.started());
    EXPECT_EQ(picture.selector.awaited(), 0);
    EXPECT_TRUE(room.source(bob, Room::Cam).encodings.front().key_frame.take(room.now));
    EXPECT_TRUE(sound.projection.started()) << "sound goes on without a seam";
    EXPECT_THAT(seen_by_ada(), ElementsAre(2, 0, 0, 0));
  }
}

TEST_F(EncryptedConference, LeavesPicturesAloneWhenItIsSealedAlready) {
  conference().set_e2ee_policy(Wanted);
  Subscription& picture = member(ada).slots[3];
  picture.projection.start({.sequence = 5}, room.now, 90'000);
  for (const auto who : {ada, bob}) conference().declare_e2ee(member(who), true);
  conference().set_e2ee_policy(Required);
  conference().set_e2ee_policy({.required = true});
  EXPECT_TRUE(picture.projection.started());
}

TEST_F(EncryptedConference, CarriesEveryoneWhereEncryptionIsWantedOnly) {
  conference().set_e2ee_policy(Wanted);
  show_plain(room.source(bob, Room::Cam));
  room.run_timers();
  EXPECT_THAT(seen_by_ada(), ElementsAre(2, 0, 0, 0));
  EXPECT_THAT(room.take_reports<SourceHeldBack>(), IsEmpty());
}

TEST_F(EncryptedConference, HoldsBackAtOnceWhatIsNotDeclaredWhereItIsRequired) {
  conference().set_e2ee_policy(Required);
  EXPECT_THAT(seen_by_ada(), ElementsAre(0, 0, 0, 0)) << "before any timer";
  EXPECT_THAT(heard_by_ada(), ElementsAre(0, 0, 0));
  EXPECT_THAT(room.source(bob, Room::Cam).receivers, IsEmpty());
  EXPECT_THAT(reasons(EndpointId{2}, "cam"), ElementsAre(HeldBack::Undeclared));
  room.run_timers();
  EXPECT_THAT(reasons(EndpointId{2}, "cam"), IsEmpty()) << "said once";

  conference().declare_e2ee(member(bob), true);
  EXPECT_THAT(seen_by_ada(), ElementsAre(2, 0, 0, 0));
  EXPECT_THAT(heard_by_ada(), ElementsAre(2, 0, 0));
  EXPECT_THAT(reasons(EndpointId{2}, "cam"), ElementsAre(HeldBack::No));

  conference().declare_e2ee(member(bob), false);
  EXPECT_THAT(seen_by_ada(), ElementsAre(0, 0, 0, 0));
  conference().set_e2ee_policy(Wanted);
  EXPECT_THAT(seen_by_ada(), ElementsAre(2, 0, 0, 0));
}

TEST_F(EncryptedConference, HoldsBackWhatIsContradictedUntilItIsDeclaredAnew) {
  for (const auto who : {ada, bob}) conference().declare_e2ee(member(who), true);
  conference().set_e2ee_policy(Required);
  ASSERT_THAT(seen_by_ada(), ElementsAre(2, 0, 0, 0));
  show_plain(room.source(bob, Room::Cam));
  conference().on_source_changed();
  room.run_timers();
  EXPECT_THAT(seen_by_ada(), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(heard_by_ada(), ElementsAre(2, 0, 0)) << "nothing speaks against the sound";
  EXPECT_THAT(reasons(EndpointId{2}, "cam"), ElementsAre(HeldBack::Contradicted));

  conference().declare_e2ee(member(bob), false);
  conference().declare_e2ee(member(bob), true);
  EXPECT_THAT(seen_by_ada(), ElementsAre(2, 0, 0, 0)) << "what was seen before says nothing now";
  const auto observed = room.take_reports<BodiesObserved>();
  ASSERT_THAT(observed, SizeIs(1));
  EXPECT_EQ(observed[0].observed, ObservedBodies::Undecided);
}

TEST_F(EncryptedConference, AsksNobodyForPicturesThatItHoldsBack) {
  conference().set_e2ee_policy(Required);
  room.source(bob, Room::Cam).encodings.front().key_frame.on_key_frame();
  room.run_for(1s);
  EXPECT_FALSE(room.source(bob, Room::Cam).encodings.front().key_frame.take(room.now));
}

TEST_F(EncryptedConference, TakesNobodyForTheSpeakerWhomItHoldsBack) {
  conference().declare_e2ee(member(ada), true);
  conference().set_e2ee_policy(Required);
  room.talk_for(2s, {bob, ada});
  EXPECT_EQ(conference().speaker(), EndpointId{1});
}

TEST_F(EncryptedConference, ShowsWhatIsDeclaredObservedAndHeldBack) {
  conference().set_e2ee_policy(Required);
  conference().declare_e2ee(member(bob), true);
  show_plain(room.source(bob, Room::Cam));
  conference().on_source_changed();
  room.run_timers();
  const auto shown = room.directory.snapshot(0, {}, room.now).conferences.at(0);
  EXPECT_TRUE(shown.e2ee_required);
  EXPECT_EQ(shown.endpoints.at(0).sources.at(1).held_back, HeldBack::Undeclared);
  const SourceSnapshot& camera = shown.endpoints.at(1).sources.at(1);
  EXPECT_TRUE(camera.declared_e2ee);
  EXPECT_EQ(camera.observed, ObservedBodies::Plain);
  EXPECT_EQ(camera.held_back, HeldBack::Contradicted);
}

}  // namespace
}  // namespace viaduct::conference
