// People who hear one mix instead of single voices, from the join to the end.
#include "tests/unit/control/rooms_fixture.h"

namespace viaduct::control {
namespace {

using nlohmann::json;

class RoomsMixedTest : public RoomsTest {
 protected:
  RoomsMixedTest() { settings.mixed_audio = true; }
  json join_mixed(SocketId socket, const json& more = json::object()) {
    rooms->handle_opened(socket, now);
    json message = {{"type", "join"}, {"conference", "standup"}, {"name", "Lin"}, {"mixed", true}};
    message.update(more);
    say(socket, message);
    return next(socket);
  }
};

TEST_F(RoomsMixedTest, GivesOneAudioSlotAndTellsTheWorkerAndTheOthers) {
  join_with_media(1, "Ada");
  inbox.clear();
  const json joined = join_mixed(2);
  EXPECT_EQ(joined["type"], "joined");
  EXPECT_EQ(joined["mixed"], true);
  EXPECT_EQ(joined["slots"], (json{{"audio", 1}, {"video", settings.video_slots}}));
  EXPECT_EQ(joined["participants"][0]["mixed"], false);
  EXPECT_EQ(next(1)["participant"]["mixed"], true);
  say(2, {{"type", "offer"}, {"sdp", SmallOffer}});
  EXPECT_EQ(next_type(2), "answer");
  const auto added = commands<conference::AddEndpoint>(0);
  ASSERT_EQ(added.size(), 1u);
  EXPECT_TRUE(added[0].endpoint->mixed);
  EXPECT_TRUE(rooms->views().at(0).people.at(1).mixed);
}

TEST_F(RoomsMixedTest, IsNobodysBusinessOnOtherWorkers) {
  conference::EndpointDescription d;
  d.mixed = true;
  EXPECT_FALSE(relayed_description(d, 1).mixed);
}

TEST_F(RoomsMixedTest, HasAnAudioSlotEvenWhereThereAreNoneForSingleVoices) {
  settings.audio_slots = 0;
  EXPECT_EQ(join_mixed(1)["slots"]["audio"], 1);
}

TEST_F(RoomsMixedTest, IsRefusedInAConferenceThatIsEncrypted) {
  join(1, "Ada");
  say(1, {{"type", "e2ee"}, {"wanted", true}});
  EXPECT_EQ(join_mixed(2)["code"], "mix-needs-plaintext");
  EXPECT_EQ(closed[2], close_code::FinalError);
}

TEST_F(RoomsMixedTest, EndsWithAReasonWhenTheConferenceIsEncryptedAndTheOthersStay) {
  join_with_media(1, "Ada");
  join_mixed(2);
  inbox.clear();
  say(1, {{"type", "e2ee"}, {"wanted", true}});
  EXPECT_EQ(next_type(2), "e2ee");
  const json why = next(2);
  EXPECT_EQ(why["code"], "mix-needs-plaintext");
  EXPECT_EQ(why["final"], true);
  EXPECT_EQ(closed[2], close_code::FinalError);
  EXPECT_EQ(next_type(1), "e2ee");
  EXPECT_EQ(next_type(1), "participant-left");
  EXPECT_EQ(rooms->views().at(0).people.size(), 1u);
  EXPECT_EQ(metrics.lost_participants["mix-needs-plaintext"].value(), 1u);
}

TEST_F(RoomsMixedTest, EndsAlsoForWhoEncryptsTheConferenceAlone) {
  join_mixed(1);
  say(1, {{"type", "e2ee"}, {"wanted", true}});
  EXPECT_EQ(closed[1], close_code::FinalError);
  EXPECT_TRUE(rooms->views().empty());
}

TEST_F(RoomsMixedTest, StaysWithTheBridge) {
  const json joined = join_mixed(1);
  EXPECT_EQ(joined["direct"]["allowed"], false);
  ids[2] = join(2, "Grace");
  say(2, {{"type", "direct"}, {"active", true}, {"protection", json::object()}});
  EXPECT_FALSE(rooms->views().at(0).people.at(1).direct.has_value());
}

}  // namespace
}  // namespace viaduct::control
