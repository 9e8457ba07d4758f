#include "control/rooms.h"

#include "tests/unit/control/rooms_fixture.h"

namespace viaduct::control {
namespace {

using conference::EndpointId;
using nlohmann::json;

TEST_F(RoomsTest, TellsAJoinerWhoIsThereAndTheOthersWhoCame) {
  const std::string ada = join(1, "Ada");
  rooms->handle_opened(2, now);
  say(2, {{"type", "join"}, {"conference", "standup"}, {"name", "Grace"}});
  const json joined = next(2);
  EXPECT_EQ(joined["conference"], "standup");
  EXPECT_EQ(joined["slots"], (json{{"audio", 3}, {"video", 12}}));
  ASSERT_EQ(joined["participants"].size(), 1u);
  EXPECT_EQ(joined["participants"][0]["id"], ada);
  EXPECT_EQ(joined["participants"][0]["name"], "Ada");
  const json came = next(1);
  EXPECT_EQ(came["type"], "participant-joined");
  EXPECT_EQ(came["participant"]["id"], joined["participant"]);
  EXPECT_EQ(ada.size(), 16u);
}

TEST_F(RoomsTest, LetsTwoPeopleHaveTheSameName) {
  const std::string first = join(1, "Ada"), second = join(2, "Ada");
  EXPECT_NE(first, second);
}

TEST_F(RoomsTest, KeepsConferencesApart) {
  join(1, "Ada", "one");
  join(2, "Grace", "two");
  EXPECT_TRUE(inbox[1].empty());
}

TEST_F(RoomsTest, PutsANewConferenceOnTheLeastLoadedWorker) {
  join(1, "a", "one");
  join(2, "b", "one");
  join(3, "c", "two");
  join(4, "d", "three");
  std::map<std::string, size_t> worker_of;
  for (const RoomView& view : rooms->views()) worker_of[view.name] = view.workers.front();
  EXPECT_EQ(worker_of, (std::map<std::string, size_t>{{"one", 0}, {"two", 1}, {"three", 1}}));
}

TEST_F(RoomsTest, DescribesTheOffersSourcesAndSlotsToTheWorker) {
  join(1, "Ada");
  say(1, {{"type", "offer"}, {"sdp", SmallOffer}});
  const std::string answer = next(1)["sdp"];
  auto added = commands<conference::AddEndpoint>(0);
  ASSERT_EQ(added.size(), 1u);
  EXPECT_EQ(added[0].conference_name, "standup");
  const conference::EndpointDescription& e = *added[0].endpoint;
  EXPECT_EQ(e.name, "Ada");
  EXPECT_EQ(e.remote_ufrag, "abcd");
  EXPECT_EQ(e.remote_pwd, "0123456789abcdefghijklmn");
  EXPECT_EQ(e.local_ufrag.size(), 8u);
  EXPECT_EQ(e.local_pwd.size(), 24u);
  EXPECT_EQ(e.fingerprint.size(), 32u);
  EXPECT_FALSE(e.dtls_active);
  ASSERT_EQ(e.sources.size(), 1u);
  EXPECT_EQ(e.sources[0].mid, "a");
  EXPECT_EQ(e.sources[0].ssrc, 1234u);
  ASSERT_EQ(e.slots.size(), 1u);
  EXPECT_EQ(e.slots[0].mid, "v");
  EXPECT_NE(e.slots[0].ssrc, e.slots[0].rtx_ssrc);
  EXPECT_NE(e.slots[0].ssrc, 0u);
  EXPECT_NE(e.feedback_ssrc, e.slots[0].ssrc);
  ASSERT_EQ(e.formats.size(), 2u);
  EXPECT_EQ(e.extensions.id(rtp::ExtensionType::Mid), 4);
  EXPECT_EQ(e.slot_extensions.id(rtp::ExtensionType::Mid), 4);
  EXPECT_NE(answer.find("a=ice-ufrag:" + e.local_ufrag), std::string::npos);
  EXPECT_NE(answer.find("a=ssrc:" + std::to_string(e.slots[0].ssrc)), std::string::npos);
  EXPECT_NE(answer.find("192.0.2.1 10000"), std::string::npos);
  EXPECT_NE(answer.find("a=setup:passive"), std::string::npos);
}

TEST_F(RoomsTest, IsTheDtlsClientOfAPassiveClient) {
  join(1, "Ada");
  std::string offer = SmallOffer;
  offer.replace(offer.find("actpass"), 7, "passive");
  say(1, {{"type", "offer"}, {"sdp", offer}});
  EXPECT_NE(next(1)["sdp"].get<std::string>().find("a=setup:active"), std::string::npos);
  EXPECT_TRUE(commands<conference::AddEndpoint>(0).at(0).endpoint->dtls_active);
}

TEST_F(RoomsTest, RefusesMessagesOutOfOrderAndGoesOn) {
  rooms->handle_opened(1, now);
  say(1, {{"type", "offer"}, {"sdp", SmallOffer}});
  EXPECT_EQ(next_error(1), "not-joined");
  say(1, {{"type", "mute"}, {"kind", "audio"}, {"muted", true}});
  EXPECT_EQ(next_error(1), "not-joined");
  say(1, {{"type", "join"}, {"conference", "standup"}, {"name", "Ada"}});
  EXPECT_EQ(next_type(1), "joined");
  say(1, {{"type", "join"}, {"conference", "other"}, {"name", "Ada"}});
  EXPECT_EQ(next_error(1), "already-joined");
  say(1, {{"type", "offer"}, {"sdp", SmallOffer}});
  EXPECT_EQ(next_type(1), "answer");
  say(1, {{"type", "offer"}, {"sdp", SmallOffer}});
  EXPECT_EQ(next_error(1), "already-offered");
  EXPECT_TRUE(closed.empty());
  EXPECT_EQ(commands<conference::AddEndpoint>(0).size(), 1u);
}

TEST_F(RoomsTest, EndsAParticipantWhoseOfferCannotBeAnswered) {
  join(1, "Ada");
  join(2, "Grace");
  next(1);
  say(2, {{"type", "offer"}, {"sdp", "v=1"}});
  const json error = next(2);
  EXPECT_EQ(error["code"], "offer-refused");
  EXPECT_EQ(error["final"], true);
  EXPECT_EQ(closed[2], close_code::FinalError);
  EXPECT_EQ(next_type(1), "participant-left");
}

TEST_F(RoomsTest, RefusesMoreSlotsThanItGave) {
  settings.video_slots = 0;
  join(1, "Ada");
  say(1, {{"type", "offer"}, {"sdp", SmallOffer}});
  EXPECT_EQ(next_error(1), "offer-refused");
  EXPECT_TRUE(ports[0].take_commands().empty());
}

TEST_F(RoomsTest, LimitsParticipantsOfAConferenceAndOfTheBridgeAndConferences) {
  settings.limits.participants_per_conference = 1;
  settings.limits.conferences = 2;
  settings.limits.participants = 2;
  const auto try_join = [this](SocketId socket, const char* conference) {
    rooms->handle_opened(socket, now);
    say(socket, {{"type", "join"}, {"conference", conference}, {"name", "x"}});
    return next_error(socket);
  };
  EXPECT_EQ(try_join(1, "one"), "");
  EXPECT_EQ(try_join(2, "one"), "conference-full");
  EXPECT_EQ(try_join(3, "two"), "");
  EXPECT_EQ(try_join(4, "three"), "bridge-full");
  settings.limits.participants = 9;
  EXPECT_EQ(try_join(5, "three"), "bridge-full");  // no third conference
  EXPECT_EQ(closed[5], close_code::FinalError);
  rooms->handle_closed(3, SocketEnd::Left, now);
  EXPECT_EQ(try_join(6, "three"), "");  // its place is free again
}

TEST_F(RoomsTest, TellsWorkerAndOthersWhenSomebodyLeaves) {
  const auto ada = join_with_media(1, "Ada");
  join_with_media(2, "Grace");
  inbox.clear();
  say(1, {{"type", "leave"}});
  EXPECT_EQ(closed[1], close_code::Normal);
  EXPECT_EQ(next(2), (json{{"type", "participant-left"}, {"id", ids[1]}}));
  const auto removed = commands<conference::RemoveEndpoint>(0);
  ASSERT_EQ(removed.size(), 1u);
  EXPECT_EQ(removed[0].endpoint, ada.id);
  rooms->handle_closed(1, SocketEnd::Left, now);  // the socket's end follows and changes nothing
  EXPECT_TRUE(commands<conference::RemoveEndpoint>(0).empty());
}

TEST_F(RoomsTest, TreatsAClosedSocketAsLeaving) {
  join_with_media(1, "Ada");
  rooms->handle_closed(1, SocketEnd::Left, now);
  EXPECT_EQ(commands<conference::RemoveEndpoint>(0).size(), 1u);
  EXPECT_TRUE(rooms->views().empty());
}

TEST_F(RoomsTest, GivesAReopenedConferenceANewNumber) {
  join(1, "Ada");
  const auto first = rooms->views().at(0);
  rooms->handle_closed(1, SocketEnd::Left, now);
  join(2, "Ada");
  const auto second = rooms->views().at(0);
  EXPECT_NE(first.number, second.number);
  EXPECT_NE(first.id, second.id);
}

TEST_F(RoomsTest, KeepsARemovalUntilTheWorkerHasRoomForIt) {
  join_with_media(1, "Ada");
  ports[0].set_full(true);
  rooms->handle_closed(1, SocketEnd::Left, now);
  EXPECT_TRUE(ports[0].take_commands().empty());
  ports[0].set_full(false);
  workers[0].flush();
  EXPECT_EQ(commands<conference::RemoveEndpoint>(0).size(), 1u);
}

TEST_F(RoomsTest, RefusesWhatABusyWorkerCannotTake) {
  join_with_media(1, "Ada");
  join(2, "Grace");
  ports[0].set_full(true);
  inbox.clear();
  say(1, {{"type", "mute"}, {"kind", "audio"}, {"muted", true}});
  EXPECT_EQ(next_error(1), "busy");
  EXPECT_TRUE(inbox[2].empty());  // nobody was told of a state that is not
  say(2, {{"type", "offer"}, {"sdp", SmallOffer}});
  EXPECT_EQ(next_error(2), "busy");
  EXPECT_EQ(closed[2], close_code::FinalError);
}

TEST_F(RoomsTest, TellsTheOthersAndTheWorkerWhoIsMuted) {
  const auto ada = join_with_media(1, "Ada");
  join_with_media(2, "Grace");
  inbox.clear();
  say(1, {{"type", "mute"}, {"kind", "audio"}, {"muted", true}});
  const json changed = next(2);
  EXPECT_EQ(changed["type"], "participant-changed");
  EXPECT_EQ(changed["participant"]["audio"]["muted"], true);
  const auto muted = commands<conference::SetMuted>(0);
  ASSERT_EQ(muted.size(), 1u);
  EXPECT_EQ(muted[0].endpoint, ada.id);
  EXPECT_TRUE(muted[0].muted);
  say(1, {{"type", "mute"}, {"kind", "audio"}, {"muted", true}});
  EXPECT_TRUE(inbox[2].empty());  // nothing has changed
}

TEST_F(RoomsTest, AppliesAMuteThatCameBeforeTheOffer) {
  join(1, "Ada");
  say(1, {{"type", "mute"}, {"kind", "audio"}, {"muted", true}});
  EXPECT_TRUE(ports[0].take_commands().empty());
  say(1, {{"type", "offer"}, {"sdp", SmallOffer}});
  EXPECT_EQ(commands<conference::SetMuted>(0).size(), 1u);
}

TEST_F(RoomsTest, ShowsAKindThatIsNotSentAsMuted) {
  join(1, "Ada");
  join_with_media(2, "Grace");  // sends sound only
  EXPECT_EQ(next_type(1), "participant-joined");
  const json changed = next(1);
  EXPECT_EQ(changed["participant"]["audio"]["muted"], false);
  EXPECT_EQ(changed["participant"]["video"]["muted"], true);
}

TEST_F(RoomsTest, NamesPeopleInSlotsByTheirPublicIds) {
  const auto ada = join_with_media(1, "Ada");
  const auto grace = join_with_media(2, "Grace");
  inbox.clear();
  report(conference::SlotsChanged{
      ada.id,
      {{"v", codec::MediaKind::Video, grace.id, "1"},
       {"w", codec::MediaKind::Video, std::nullopt, ""},
       {"x", codec::MediaKind::Video, EndpointId{999}, "1"}},
      {{grace.id, codec::CodecType::H264}, {EndpointId{999}, codec::CodecType::H264}}});
  const json slots = next(1);
  EXPECT_EQ(slots["slots"][0]["participant"], ids[2]);
  EXPECT_EQ(slots["slots"][1]["participant"], nullptr);
  EXPECT_EQ(slots["slots"][2]["participant"], nullptr);  // has just left
  EXPECT_EQ(slots["undecodable"], json::array({json{{"participant", ids[2]}, {"codec", "H264"}}}));
  EXPECT_TRUE(inbox[2].empty());
}

TEST_F(RoomsTest, TellsSpeakerAndCodecsToEverybodyAndToWhoComesLater) {
  const auto ada = join_with_media(1, "Ada");
  const auto number = rooms->views().at(0).number;
  inbox.clear();
  report(conference::CodecsChanged{number, {codec::CodecType::Vp8}});
  report(conference::SpeakerChanged{number, ada.id});
  EXPECT_EQ(next(1), (json{{"type", "codecs"}, {"video", {"VP8"}}}));
  EXPECT_EQ(next(1), (json{{"type", "speaker"}, {"participant", ids[1]}}));
  join(2, "Grace");
  EXPECT_TRUE(inbox[2].empty());  // not before the answer
  say(2, {{"type", "offer"}, {"sdp", SmallOffer}});
  EXPECT_EQ(next_type(2), "answer");
  EXPECT_EQ(next_type(2), "codecs");
  EXPECT_EQ(next(2)["participant"], ids[1]);
}

TEST_F(RoomsTest, EndsAParticipantWhoseMediaIsGone) {
  const auto ada = join_with_media(1, "Ada");
  join_with_media(2, "Grace");
  inbox.clear();
  report(conference::EndpointGone{ada.id, conference::GoneReason::ConsentLost});
  EXPECT_EQ(next_error(1), "connection-lost");
  EXPECT_EQ(closed[1], close_code::FinalError);
  EXPECT_EQ(next_type(2), "participant-left");
  EXPECT_TRUE(
      commands<conference::RemoveEndpoint>(0).empty());  // the worker has removed it already
  EXPECT_EQ(metrics.lost_participants["connection-lost"].value(), 1u);
}

TEST_F(RoomsTest, IgnoresReportsOfPeopleAndConferencesThatAreGone) {
  report(conference::EndpointGone{EndpointId{77}, conference::GoneReason::PeerClosed});
  report(conference::EndpointConnected{EndpointId{77}, 1ms, 1ms});
  report(conference::SlotsChanged{EndpointId{77}, {}, {}});
  report(conference::SpeakerChanged{conference::ConferenceId{77}, EndpointId{1}});
  report(conference::CodecsChanged{conference::ConferenceId{77}, {}});
  report(conference::BodiesObserved{EndpointId{77}, "a", {}, conference::ObservedBodies::Plain});
  report(conference::SourceHeldBack{EndpointId{77}, "a", {}, conference::HeldBack::Undeclared});
  EXPECT_TRUE(inbox.empty());
}

TEST_F(RoomsTest, ClosesClientsThatNeverJoinOrNeverOffer) {
  rooms->handle_opened(1, now);
  join(2, "Ada");
  now += Rooms::JoinTimeout + 1ms;
  rooms->handle_timers(now);
  collect();
  EXPECT_EQ(next_error(1), "join-timeout");
  EXPECT_FALSE(closed.contains(2));
  now += Rooms::OfferTimeout;
  rooms->handle_timers(now);
  collect();
  EXPECT_EQ(next_error(2), "join-timeout");
}

TEST_F(RoomsTest, TellsEverybodyWhenTheBridgeGoesDown) {
  join_with_media(1, "Ada");
  rooms->handle_opened(2, now);
  inbox.clear();
  rooms->drain();
  collect();
  EXPECT_EQ(next_error(1), "shutting-down");
  EXPECT_EQ(next_error(2), "shutting-down");
  EXPECT_EQ(closed[1], close_code::GoingAway);
  EXPECT_TRUE(rooms->views().empty());
  EXPECT_TRUE(commands<conference::RemoveEndpoint>(0).empty());  // Stop tells the worker
}

TEST_F(RoomsTest, WantsATokenWhereOneIsRequired) {
  settings.token = {.required = true, .hs256_secret = std::string(32, 's')};
  open_rooms();
  rooms->handle_opened(1, now);
  say(1, {{"type", "join"}, {"conference", "c"}, {"name", "Ada"}});
  EXPECT_EQ(next_error(1), "token-required");
  rooms->handle_opened(2, now);
  say(2, {{"type", "join"}, {"conference", "c"}, {"name", "Ada"}, {"token", "x.y.z"}});
  EXPECT_EQ(next_error(2), "token-invalid");
  EXPECT_EQ(metrics.joins["token-invalid"].value(), 1u);
  EXPECT_TRUE(rooms->views().empty());
}

// {"alg":"HS256"} . {"exp":1900000000,"conference":"c","name":"Token Ada"}, signed with 32 times
// "s".
constexpr const char* TokenOfAda =
    "eyJhbGciOiJIUzI1NiJ9."
    "eyJleHAiOjE5MDAwMDAwMDAsImNvbmZlcmVuY2UiOiJjIiwibmFtZSI6IlRva2VuIEFkYSJ9."
    "ZVQMrrEUVTG8MSI3p3-XQXEQkAhMkUG1MLTwp6YDbGU";

TEST_F(RoomsTest, TakesTheNameFromTheTokenAndAdmitsOnlyToItsConference) {
  settings.token = {.required = true, .hs256_secret = std::string(32, 's')};
  open_rooms();
  rooms->handle_opened(1, now);
  say(1, {{"type", "join"}, {"conference", "c"}, {"token", TokenOfAda}});
  EXPECT_EQ(next_type(1), "joined");
  EXPECT_EQ(rooms->views().at(0).people.at(0).name, "Token Ada");
  rooms->handle_opened(2, now);
  say(2, {{"type", "join"}, {"conference", "d"}, {"token", TokenOfAda}});
  EXPECT_EQ(next_error(2), "token-invalid");
}

TEST_F(RoomsTest, NeedsANameFromClientOrToken) {
  rooms->handle_opened(1, now);
  say(1, {{"type", "join"}, {"conference", "c"}});
  EXPECT_EQ(next_error(1), "bad-field");
}

TEST_F(RoomsTest, MeasuresThePhasesOfAJoin) {
  join(1, "Ada");
  now += 40ms;
  say(1, {{"type", "offer"}, {"sdp", SmallOffer}});
  const auto added = commands<conference::AddEndpoint>(0);
  now += 200ms;
  report(conference::EndpointConnected{added.at(0).endpoint->id, 120ms, 60ms});
  EXPECT_DOUBLE_EQ(metrics.signalling_seconds.sum(), 0.04);
  EXPECT_DOUBLE_EQ(metrics.ice_seconds.sum(), 0.12);
  EXPECT_DOUBLE_EQ(metrics.dtls_seconds.sum(), 0.06);
  EXPECT_DOUBLE_EQ(metrics.total_seconds.sum(), 0.24);
}

TEST_F(RoomsTest, FindsAConferenceByNameByIdAndByWhoIsIn) {
  const std::string ada = join(1, "Ada");
  const std::string id = rooms->views().at(0).id;
  for (const std::string& key : {std::string("standup"), id, ada}) {
    ASSERT_TRUE(rooms->find(key).has_value()) << key;
    EXPECT_EQ(rooms->find(key)->name, "standup");
  }
  EXPECT_FALSE(rooms->find("nobody").has_value());
}

TEST_F(RoomsTest, SurvivesRandomConversationsWithItsCountsIntact) {
  SeededRandom dice(7);
  const std::vector<json> lines = {{{"type", "join"}, {"conference", "a"}, {"name", "x"}},
                                   {{"type", "join"}, {"conference", "b"}, {"name", "y"}},
                                   {{"type", "offer"}, {"sdp", SmallOffer}},
                                   {{"type", "offer"}, {"sdp", "junk"}},
                                   {{"type", "mute"}, {"kind", "video"}, {"muted", true}},
                                   {{"type", "mute"}, {"kind", "video"}, {"muted", false}},
                                   {{"type", "e2ee"}, {"wanted", true}},
                                   {{"type", "e2ee"}, {"wanted", false}},
                                   {{"type", "declare"}, {"e2ee", true}},
                                   {{"type", "direct"}, {"active", true}},
                                   {{"type", "relay"}, {"all", "x"}},
                                   {{"type", "privacy"}},
                                   {{"type", "leave"}},
                                   {{"type", "?"}}};
  for (int step = 0; step < 5000; ++step) {
    const SocketId socket = 1 + dice.below(20);
    const EndpointId somebody{dice.below(200)};
    switch (dice.below(8)) {
      case 0:
        rooms->handle_closed(socket, SocketEnd::Left, now);
        rooms->handle_opened(socket, now);
        break;
      case 1:
        report(conference::EndpointGone{somebody, conference::GoneReason::PeerClosed});
        break;
      case 2:
        report(conference::BodiesObserved{somebody, "a", codec::MediaKind::Audio,
                                          conference::ObservedBodies::Plain});
        break;
      case 3:
        report(conference::SourceHeldBack{somebody, "a", codec::MediaKind::Audio,
                                          conference::HeldBack::Contradicted});
        break;
      default:
        say(socket, lines[dice.below(lines.size())]);
    }
    ports[dice.below(2)].set_full(dice.chance(0.1));
    size_t people = 0, on_workers = 0;
    for (const RoomView& view : rooms->views()) {
      EXPECT_FALSE(view.people.empty());
      people += view.people.size();
    }
    for (const WorkerLink& worker : workers) on_workers += worker.participants;
    ASSERT_EQ(people, on_workers);
    ASSERT_EQ(static_cast<int64_t>(people), metrics.participants_declaring(false).value() +
                                                metrics.participants_declaring(true).value());
    ASSERT_EQ(static_cast<int64_t>(rooms->views().size()),
              metrics.conferences_with({false, false}).value() +
                  metrics.conferences_with({true, false}).value());
    ASSERT_GE(metrics.direct_conferences.value(), 0);
    inbox.clear();
  }
  for (SocketId socket = 1; socket <= 20; ++socket) rooms->handle_closed(socket, SocketEnd::Left, now);
  EXPECT_TRUE(rooms->views().empty());
  EXPECT_EQ(workers[0].conferences + workers[1].conferences, 0u);
  EXPECT_EQ(metrics.direct_conferences.value(), 0);
}

}  // namespace
}  // namespace viaduct::control
