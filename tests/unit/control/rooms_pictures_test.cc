// What clients want to see, what they are told to send, and what they learn of slots, networks and recent speakers.
#include <gmock/gmock.h>

#include "tests/unit/control/rooms_fixture.h"

namespace viaduct::control {
namespace {

using codec::MediaKind;
using conference::Content;
using conference::PictureName;
using conference::SetReceiverWishes;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RoomsPicturesTest : public RoomsTest {
 protected:
  RoomsPicturesTest() {
    ada = join_with_media(1, "Ada").id;
    grace = join_with_media(2, "Grace").id;
    inbox.clear();
  }
  conference::EndpointId ada, grace;
};

// SmallOffer, with a camera and a screen to send.
std::string offer_with_screen() {
  std::string offer = SmallOffer;
  const std::string slot = offer.substr(offer.find("m=video"));
  for (const char* mid : {"cam", "scr"}) {
    std::string section = slot;
    section.replace(section.find("a=mid:v"), 7, "a=mid:" + std::string(mid));
    section.replace(section.find("recvonly"), 8, "sendonly");
    offer += section;
  }
  offer.replace(offer.find("BUNDLE a v"), 10, "BUNDLE a v cam scr");
  return offer;
}

TEST_F(RoomsPicturesTest, TellsTheReceiversWorkerWhatItWants) {
  say(1, {{"type", "receive"},
          {"last_n", 3},
          {"on_stage", {ids[2] + "/screen"}},
          {"selected", {ids[2], "0123456789abcdef"}},
          {"max_height", 180},
          {"max_heights", {{ids[2] + "/screen", -1}, {"0123456789abcdef", 90}}}});
  const auto told = commands<SetReceiverWishes>(0);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].endpoint, ada);
  const auto& wishes = told[0].wishes;
  EXPECT_EQ(wishes.last_n, 3u);
  EXPECT_THAT(wishes.on_stage, ElementsAre(PictureName{grace, Content::Screen}));
  EXPECT_THAT(wishes.selected, ElementsAre(PictureName{grace, Content::Camera})) << "nobody else is here";
  EXPECT_EQ(wishes.max_height, 180);
  EXPECT_THAT(wishes.max_heights, ElementsAre(std::pair{PictureName{grace, Content::Screen}, -1}));
  EXPECT_THAT(inbox[1], IsEmpty());
}

TEST_F(RoomsPicturesTest, SaysNothingTwice) {
  const json wishes = {{"type", "receive"}, {"on_stage", {ids[2]}}};
  say(1, wishes);
  say(1, wishes);
  EXPECT_EQ(commands<SetReceiverWishes>(0).size(), 1u);
  say(1, {{"type", "receive"}});
  const auto told = commands<SetReceiverWishes>(0);
  ASSERT_EQ(told.size(), 1u) << "it replaces what was wanted before";
  EXPECT_EQ(told[0].wishes, conference::ReceiverWishes());
}

TEST_F(RoomsPicturesTest, TellsWishesOfBeforeTheOfferWithIt) {
  join(3, "Eve");
  say(3, {{"type", "receive"}, {"on_stage", {ids[2]}}});
  EXPECT_THAT(commands<SetReceiverWishes>(0), IsEmpty());
  say(3, {{"type", "offer"}, {"sdp", SmallOffer}});
  const auto told = commands<SetReceiverWishes>(0);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_THAT(told[0].wishes.on_stage, ElementsAre(PictureName{grace, Content::Camera}));
}

TEST_F(RoomsPicturesTest, NamesNobodyOfAnotherConference) {
  const std::string stranger = join(3, "Eve", "elsewhere");
  say(1, {{"type", "receive"}, {"on_stage", {stranger}}, {"max_height", 90}});
  const auto told = commands<SetReceiverWishes>(0);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_THAT(told[0].wishes.on_stage, IsEmpty());
}

TEST_F(RoomsPicturesTest, KeepsTheOldWishesWhileTheWorkerIsBusy) {
  ports[0].set_full(true);
  say(1, {{"type", "receive"}, {"max_height", 90}});
  EXPECT_EQ(next_error(1), "busy");
  ports[0].set_full(false);
  say(1, {{"type", "receive"}, {"max_height", 90}});
  EXPECT_EQ(commands<SetReceiverWishes>(0).size(), 1u) << "the refused ones did not count";
}

