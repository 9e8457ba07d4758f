// Who can read what: every path and every verdict, in values, in words and in JSON.
#include "control/privacy.h"

#include <gtest/gtest.h>

#include <deque>
#include <nlohmann/json.hpp>

#include "limits.h"

namespace viaduct::control {
namespace {

using codec::MediaKind;
using conference::EndpointId;
using conference::HeldBack;
using conference::ObservedBodies;
using nlohmann::json;

// A conference whose people send sound and are connected to the bridge, unless a test changes that.
class PrivacyTest : public testing::Test {
 protected:
  explicit PrivacyTest(size_t people = 3) {
    room.id = "0b6f";
    room.name = "standup";
    room.number = conference::ConferenceId{7};
    room.bridge_fingerprint = "sha-256 12:34";
    snapshot.id = room.number;
    for (size_t i = 0; i < people; ++i) add_person();
  }
  void add_person() {
    const size_t i = room.people.size();
    const EndpointId id{100 + i};
    room.people.push_back({"p" + std::to_string(i), "Person " + std::to_string(i), id, true});
    conference::EndpointSnapshot e;
    e.id = id;
    e.state = "connected";
    e.remote_address = "192.0.2.7:5000";
    e.dtls_version = "DTLSv1.2";
    e.dtls_group = "X25519";
    e.dtls_cipher = "ECDHE-ECDSA-AES128-GCM-SHA256";
    e.srtp_profile = "AEAD_AES_128_GCM";
    e.remote_fingerprint = "sha-256 AB:CD";
    e.local_fingerprint = "sha-256 12:34";
    e.sources.push_back({.kind = MediaKind::Audio,
                         .mid = "0",
                         .codec = codec::CodecType::Opus,
                         .packets = 100,
                         .rate = {32'000}});
    snapshot.endpoints.push_back(e);
  }
  conference::SourceSnapshot& source(size_t person, size_t i = 0) {
    return snapshot.endpoints[person].sources[i];
  }
  void declare(size_t person, ObservedBodies observed = ObservedBodies::Ciphertext) {
    for (auto& s : snapshot.endpoints[person].sources) {
      s.declared_e2ee = true;
      s.observed = observed;
    }
  }
  // Both claim a connection past the bridge, and stop sending to it.
  void connect_directly() {
    room.people[0].direct = DirectProtection{"DTLS 1.3", "c", "p", "sha-256 AA", "sha-256 bb"};
    room.people[1].direct = DirectProtection{"DTLS 1.3", "c", "p", "sha-256 BB", "sha-256 AA"};
    source(0).rate = source(1).rate = {0};
  }
  json report() {
    snapshots = {{0, {snapshot}}};
    return json::parse(write_privacy(examine_privacy(room, snapshots)));
  }
  std::string summary() { return report()["summary"]; }

  RoomView room;
  conference::ConferenceSnapshot snapshot;
  std::vector<conference::WorkerSnapshot> snapshots;
};

class PrivacyOfTwoTest : public PrivacyTest {
 protected:
  PrivacyOfTwoTest() : PrivacyTest(2) {}
};

const json Participants = {"participants"};
const json ParticipantsAndBridge = {"participants", "bridge"};

TEST_F(PrivacyTest, SaysForWhomTheBridgeDecodesAndMixes) {
  room.people[2].mixed = true;
  snapshot.endpoints[2].slots.push_back({.kind = MediaKind::Audio, .mid = "5"});
  source(1).muted = true;
  const json r = report();
  EXPECT_EQ(r["summary"],
            "The bridge can decrypt this conference while it forwards it; it keeps nothing. For 1 "
            "participant it decodes the sound of the others and mixes it into one.");
  EXPECT_EQ(r["participants"][0]["mixed"], false);
  EXPECT_EQ(r["participants"][2]["mixed"], true);
  EXPECT_EQ(r["participants"][2]["receives"], json::array({{{"kind", "audio"},
                                                            {"mid", "5"},
                                                            {"participant", "p0"},
                                                            {"path", "bridge"},
                                                            {"readable_by", ParticipantsAndBridge},
                                                            {"mixed", true}}}));
}

TEST_F(PrivacyTest, WhoEncryptsIsInNobodysMix) {
  room.people[2].mixed = true;
  snapshot.endpoints[2].slots.push_back({.kind = MediaKind::Audio, .mid = "5"});
  declare(0);
  source(1).observed = ObservedBodies::Ciphertext;
  EXPECT_EQ(report()["participants"][2]["receives"], json::array());
}

TEST_F(PrivacyTest, SaysThatTheBridgeCanDecryptWhatNobodyDeclaresEncrypted) {
  const json r = report();
  EXPECT_EQ(r["conference"], "standup");
  EXPECT_EQ(r["id"], "0b6f");
  EXPECT_EQ(r["encryption"], (json{{"wanted", false}, {"required", false}}));
  EXPECT_EQ(r["bridge"], (json{{"fingerprint", "sha-256 12:34"}, {"can_decrypt", true}}));
  EXPECT_EQ(r["summary"],
            "The bridge can decrypt this conference while it forwards it; it keeps nothing.");
  ASSERT_EQ(r["participants"].size(), 3u);
  const json& first = r["participants"][0];
  EXPECT_EQ(first["path"], "bridge");
  EXPECT_EQ(first["direct"], nullptr);
  EXPECT_EQ(first["e2ee"],
            (json{{"capable", false}, {"declared", false}, {"verdict", "undeclared"}}));
  EXPECT_EQ(first["sends"], json::array({{{"kind", "audio"},
                                          {"mid", "0"},
                                          {"codec", "opus"},
                                          {"declared", false},
                                          {"observed", "undecided"},
                                          {"verdict", "undeclared"},
                                          {"held_back", nullptr},
                                          {"forwarded", true},
                                          {"readable_by", ParticipantsAndBridge},
                                          {"active", true}}}));
  EXPECT_NE(r["note"].get<std::string>().find("evidence, not proof"), std::string::npos);
}

TEST_F(PrivacyTest, NamesWhatProtectsTheHopAndShowsNoAddress) {
  const json r = report();
  EXPECT_EQ(r["participants"][0]["hop"], (json{{"dtls_version", "DTLSv1.2"},
                                               {"dtls_group", "X25519"},
                                               {"dtls_cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"},
                                               {"srtp_profile", "AEAD_AES_128_GCM"},
                                               {"participant_fingerprint", "sha-256 AB:CD"},
                                               {"bridge_fingerprint", "sha-256 12:34"}}));
  EXPECT_EQ(r.dump().find("192.0.2.7"), std::string::npos);
}

TEST_F(PrivacyTest, SaysThatOnlyTheParticipantsCanDecryptWhatAllDeclareAndNothingContradicts) {
  declare(0);
  declare(1, ObservedBodies::Undecided);
  declare(2);
  const json r = report();
  EXPECT_EQ(r["bridge"]["can_decrypt"], false);
  EXPECT_EQ(r["summary"],
            "Only the 3 participants can decrypt this conference; the bridge forwards what it "
            "cannot read.");
  EXPECT_EQ(r["participants"][0]["sends"][0]["verdict"], "consistent");
  EXPECT_EQ(r["participants"][1]["sends"][0]["verdict"], "undecided");
  EXPECT_EQ(r["participants"][1]["sends"][0]["readable_by"], Participants);
}

TEST_F(PrivacyTest, DoesNotBelieveADeclarationThatTheBodiesContradict) {
  declare(0);
  declare(1);
  declare(2, ObservedBodies::Plain);
  const json r = report();
  EXPECT_EQ(r["bridge"]["can_decrypt"], true);
  EXPECT_EQ(r["participants"][2]["sends"][0]["verdict"], "contradicted");
  EXPECT_EQ(r["participants"][2]["sends"][0]["readable_by"], ParticipantsAndBridge);
  EXPECT_EQ(r["summary"],
            "The bridge can decrypt 1 of the 3 streams of this conference while it forwards it; it "
            "keeps nothing, and cannot read the other 2.");
}

TEST_F(PrivacyTest, CountsStreamsInRightWords) {
  declare(0);
  EXPECT_EQ(summary(),
            "The bridge can decrypt 2 of the 3 streams of this conference while it forwards them; "
            "it keeps nothing, and cannot read the other.");
}

TEST_F(PrivacyTest, SaysWhatIsHeldBackWhereEncryptionIsRequired) {
  room.e2ee = {true, true};
  declare(0);
  declare(1);
  source(2).held_back = HeldBack::Undeclared;
  const json r = report();
  EXPECT_EQ(r["encryption"], (json{{"wanted", true}, {"required", true}}));
  EXPECT_EQ(r["bridge"]["can_decrypt"], true);  // what it does not forward it could still read
  EXPECT_EQ(r["participants"][2]["sends"][0]["held_back"], "undeclared");
  EXPECT_EQ(r["participants"][2]["sends"][0]["forwarded"], false);
  EXPECT_EQ(r["summary"],
            "Only the 3 participants can decrypt this conference; the bridge forwards what it "
            "cannot read. It holds back 1 stream, as end-to-end encryption is required.");
  source(0).held_back = source(1).held_back = HeldBack::Contradicted;
  EXPECT_EQ(summary(),
            "Nothing is forwarded. It holds back 3 streams, as end-to-end encryption is required.");
}

TEST_F(PrivacyTest, CallsAStreamForwardedOnlyWhileItArrivesAndIsNotMuted) {
  source(0).muted = true;
  source(1).rate = {0};
  const json r = report();
  const auto sends = [&](size_t i) { return r["participants"][i]["sends"][0]; };
  EXPECT_EQ(sends(0)["active"], true);
  EXPECT_EQ(sends(0)["forwarded"], false);
  EXPECT_EQ(sends(1)["active"], false);
  EXPECT_EQ(sends(1)["forwarded"], false);
  EXPECT_EQ(sends(2)["forwarded"], true);
}

TEST_F(PrivacyTest, SaysOfEachReceiverWhatItGetsFromWhomAndWhoCanReadIt) {
  declare(1);
  snapshot.endpoints[1].sources.push_back(
      {.kind = MediaKind::Video, .mid = "1", .codec = {}, .rate = {}});
  auto& slots = snapshot.endpoints[0].slots;
  slots.push_back({.kind = MediaKind::Audio, .mid = "2", .carries = EndpointId{101}, .rate = {}});
  slots.push_back({.kind = MediaKind::Video, .mid = "3", .carries = EndpointId{101}, .rate = {}});
  slots.push_back({.kind = MediaKind::Audio, .mid = "4", .carries = {}, .rate = {}});
  slots.push_back({.kind = MediaKind::Audio, .mid = "5", .carries = EndpointId{999}, .rate = {}});
  EXPECT_EQ(report()["participants"][0]["receives"],
            json::array({{{"kind", "audio"},
                          {"mid", "2"},
                          {"participant", "p1"},
                          {"path", "bridge"},
                          {"readable_by", Participants},
                          {"mixed", false}},
                         {{"kind", "video"},
                          {"mid", "3"},
                          {"participant", "p1"},
                          {"path", "bridge"},
                          {"readable_by", ParticipantsAndBridge},
                          {"mixed", false}}}));
}

TEST_F(PrivacyTest, TakesTheWorstOfSeveralSourcesOfTheKindThatASlotCarries) {
  declare(1);
  snapshot.endpoints[1].sources.push_back(
      {.kind = MediaKind::Audio, .mid = "screen", .codec = {}, .rate = {}});
  snapshot.endpoints[0].slots.push_back(
      {.kind = MediaKind::Audio, .mid = "2", .carries = EndpointId{101}, .rate = {}});
  EXPECT_EQ(report()["participants"][0]["receives"][0]["readable_by"], ParticipantsAndBridge);
}

TEST_F(PrivacyTest, KnowsWhoHasNoMediaConnectionYet) {
  snapshot.endpoints.pop_back();
  snapshot.endpoints[1].state = "checking";
  snapshot.endpoints[1].dtls_version.clear();
  const json r = report();
  EXPECT_EQ(r["participants"][1]["path"], "none");
  EXPECT_EQ(r["participants"][1]["hop"], nullptr);
  EXPECT_EQ(r["participants"][2]["path"], "none");
  EXPECT_EQ(r["participants"][2]["sends"], json::array());
}

TEST_F(PrivacyTest, SaysSoWhenNobodySendsAndWhenOnePersonIsAlone) {
  for (auto& e : snapshot.endpoints) e.sources.clear();
  EXPECT_EQ(summary(), "Nobody sends anything.");
  EXPECT_EQ(report()["bridge"]["can_decrypt"], false);
  room.people.resize(1);
  snapshot.endpoints.clear();
  EXPECT_EQ(summary(), "Nobody sends anything.");
  room.people.clear();
  add_person();
  EXPECT_EQ(summary(),
            "The bridge can decrypt this conference while it forwards it; it keeps nothing.");
  declare(0);
  EXPECT_EQ(summary(), "Only the one participant can decrypt what they send; the bridge cannot.");
}

TEST_F(PrivacyTest, LeavesOutReceptionsWhereAMessageWouldBeTooLong) {
  for (size_t i = room.people.size(); i < 300; ++i) add_person();
  const auto message = [this] {
    snapshots = {{0, {snapshot}}};
    const std::string text = write_privacy_message(examine_privacy(room, snapshots));
    EXPECT_LE(text.size(), limits::PrivacyReportBytes);
    return json::parse(text);
  };
  json before = message();
  EXPECT_EQ(before["type"], "privacy");
  EXPECT_EQ(before["report"], report());
  for (auto& e : snapshot.endpoints) {
    e.slots.resize(15,
                   {.kind = MediaKind::Audio, .mid = "2", .carries = EndpointId{101}, .rate = {}});
  }
  const json after = message();
  EXPECT_FALSE(after["report"]["participants"][0].contains("receives"));
  EXPECT_EQ(after["report"]["participants"][0]["sends"].size(), 1u);
  EXPECT_EQ(report()["participants"][0]["receives"].size(), 15u);  // operators see all
}

TEST_F(PrivacyOfTwoTest, SaysThatTheBridgeCarriesNothingOfWhatFlowsDirectly) {
  connect_directly();
  const json r = report();
  EXPECT_EQ(r["summary"],
            "Media flows directly between the two participants; the bridge carries none of it.");
  EXPECT_EQ(r["bridge"]["can_decrypt"], false);
  const json& first = r["participants"][0];
  EXPECT_EQ(first["path"], "direct");
  EXPECT_EQ(first["direct"], (json{{"dtls_version", "DTLS 1.3"},
                                   {"dtls_cipher", "c"},
                                   {"srtp_profile", "p"},
                                   {"local_fingerprint", "sha-256 AA"},
                                   {"remote_fingerprint", "sha-256 bb"},
                                   {"claimed_by_both", true},
                                   {"fingerprints_agree", true},
                                   {"media_at_bridge", false}}));
  EXPECT_EQ(first["sends"][0]["readable_by"], Participants);
  EXPECT_EQ(first["sends"][0]["forwarded"], false);
  EXPECT_EQ(first["receives"], json::array({{{"kind", "audio"},
                                             {"mid", nullptr},
                                             {"participant", "p1"},
                                             {"path", "direct"},
                                             {"readable_by", Participants},
                                             {"mixed", false}}}));
}

TEST_F(PrivacyOfTwoTest, DoesNotBelieveInADirectPathThatOnlyOneClaims) {
  connect_directly();
  room.people[1].direct.reset();
  const json r = report();
  EXPECT_EQ(r["participants"][0]["path"], "bridge");
  EXPECT_EQ(r["participants"][0]["direct"]["claimed_by_both"], false);
  EXPECT_EQ(r["participants"][0]["direct"]["fingerprints_agree"], nullptr);
  EXPECT_EQ(r["bridge"]["can_decrypt"], true);
}

TEST_F(PrivacyOfTwoTest, DoesNotBelieveInADirectPathWhileMediaArrivesHere) {
  connect_directly();
  source(0).rate = {500};
  const json r = report();
  EXPECT_EQ(r["participants"][0]["path"], "bridge");
  EXPECT_EQ(r["participants"][0]["direct"]["media_at_bridge"], true);
  EXPECT_EQ(r["participants"][1]["path"], "direct");
  EXPECT_EQ(r["bridge"]["can_decrypt"], true);
  EXPECT_EQ(r["summary"],
            "The bridge can decrypt 1 of the 2 streams of this conference while it forwards it; it "
            "keeps nothing, and cannot read the other.");
}

TEST_F(PrivacyOfTwoTest, DoesNotCallAPathDirectWhoseEndsSeeOtherCertificates) {
  connect_directly();
  room.people[0].direct->remote_fingerprint = "sha-256 EE";  // somebody is between them
  const json r = report();
  EXPECT_EQ(r["participants"][0]["direct"]["fingerprints_agree"], false);
  EXPECT_NE(r["participants"][0]["path"], "direct");
  EXPECT_EQ(r["bridge"]["can_decrypt"], true);
}

TEST_F(PrivacyOfTwoTest, CannotCompareFingerprintsThatABrowserDoesNotTell) {
  connect_directly();
  room.people[0].direct->remote_fingerprint.clear();
  const json r = report();
  EXPECT_EQ(r["participants"][0]["direct"]["fingerprints_agree"], nullptr);
  EXPECT_EQ(r["participants"][0]["path"], "direct");
}

}  // namespace
}  // namespace viaduct::control
