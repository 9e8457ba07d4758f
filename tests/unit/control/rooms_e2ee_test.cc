// What a conference decides about end-to-end encryption, what people declare, and what everybody
// is told of it.
#include "tests/unit/control/rooms_fixture.h"

namespace viaduct::control {
namespace {

using codec::MediaKind;
using conference::HeldBack;
using conference::ObservedBodies;
using nlohmann::json;

class RoomsE2eeTest : public RoomsTest {
 protected:
  // Joins with more fields than a name; what came back is left in the inbox.
  void join_with(SocketId socket, const json& fields, const std::string& conference = "standup") {
    rooms->handle_opened(socket, now);
    json message = {{"type", "join"}, {"conference", conference}, {"name", "x"}};
    message.update(fields);
    say(socket, message);
  }
  void observe(conference::EndpointId endpoint, const std::string& mid, ObservedBodies observed) {
    report(conference::BodiesObserved{endpoint, mid, MediaKind::Audio, observed});
  }
  // The verdict in the next message of that socket, which must be a participant-changed.
  std::string next_verdict(SocketId socket) {
    const json changed = next(socket);
    if (changed.is_null() || changed["type"] != "participant-changed") return changed.dump();
    return changed["participant"]["e2ee"]["verdict"];
  }
};

const json Off = {{"wanted", false}, {"required", false}};
const json Wanted = {{"wanted", true}, {"required", false}};
const json Required = {{"wanted", true}, {"required", true}};

TEST_F(RoomsE2eeTest, TellsEverybodyWhoTurnedItOnAndOff) {
  join_with_media(1, "Ada");
  join_with_media(2, "Grace");
  const auto number = rooms->views().at(0).number;
  inbox.clear();
  say(2, {{"type", "e2ee"}, {"wanted", true}});
  const json on = {{"type", "e2ee"}, {"wanted", true}, {"required", false}, {"by", ids[2]}};
  EXPECT_EQ(next(1), on);
  EXPECT_EQ(next(2), on);
  say(1, {{"type", "e2ee"}, {"wanted", true}});
  EXPECT_TRUE(inbox[1].empty());  // it is on already
  say(1, {{"type", "e2ee"}, {"wanted", false}});
  EXPECT_EQ(next(2),
            (json{{"type", "e2ee"}, {"wanted", false}, {"required", false}, {"by", ids[1]}}));
  const auto policies = commands<conference::SetE2eePolicy>(0);
  ASSERT_EQ(policies.size(), 2u);
  EXPECT_EQ(policies[0].conference, number);
  EXPECT_EQ(policies[0].policy, (conference::E2eePolicy{true, false}));
  EXPECT_EQ(policies[1].policy, (conference::E2eePolicy{false, false}));
}

TEST_F(RoomsE2eeTest, TellsNobodyOfASealThatABusyWorkerDoesNotHave) {
  join_with_media(1, "Ada");
  join_with_media(2, "Grace");
  inbox.clear();
  ports[0].set_full(true);
  say(1, {{"type", "e2ee"}, {"wanted", true}});
  EXPECT_EQ(next_error(1), "busy");
  say(1, {{"type", "declare"}, {"e2ee", true}});
  EXPECT_EQ(next_error(1), "busy");
  EXPECT_TRUE(inbox[2].empty());
  EXPECT_FALSE(rooms->views().at(0).e2ee.wanted);
  EXPECT_FALSE(rooms->views().at(0).people.at(0).e2ee.declared);
}

TEST_F(RoomsE2eeTest, SealsAConferenceThatNoWorkerKnowsYetByItsFirstEndpoint) {
  join(1, "Ada");
  say(1, {{"type", "e2ee"}, {"wanted", true}});
  EXPECT_TRUE(ports[0].take_commands().empty());
  say(1, {{"type", "offer"}, {"sdp", SmallOffer}});
  const auto added = commands<conference::AddEndpoint>(0);
  ASSERT_EQ(added.size(), 1u);
  EXPECT_EQ(added[0].e2ee, (conference::E2eePolicy{true, false}));
}

TEST_F(RoomsE2eeTest, TellsAJoinerWhatTheConferenceHasDecidedAndWhoCanDoIt) {
  join_with(1, {{"e2ee", true}});
  EXPECT_EQ(next(1)["e2ee"], Off);
  say(1, {{"type", "e2ee"}, {"wanted", true}});
  say(1, {{"type", "declare"}, {"e2ee", true}});
  join_with(2, json::object());
  const json joined = next(2);
  EXPECT_EQ(joined["e2ee"], Wanted);
  EXPECT_EQ(joined["participants"][0]["e2ee"],
            (json{{"capable", true}, {"declared", true}, {"verdict", "undecided"}}));
  EXPECT_EQ(next(1)["type"], "e2ee");
  EXPECT_EQ(next(1)["participant"]["e2ee"],
            (json{{"capable", false}, {"declared", false}, {"verdict", "undeclared"}}));
}

TEST_F(RoomsE2eeTest, ForgetsWhatAConferenceDecidedWhenItEnds) {
  join_with(1, {{"require_e2ee", true}});
  EXPECT_EQ(next(1)["e2ee"], Required);
  rooms->handle_closed(1, SocketEnd::Left, now);
  join_with(2, json::object());
  EXPECT_EQ(next(2)["e2ee"], Off);
}

TEST_F(RoomsE2eeTest, RequiresItWhereTheJoinThatOpensTheConferenceSaysSo) {
  join_with(1, {{"require_e2ee", true}});
  EXPECT_EQ(next(1)["e2ee"], Required);
  join_with(2, json::object(), "other");
  join_with(3, {{"require_e2ee", true}}, "other");  // comes too late to decide
  EXPECT_EQ(next(3)["e2ee"], Off);
  say(1, {{"type", "e2ee"}, {"wanted", false}});
  const json refused = next(1);
  EXPECT_EQ(refused["code"], "e2ee-required");
  EXPECT_EQ(refused["final"], false);
  EXPECT_EQ(metrics.refused_messages["e2ee-required"].value(), 1u);
  say(1, {{"type", "e2ee"}, {"wanted", true}});
  EXPECT_TRUE(inbox[1].empty());
}

TEST_F(RoomsE2eeTest, RequiresItEverywhereWhereTheConfigurationSaysSo) {
  settings.require_e2ee = true;
  join(1, "Ada");
  say(1, {{"type", "offer"}, {"sdp", SmallOffer}});
  EXPECT_EQ(commands<conference::AddEndpoint>(0).at(0).e2ee, (conference::E2eePolicy{true, true}));
  say(1, {{"type", "e2ee"}, {"wanted", false}});
  EXPECT_EQ(next_type(1), "answer");
  EXPECT_EQ(next_error(1), "e2ee-required");
}

// {"alg":"HS256"} . {"exp":1900000000,"conference":"c","e2ee":"required"}, signed with 32 times
// "s".
constexpr const char* RequiringToken =
    "eyJhbGciOiJIUzI1NiJ9."
    "eyJleHAiOjE5MDAwMDAwMDAsImNvbmZlcmVuY2UiOiJjIiwiZTJlZSI6InJlcXVpcmVkIn0."
    "1OwamCG36IUqB-nOJPJ4GlemS4nFgNlCYPF8NRNtCRM";

TEST_F(RoomsE2eeTest, RequiresItFromTheJoinOnWhoseTokenSaysSo) {
  settings.token = {.required = false, .hs256_secret = std::string(32, 's')};
  open_rooms();
  join_with(1, json::object(), "c");
  EXPECT_EQ(next(1)["e2ee"], Off);
  say(1, {{"type", "offer"}, {"sdp", SmallOffer}});
  EXPECT_EQ(next_type(1), "answer");
  ports[0].take_commands();
  ports[0].set_full(true);  // a command that must arrive waits
  join_with(2, {{"token", RequiringToken}}, "c");
  const json joined = next(2);
  EXPECT_EQ(joined["e2ee"], Required);
  EXPECT_EQ(next_type(1), "participant-joined");
  EXPECT_EQ(
      next(1),
      (json{
          {"type", "e2ee"}, {"wanted", true}, {"required", true}, {"by", joined["participant"]}}));
  ports[0].set_full(false);
  workers[0].flush();
  const auto policies = commands<conference::SetE2eePolicy>(0);
  ASSERT_EQ(policies.size(), 1u);
  EXPECT_EQ(policies[0].policy, (conference::E2eePolicy{true, true}));
  join_with(3, {{"token", RequiringToken}}, "c");  // nothing changes any more
  EXPECT_EQ(next_type(1), "participant-joined");
  EXPECT_TRUE(inbox[1].empty());
}

TEST_F(RoomsE2eeTest, RefusesAMixAndSaysWhetherEncryptionIsTheReason) {
  join_with(1, {{"mixed", true}});
  const json refused = next(1);
  EXPECT_EQ(refused["code"], "mix-unavailable");
  EXPECT_EQ(refused["final"], true);
  EXPECT_TRUE(rooms->views().empty());
  join_with(2, {{"mixed", true}, {"require_e2ee", true}});
  EXPECT_EQ(next_error(2), "mix-needs-plaintext");
  join(3, "Ada");
  join_with(4, {{"mixed", true}, {"require_e2ee", true}});
  EXPECT_EQ(next_error(4), "mix-unavailable");  // it does not open the conference
  say(3, {{"type", "e2ee"}, {"wanted", true}});
  join_with(5, {{"mixed", true}});
  EXPECT_EQ(next_error(5), "mix-needs-plaintext");
  EXPECT_EQ(closed[5], close_code::FinalError);
  EXPECT_EQ(metrics.joins["mix-needs-plaintext"].value(), 2u);
  EXPECT_EQ(metrics.joins["mix-unavailable"].value(), 2u);
}

TEST_F(RoomsE2eeTest, TellsTheOthersAndTheWorkerWhoDeclares) {
  const auto ada = join_with_media(1, "Ada");
  join_with_media(2, "Grace");
  inbox.clear();
  say(1, {{"type", "declare"}, {"e2ee", true}});
  EXPECT_EQ(next_verdict(2), "undecided");
  EXPECT_TRUE(inbox[1].empty());
  const auto declared = commands<conference::DeclareE2ee>(0);
  ASSERT_EQ(declared.size(), 1u);
  EXPECT_EQ(declared[0].endpoint, ada.id);
  EXPECT_TRUE(declared[0].declared);
  say(1, {{"type", "declare"}, {"e2ee", true}});
  EXPECT_TRUE(inbox[2].empty());  // nothing has changed
  say(1, {{"type", "declare"}, {"e2ee", false}});
  EXPECT_EQ(next_verdict(2), "undeclared");
}

TEST_F(RoomsE2eeTest, AppliesADeclarationThatCameBeforeTheOffer) {
  join(1, "Ada");
  say(1, {{"type", "declare"}, {"e2ee", true}});
  EXPECT_TRUE(ports[0].take_commands().empty());
  say(1, {{"type", "offer"}, {"sdp", SmallOffer}});
  const std::vector<conference::Command> sent = ports[0].take_commands();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<conference::AddEndpoint>(sent[0]));
  ASSERT_TRUE(std::holds_alternative<conference::DeclareE2ee>(sent[1]));
  EXPECT_TRUE(std::get<conference::DeclareE2ee>(sent[1]).declared);
}

TEST_F(RoomsE2eeTest, ShowsTheWorstOfAllStreamsThatAreClear) {
  const auto ada = join_with_media(1, "Ada");
  join_with_media(2, "Grace");
  say(1, {{"type", "declare"}, {"e2ee", true}});
  inbox.clear();
  observe(ada.id, "a", ObservedBodies::Ciphertext);
  EXPECT_EQ(next_verdict(2), "consistent");
  observe(ada.id, "b", ObservedBodies::Undecided);  // not sent yet, for all that is known
  EXPECT_TRUE(inbox[2].empty());
  observe(ada.id, "b", ObservedBodies::Plain);
  EXPECT_EQ(next_verdict(2), "contradicted");
  observe(ada.id, "b", ObservedBodies::Undecided);
  EXPECT_EQ(next_verdict(2), "undecided");
  observe(ada.id, "b", ObservedBodies::Ciphertext);
  EXPECT_EQ(next_verdict(2), "consistent");
  EXPECT_TRUE(inbox[1].empty());  // it is for the others
}

TEST_F(RoomsE2eeTest, DoesNotHoldWhatWasSentBeforeADeclarationAgainstIt) {
  const auto ada = join_with_media(1, "Ada");
  join_with_media(2, "Grace");
  inbox.clear();
  observe(ada.id, "a", ObservedBodies::Plain);
  EXPECT_TRUE(inbox[2].empty());  // nothing is declared, so nothing is contradicted
  say(1, {{"type", "declare"}, {"e2ee", true}});
  EXPECT_EQ(next_verdict(2), "undecided");
  observe(ada.id, "a", ObservedBodies::Plain);
  EXPECT_EQ(next_verdict(2), "contradicted");
}

TEST_F(RoomsE2eeTest, TellsASenderAloneWhyItsStreamIsHeldBack) {
  const auto ada = join_with_media(1, "Ada");
  join_with_media(2, "Grace");
  inbox.clear();
  const auto hold = [&](const char* mid, HeldBack reason) {
    report(conference::SourceHeldBack{ada.id, mid, MediaKind::Video, reason});
  };
  hold("camera", HeldBack::Undeclared);
  EXPECT_EQ(next(1), (json{{"type", "held-back"}, {"kind", "video"}, {"reason", "undeclared"}}));
  hold("screen", HeldBack::Undeclared);
  EXPECT_TRUE(inbox[1].empty());  // of that kind, nothing has changed
  hold("camera", HeldBack::Contradicted);
  EXPECT_EQ(next(1)["reason"], "contradicted");
  hold("camera", HeldBack::No);
  EXPECT_EQ(next(1)["reason"], "undeclared");
  hold("screen", HeldBack::No);
  EXPECT_EQ(next(1), (json{{"type", "held-back"}, {"kind", "video"}, {"reason", nullptr}}));
  EXPECT_TRUE(inbox[2].empty());
}

TEST_F(RoomsE2eeTest, CountsConferencesByPolicyAndParticipantsByWhatTheyDeclare) {
  const auto counts = [this] {
    return std::vector<int64_t>{metrics.conferences_with({false, false}).value(),
                                metrics.conferences_with({true, false}).value(),
                                metrics.conferences_with({true, true}).value(),
                                metrics.participants_declaring(false).value(),
                                metrics.participants_declaring(true).value()};
  };
  join(1, "Ada");
  join_with(2, {{"require_e2ee", true}}, "secret");
  EXPECT_EQ(counts(), (std::vector<int64_t>{1, 0, 1, 2, 0}));
  say(1, {{"type", "e2ee"}, {"wanted", true}});
  say(2, {{"type", "declare"}, {"e2ee", true}});
  EXPECT_EQ(counts(), (std::vector<int64_t>{0, 1, 1, 1, 1}));
  rooms->handle_closed(2, SocketEnd::Left, now);
  EXPECT_EQ(counts(), (std::vector<int64_t>{0, 1, 0, 1, 0}));
  rooms->drain();
  EXPECT_EQ(counts(), (std::vector<int64_t>{0, 0, 0, 0, 0}));
}

}  // namespace
}  // namespace viaduct::control