TEST_F(RoomsPicturesTest, TellsScreensFromCamerasInAnOffer) {
  join(3, "Eve");
  say(3, {{"type", "offer"}, {"sdp", offer_with_screen()}, {"screens", {"scr", "a"}}});
  const auto added = commands<conference::AddEndpoint>(0);
  ASSERT_EQ(added.size(), 1u);
  std::map<std::string, Content> contents;
  for (const auto& s : added[0].endpoint->sources) contents[s.mid] = s.content;
  EXPECT_EQ(contents, (std::map<std::string, Content>{
                          {"a", Content::Camera}, {"cam", Content::Camera}, {"scr", Content::Screen}}));
}

TEST_F(RoomsPicturesTest, TakesAScreenForNoCamera) {
  join(3, "Eve");
  std::string offer = offer_with_screen();
  const size_t camera = offer.find("a=mid:cam");
  offer.replace(offer.find("sendonly", camera), 8, "inactive");
  inbox.clear();
  say(3, {{"type", "offer"}, {"sdp", offer}, {"screens", {"scr"}}});
  const json changed = next(1);
  EXPECT_EQ(changed["type"], "participant-changed");
  EXPECT_EQ(changed["participant"]["video"]["muted"], true);
}

TEST_F(RoomsPicturesTest, TellsOthersWhoSendsAScreen) {
  report(conference::ScreenShown{grace, true});
  const json changed = next(1);
  EXPECT_EQ(changed["type"], "participant-changed");
  EXPECT_EQ(changed["participant"]["id"], ids[2]);
  EXPECT_EQ(changed["participant"]["screen"], true);
  report(conference::ScreenShown{grace, true});
  EXPECT_THAT(inbox[1], IsEmpty());
  rooms->handle_opened(3, now);
  say(3, {{"type", "join"}, {"conference", "standup"}, {"name", "Eve"}});
  EXPECT_EQ(next(3)["participants"][1]["screen"], true);
  inbox.clear();
  say(2, {{"type", "mute"}, {"kind", "screen"}, {"muted", true}});
  EXPECT_EQ(next(1)["participant"]["screen"], false) << "at once";
}

TEST_F(RoomsPicturesTest, MutesAScreenAndACameraApart) {
  say(1, {{"type", "mute"}, {"kind", "screen"}, {"muted", true}});
  say(1, {{"type", "mute"}, {"kind", "video"}, {"muted", true}});
  const auto told = commands<conference::SetMuted>(0);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].content, Content::Screen);
  EXPECT_EQ(told[1].content, Content::Camera);
  EXPECT_EQ(told[1].kind, MediaKind::Video);
}

TEST_F(RoomsPicturesTest, TellsWhatSlotsShowAndWhichHaveNoRoom) {
  report(conference::SlotsChanged{ada, {{"v", MediaKind::Video, grace, "scr", Content::Screen, true}}, {}});
  const json slot = next(1)["slots"][0];
  EXPECT_EQ(slot["participant"], ids[2]);
  EXPECT_EQ(slot["content"], "screen");
  EXPECT_EQ(slot["paused"], true);
}

TEST_F(RoomsPicturesTest, TellsASenderAloneWhatIsWantedOfIt) {
  report(conference::LayersWanted{ada, "cam", {{"low", true}, {"high", false}}, 360});
  const json sent = next(1);
  EXPECT_EQ(sent["type"], "send");
  EXPECT_EQ(sent["sources"][0]["mid"], "cam");
  EXPECT_EQ(sent["sources"][0]["layers"][1], (json{{"rid", "high"}, {"wanted", false}}));
  EXPECT_THAT(inbox[2], IsEmpty());
}

TEST_F(RoomsPicturesTest, TellsAReceiverAloneOfItsNetwork) {
  report(conference::NetworkMeasured{ada, DataRate::kbps(700), DataRate::kbps(2000)});
  EXPECT_EQ(next(1), (json{{"type", "network"}, {"available", 700'000}, {"wanted", 2'000'000}}));
  EXPECT_THAT(inbox[2], IsEmpty());
}

TEST_F(RoomsPicturesTest, TellsAllWhoSpokeLatelyAndNewcomersToo) {
  const auto number = rooms->views().at(0).number;
  report(conference::RecentSpeakersChanged{number, {grace, ada}});
  const json order = {{"type", "recent_speakers"}, {"participants", {ids[2], ids[1]}}};
  EXPECT_EQ(next(1), order);
  EXPECT_EQ(next(2), order);
  join_with_media(3, "Eve");
  EXPECT_EQ(next(3), order);
}

}  // namespace
}  // namespace viaduct::control
