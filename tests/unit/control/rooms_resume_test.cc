// A participant whose network was gone for a while: the socket is another, the participant the same.
#include <gmock/gmock.h>

#include <sstream>

#include "tests/unit/control/rooms_fixture.h"

namespace viaduct::control {
namespace {

using codec::MediaKind;
using conference::GoneReason;
using conference::RemoveEndpoint;
using conference::RestartIce;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RoomsResumeTest : public RoomsTest {
 protected:
  RoomsResumeTest() {
    rooms->handle_opened(1, now);
    say(1, {{"type", "join"}, {"conference", "standup"}, {"name", "Ada"}});
    joined = next(1);
    ids[1] = joined["participant"];
    say(1, {{"type", "offer"}, {"sdp", SmallOffer}});
    first_answer = next(1)["sdp"];
    const auto added = commands<conference::AddEndpoint>(0);
    EXPECT_THAT(added, SizeIs(1));
    ada = added.at(0).endpoint->id;
    first_ufrag = added.at(0).endpoint->local_ufrag;
    grace = join_with_media(2, "Grace").id;
    inbox.clear();
  }
  void cut(SocketId socket) {
    rooms->handle_closed(socket, SocketEnd::Cut, now);
    collect();
  }
  void wait(Duration time) {
    now += time;
    rooms->handle_timers(now);
    collect();
  }
  void resume(SocketId socket, const std::string& secret) {
    rooms->handle_opened(socket, now);
    say(socket, {{"type", "resume"}, {"participant", ids[1]}, {"resume", secret}});
  }
  void resume(SocketId socket) { resume(socket, joined["resume"]); }
  std::vector<std::string> types(SocketId socket) {
    std::vector<std::string> all;
    for (const json& message : inbox[socket]) all.push_back(message["type"]);
    return all;
  }

  json joined;
  std::string first_answer, first_ufrag;
  conference::EndpointId ada, grace;
};

TEST_F(RoomsResumeTest, GivesEveryJoinASecretOfItsOwn) {
  EXPECT_EQ(joined["resume"].get<std::string>().size(), 24u) << "of 6 bits each";
  rooms->handle_opened(3, now);
  say(3, {{"type", "join"}, {"conference", "standup"}, {"name", "Ada"}});
  EXPECT_NE(next(3)["resume"], joined["resume"]);
}

TEST_F(RoomsResumeTest, KeepsWhoeverIsCutOffUntilTheyAreBack) {
  cut(1);
  EXPECT_EQ(metrics.participants_away.value(), 1);
  EXPECT_EQ(metrics.sockets.value(), 1);
  EXPECT_EQ(metrics.participants.value(), 2);
  EXPECT_TRUE(rooms->views().at(0).people.at(0).away);
  wait(25s);
  resume(3);
  const json resumed = next(3);
  EXPECT_EQ(resumed["type"], "resumed");
  EXPECT_EQ(resumed["participant"], ids[1]);
  ASSERT_THAT(resumed["participants"], SizeIs(1));
  EXPECT_EQ(resumed["participants"][0]["id"], ids[2]);
  EXPECT_THAT(inbox[2], IsEmpty()) << "nobody has seen her go or come";
  EXPECT_THAT(commands<RemoveEndpoint>(0), IsEmpty());
  EXPECT_FALSE(rooms->views().at(0).people.at(0).away);
  EXPECT_EQ(rooms->views().at(0).people.at(0).id, ids[1]) << "in the same place";
  EXPECT_EQ(metrics.participants_away.value(), 0);
  EXPECT_EQ(metrics.resumes["resumed"].value(), 1u);

  say(3, {{"type", "mute"}, {"kind", "audio"}, {"muted", true}});
  EXPECT_EQ(next(2)["participant"]["audio"]["muted"], true);
  wait(100s);
  EXPECT_THAT(closed, IsEmpty());
}

TEST_F(RoomsResumeTest, TellsAnewWhatWasMissed) {
  report(conference::SlotsChanged{ada, {{"v", MediaKind::Video, grace, "x"}}, {}});
  report(conference::LayersWanted{ada, "a", {{"", true}}, 180});
  cut(1);
  inbox.clear();
  report(conference::SlotsChanged{ada, {{"v", MediaKind::Video, std::nullopt, ""}}, {}});
  report(conference::LayersWanted{ada, "a", {{"", true}}, 720});
  report(conference::LayersWanted{ada, "c", {{"", false}}, 0});
  report(conference::NetworkMeasured{ada, DataRate::kbps(500), DataRate::kbps(900)});
  report(conference::SourceHeldBack{ada, "a", MediaKind::Audio, conference::HeldBack::Undeclared});
  report(conference::CodecsChanged{rooms->views().at(0).number, {codec::CodecType::Vp8}});
  report(conference::SpeakerChanged{rooms->views().at(0).number, grace});
  report(conference::RecentSpeakersChanged{rooms->views().at(0).number, {grace}});
  say(2, {{"type", "e2ee"}, {"wanted", true}});
  EXPECT_THAT(inbox[1], IsEmpty());

  resume(3);
  EXPECT_THAT(types(3), ElementsAre("resumed", "codecs", "speaker", "recent_speakers", "slots", "send", "send",
                                    "network", "held-back", "held-back"));
  EXPECT_EQ(inbox[3][0]["e2ee"]["wanted"], true);
  EXPECT_EQ(inbox[3][2]["participant"], ids[2]);
  EXPECT_EQ(inbox[3][4]["slots"][0]["participant"], nullptr) << "the last of them";
  EXPECT_EQ(inbox[3][5]["sources"][0]["max_height"], 720);
  EXPECT_EQ(inbox[3][6]["sources"][0]["mid"], "c");
  EXPECT_EQ(inbox[3][7]["available"], 500'000);
  EXPECT_EQ(inbox[3][8]["reason"], "undeclared");
  EXPECT_EQ(inbox[3][9]["reason"], nullptr);
}

TEST_F(RoomsResumeTest, NamesNobodyInASlotWhoHasLeftMeanwhile) {
  report(conference::SlotsChanged{ada, {{"v", MediaKind::Video, grace, "x"}}, {}});
  cut(1);
  say(2, {{"type", "leave"}});
  resume(3);
  EXPECT_THAT(inbox[3].at(0)["participants"], IsEmpty());
  EXPECT_EQ(inbox[3].at(1)["slots"][0]["participant"], nullptr);
}

// The bridge may not have noticed that the network is gone.
TEST_F(RoomsResumeTest, ClosesTheOldSocketWhenItIsStillOpen) {
  resume(3);
  EXPECT_EQ(closed[1], close_code::Resuming);
  EXPECT_EQ(next_type(3), "resumed");
  cut(1);
  EXPECT_EQ(metrics.participants_away.value(), 0) << "the end of the old one means nothing any more";
  say(1, {{"type", "leave"}});
  EXPECT_THAT(inbox[2], IsEmpty()) << "nor does what it still says";
  say(3, {{"type", "leave"}});
  EXPECT_EQ(next_type(2), "participant-left");
}

TEST_F(RoomsResumeTest, RefusesAWrongSecretAndAStranger) {
  cut(1);
  resume(3, "AAAAAAAAAAAAAAAAAAAAAAAA");
  EXPECT_EQ(next_error(3), "resume-failed");
  EXPECT_EQ(closed[3], close_code::FinalError);
  resume(4, "");
  EXPECT_EQ(next_error(4), "resume-failed");
  rooms->handle_opened(5, now);
  say(5, {{"type", "resume"}, {"participant", "0123456789abcdef"}, {"resume", joined["resume"]}});
  EXPECT_EQ(next_error(5), "resume-failed");
  rooms->handle_opened(6, now);
  say(6, {{"type", "resume"}, {"participant", ids[2]}, {"resume", joined["resume"]}});
  EXPECT_EQ(next_error(6), "resume-failed") << "one's own secret opens nobody else's place";
  EXPECT_EQ(metrics.resumes["resume-failed"].value(), 4u);
  resume(7);
  EXPECT_EQ(next_type(7), "resumed") << "and nothing of that keeps the right one out";
}

TEST_F(RoomsResumeTest, EndsWhoeverDoesNotComeBackInTime) {
  cut(1);
  wait(30s);
  EXPECT_THAT(inbox[2], IsEmpty());
  wait(1ms);
  EXPECT_EQ(next_type(2), "participant-left");
  const auto removed = commands<RemoveEndpoint>(0);
  ASSERT_THAT(removed, SizeIs(1));
  EXPECT_EQ(removed[0].endpoint, ada);
  EXPECT_EQ(metrics.lost_participants["not-resumed"].value(), 1u);
  EXPECT_EQ(metrics.participants_away.value(), 0);
  resume(3);
  EXPECT_EQ(next_error(3), "resume-failed");
}

TEST_F(RoomsResumeTest, WaitsNoLongerThanTheMediaConnectionLasts) {
  cut(1);
  wait(5s);
  report(conference::EndpointGone{ada, GoneReason::ConsentLost});
  EXPECT_EQ(next_type(2), "participant-left");
  EXPECT_EQ(metrics.participants_away.value(), 0);
  resume(3);
  EXPECT_EQ(next_error(3), "resume-failed");
}

TEST_F(RoomsResumeTest, DoesNotKeepWhoSaysGoodbyeOrHasNoMedia) {
  rooms->handle_closed(2, SocketEnd::Left, now);
  collect();
  EXPECT_EQ(next_type(1), "participant-left");
  join(3, "Edsger");
  EXPECT_EQ(next_type(1), "participant-joined");
  cut(3);
  EXPECT_EQ(next_type(1), "participant-left");
  EXPECT_EQ(metrics.participants_away.value(), 0);
}

TEST_F(RoomsResumeTest, CountsWhoeverIsAwayAsThere) {
  settings.limits.participants_per_conference = 2;
  cut(1);
  rooms->handle_opened(3, now);
  say(3, {{"type", "join"}, {"conference", "standup"}, {"name", "Edsger"}});
  EXPECT_EQ(next_error(3), "conference-full");
  resume(4);
  EXPECT_EQ(next_type(4), "resumed");
}

TEST_F(RoomsResumeTest, TakesOneParticipantForOneSocket) {
  say(2, {{"type", "resume"}, {"participant", ids[1]}, {"resume", joined["resume"]}});
  EXPECT_EQ(next_error(2), "already-joined");
  EXPECT_THAT(closed, IsEmpty());
}

TEST_F(RoomsResumeTest, ForgetsWhoeverIsAwayWhenTheBridgeGoesDown) {
  cut(1);
  rooms->drain();
  collect();
  EXPECT_EQ(closed.size(), 1u);
  EXPECT_EQ(metrics.participants_away.value(), 0);
}

// ICE.

std::string with_new_credentials(std::string offer = SmallOffer) {
  offer.replace(offer.find("ice-ufrag:abcd"), 14, "ice-ufrag:wxyz");
  offer.replace(offer.find("ice-pwd:0123"), 12, "ice-pwd:4567");
  return offer;
}

TEST_F(RoomsResumeTest, RestartsIceWithNewCredentialsAndNothingElseNew) {
  say(1, {{"type", "restart"}, {"sdp", with_new_credentials()}});
  const auto restarts = commands<RestartIce>(0);
  ASSERT_THAT(restarts, SizeIs(1));
  const RestartIce& restart = restarts[0];
  EXPECT_EQ(restart.endpoint, ada);
  EXPECT_EQ(restart.remote_ufrag, "wxyz");
  EXPECT_EQ(restart.remote_pwd, "4567456789abcdefghijklmn");
  EXPECT_NE(restart.local_ufrag, first_ufrag);
  EXPECT_EQ(restart.local_pwd.size(), 24u);

  const json answer = next(1);
  EXPECT_EQ(answer["type"], "answer");
  const auto without_ice = [](const std::string& sdp) {
    std::istringstream lines(sdp);
    std::string kept;
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("a=ice-ufrag") && !line.starts_with("a=ice-pwd")) kept += line + "\n";
    }
    return kept;
  };
  const std::string sdp = answer["sdp"];
  EXPECT_EQ(without_ice(sdp), without_ice(first_answer));
  EXPECT_NE(sdp.find("a=ice-ufrag:" + restart.local_ufrag), std::string::npos);
  EXPECT_NE(sdp.find("a=ice-pwd:" + std::string(restart.local_pwd.view())), std::string::npos);
  EXPECT_THAT(inbox[2], IsEmpty());
}

TEST_F(RoomsResumeTest, RefusesARestartThatChangesMore) {
  const auto changed = [](const char* from, const char* to) {
    std::string offer = with_new_credentials();
    return offer.replace(offer.find(from), std::string_view(from).size(), to);
  };
  const std::string whole = with_new_credentials();
  std::string fewer = whole.substr(0, whole.find("m=video"));
  fewer.replace(fewer.find("BUNDLE a v"), 10, "BUNDLE a");
  std::string other_mid = changed("a=mid:v", "a=mid:w");
  other_mid.replace(other_mid.find("BUNDLE a v"), 10, "BUNDLE a w");
  for (const std::string& offer : {changed("1D:1E:1F", "1D:1E:2F"), changed("a=recvonly", "a=sendonly"),
                                   fewer, other_mid, std::string("no sdp")}) {
    say(1, {{"type", "restart"}, {"sdp", offer}});
    const json error = next(1);
    EXPECT_EQ(error["code"], "restart-refused") << offer;
    EXPECT_EQ(error["final"], false);
  }
  EXPECT_THAT(commands<RestartIce>(0), IsEmpty());
  EXPECT_EQ(metrics.refused_messages["restart-refused"].value(), 5u);
}

TEST_F(RoomsResumeTest, RefusesARestartOfWhatHasNotBegun) {
  join(3, "Edsger");
  say(3, {{"type", "restart"}, {"sdp", with_new_credentials()}});
  EXPECT_EQ(next_error(3), "restart-refused");
}

TEST_F(RoomsResumeTest, RefusesARestartThatABusyWorkerCannotTake) {
  ports[0].set_full(true);
  say(1, {{"type", "restart"}, {"sdp", with_new_credentials()}});
  EXPECT_EQ(next_error(1), "busy");
  EXPECT_THAT(inbox[1], IsEmpty());
  ports[0].set_full(false);
  say(1, {{"type", "restart"}, {"sdp", with_new_credentials()}});
  EXPECT_EQ(next_type(1), "answer");
}

}  // namespace
}  // namespace viaduct::control
