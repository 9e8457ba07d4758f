// What participants have to do with each other alone: what they relay, and direct connections.
#include "limits.h"
#include "tests/unit/control/rooms_fixture.h"

namespace viaduct::control {
namespace {

using nlohmann::json;

class RoomsDirectTest : public RoomsTest {
 protected:
  void connect_directly(SocketId socket) {
    say(socket, {{"type", "direct"}, {"active", true}, {"protection", json::object()}});
  }
  bool is_direct(SocketId socket) const {
    for (const RoomView& room : rooms->views()) {
      for (const auto& person : room.people) {
        if (person.id == ids.at(socket)) return person.direct.has_value();
      }
    }
    return false;
  }
};

TEST_F(RoomsDirectTest, RelaysToAllOthersOfTheConferenceAndToNobodyElse) {
  const std::string ada = join(1, "Ada");
  join(2, "Grace");
  join(3, "Edsger");
  join(4, "Stranger", "elsewhere");
  inbox.clear();
  say(1, {{"type", "relay"}, {"all", "my key"}});
  const json relayed = {{"type", "relay"}, {"from", ada}, {"data", "my key"}};
  EXPECT_EQ(next(2), relayed);
  EXPECT_EQ(next(3), relayed);
  EXPECT_TRUE(inbox[1].empty() && inbox[4].empty());
}

TEST_F(RoomsDirectTest, RelaysToEachNamedParticipantItsOwnAndSkipsWhoIsGoneOrElsewhere) {
  const std::string ada = join(1, "Ada");
  const std::string grace = join(2, "Grace");
  const std::string edsger = join(3, "Edsger");
  const std::string stranger = join(4, "Stranger", "elsewhere");
  inbox.clear();
  say(1, {{"type", "relay"},
          {"to",
           {{grace, "for Grace"},
            {edsger, "for Edsger"},
            {ada, "to herself"},
            {stranger, "to a stranger"},
            {"0123456789abcdef", "to nobody"}}}});
  EXPECT_EQ(next(2), (json{{"type", "relay"}, {"from", ada}, {"data", "for Grace"}}));
  EXPECT_EQ(next(3), (json{{"type", "relay"}, {"from", ada}, {"data", "for Edsger"}}));
  for (const auto& [socket, messages] : inbox) EXPECT_TRUE(messages.empty()) << socket;
}

TEST_F(RoomsDirectTest, RelaysOnlyForSomebodyInside) {
  join(1, "Ada");
  rooms->handle_opened(2, now);
  say(2, {{"type", "relay"}, {"all", "x"}});
  EXPECT_EQ(next_error(2), "not-joined");
  EXPECT_TRUE(inbox[1].empty());
}

TEST_F(RoomsDirectTest, CountsWhatItRelaysOncePerReceiver) {
  const std::string ada = join(1, "Ada");
  join(2, "Grace");
  join(3, "Edsger");
  say(2, {{"type", "relay"}, {"all", "12345"}});
  say(2, {{"type", "relay"}, {"to", {{ada, "123"}, {"nobody", "1234567"}}}});
  EXPECT_EQ(metrics.relayed_to_all.messages.value(), 1u);
  EXPECT_EQ(metrics.relayed_to_all.bytes.value(), 10u);
  EXPECT_EQ(metrics.relayed_to_some.messages.value(), 1u);
  EXPECT_EQ(metrics.relayed_to_some.bytes.value(), 3u);
}

TEST_F(RoomsDirectTest, CarriesTextThatJsonMustEscapeUnchanged) {
  join(1, "Ada");
  join(2, "Grace");
  inbox.clear();
  const std::string odd = "\"\\\n\t\x01 \xe2\x82\xac {\"type\":\"leave\"}";
  say(1, {{"type", "relay"}, {"all", odd}});
  EXPECT_EQ(next(2)["data"], odd);
}

TEST_F(RoomsDirectTest, TellsJoinersWhetherDirectConnectionsAreAllowedAndByWhichServers) {
  settings.ice_servers = {"stun:stun.example.org:3478"};
  rooms->handle_opened(1, now);
  say(1, {{"type", "join"}, {"conference", "standup"}, {"name", "Ada"}});
  EXPECT_EQ(next(1)["direct"],
            (json{{"allowed", true}, {"ice_servers", {"stun:stun.example.org:3478"}}}));
  settings.direct_allowed = false;
  settings.ice_servers.clear();
  rooms->handle_opened(2, now);
  say(2, {{"type", "join"}, {"conference", "standup"}, {"name", "Grace"}});
  EXPECT_EQ(next(2)["direct"], (json{{"allowed", false}, {"ice_servers", json::array()}}));
}

TEST_F(RoomsDirectTest, TellsTheOtherThatMediaFlowsDirectlyAndNoLonger) {
  ids[1] = join(1, "Ada");
  ids[2] = join(2, "Grace");
  inbox.clear();
  connect_directly(1);
  json changed = next(2);
  EXPECT_EQ(changed["type"], "participant-changed");
  EXPECT_EQ(changed["participant"]["direct"], true);
  EXPECT_EQ(metrics.direct_conferences.value(), 0);  // one of two
  connect_directly(1);
  EXPECT_TRUE(inbox[2].empty());  // nothing has changed
  connect_directly(2);
  EXPECT_EQ(next(1)["participant"]["direct"], true);
  EXPECT_EQ(metrics.direct_conferences.value(), 1);
  say(1, {{"type", "direct"}, {"active", false}});
  EXPECT_EQ(next(2)["participant"]["direct"], false);
  EXPECT_EQ(metrics.direct_conferences.value(), 0);
}

TEST_F(RoomsDirectTest, KeepsTheLatestClaimForThePrivacyReport) {
  join(1, "Ada");
  join(2, "Grace");
  say(1, {{"type", "direct"}, {"active", true}});
  say(1, {{"type", "direct"},
          {"active", true},
          {"protection", {{"dtls_version", "DTLS 1.3"}, {"local_fingerprint", "sha-256 AB"}}}});
  const RoomView::Person ada = rooms->views().at(0).people.at(0);
  ASSERT_TRUE(ada.direct.has_value());
  EXPECT_EQ(ada.direct->dtls_version, "DTLS 1.3");
  EXPECT_EQ(ada.direct->local_fingerprint, "sha-256 AB");
  EXPECT_EQ(ada.direct->srtp_profile, "");
}

TEST_F(RoomsDirectTest, EndsItForBothWhenAThirdJoinsAndTellsTheThirdTheTruth) {
  ids[1] = join(1, "Ada");
  ids[2] = join(2, "Grace");
  connect_directly(1);
  connect_directly(2);
  inbox.clear();
  rooms->handle_opened(3, now);
  say(3, {{"type", "join"}, {"conference", "standup"}, {"name", "Edsger"}});
  const json joined = next(3);
  EXPECT_EQ(joined["participants"].size(), 2u);
  for (const json& person : joined["participants"]) EXPECT_EQ(person["direct"], false);
  EXPECT_EQ(next(1)["participant"]["direct"], false);
  EXPECT_EQ(next_type(1), "participant-joined");
  EXPECT_FALSE(is_direct(1) || is_direct(2));
  EXPECT_EQ(metrics.direct_conferences.value(), 0);
  inbox.clear();
  connect_directly(1);  // was under way when the third came
  EXPECT_FALSE(is_direct(1));
  EXPECT_TRUE(inbox[1].empty() && inbox[2].empty() && inbox[3].empty());
}

TEST_F(RoomsDirectTest, EndsItWhenOneLeavesAndBeginsAnewWithTheNext) {
  ids[1] = join(1, "Ada");
  ids[2] = join(2, "Grace");
  connect_directly(1);
  connect_directly(2);
  say(2, {{"type", "leave"}});
  EXPECT_FALSE(is_direct(1));
  EXPECT_EQ(metrics.direct_conferences.value(), 0);
  ids[3] = join(3, "Edsger");
  connect_directly(1);
  EXPECT_TRUE(is_direct(1));
  rooms->drain();
  EXPECT_EQ(metrics.direct_conferences.value(), 0);
}

TEST_F(RoomsDirectTest, IgnoresClaimsWhereTheConfigurationForbidsDirectConnections) {
  settings.direct_allowed = false;
  ids[1] = join(1, "Ada");
  join(2, "Grace");
  inbox.clear();
  connect_directly(1);
  EXPECT_FALSE(is_direct(1));
  EXPECT_TRUE(inbox[1].empty() && inbox[2].empty());
}

}  // namespace
}  // namespace viaduct::control
