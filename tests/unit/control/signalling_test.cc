#include "control/signalling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "limits.h"

namespace viaduct::control {
namespace {

using conference::Content;
using nlohmann::json;

TEST(Signalling, ReadsAJoin) {
  const auto message = parse_message(
      R"({"type":"join","conference":"standup","name":"Ada","token":"t","more":[1,{"x":2}]})");
  const auto* join = std::get_if<JoinMessage>(&message);
  ASSERT_NE(join, nullptr);
  EXPECT_EQ(join->conference, "standup");
  EXPECT_EQ(join->name, "Ada");
  EXPECT_EQ(join->token, "t");
}

TEST(Signalling, ReadsOfferMuteAndLeave) {
  const auto offer = parse_message(R"({"type":"offer","sdp":"v=0\r\n"})");
  ASSERT_TRUE(std::holds_alternative<OfferMessage>(offer));
  EXPECT_EQ(std::get<OfferMessage>(offer).sdp, "v=0\r\n");
  const auto mute = parse_message(R"({"type":"mute","kind":"video","muted":true})");
  ASSERT_TRUE(std::holds_alternative<MuteMessage>(mute));
  EXPECT_EQ(std::get<MuteMessage>(mute).kind, codec::MediaKind::Video);
  EXPECT_TRUE(std::get<MuteMessage>(mute).muted);
  EXPECT_TRUE(std::holds_alternative<LeaveMessage>(parse_message(R"({"type":"leave"})")));
}

template <typename T>
T read(const std::string& text) {
  const ClientMessage message = parse_message(text);
  EXPECT_TRUE(std::holds_alternative<T>(message)) << text;
  const T* read = std::get_if<T>(&message);
  return read ? *read : T{};
}

TEST(Signalling, ReadsWhichSectionsOfAnOfferCarryAScreen) {
  using ::testing::ElementsAre;
  EXPECT_TRUE(read<OfferMessage>(R"({"type":"offer","sdp":"v=0"})").screens.empty());
  EXPECT_THAT(read<OfferMessage>(R"({"type":"offer","sdp":"v=0","screens":["2","s"]})").screens, ElementsAre("2", "s"));
  for (const char* wrong : {"[1]", R"("2")", R"(["1","2","3","4","5"])"}) {
    const auto message = parse_message(R"({"type":"offer","sdp":"v=0","screens":)" + std::string(wrong) + "}");
    ASSERT_TRUE(std::holds_alternative<Refusal>(message)) << wrong;
    EXPECT_TRUE(std::get<Refusal>(message).final);
  }
}

TEST(Signalling, ReadsAResumeAndARestart) {
  const auto message = parse_message(R"({"type":"resume","participant":"5f0c","resume":"hush"})");
  const auto& resume = std::get<ResumeMessage>(message);
  EXPECT_EQ(resume.participant, "5f0c");
  EXPECT_EQ(resume.secret, "hush");
  EXPECT_EQ(std::get<RestartMessage>(parse_message(R"({"type":"restart","sdp":"v=0"})")).sdp, "v=0");
  for (const char* broken : {R"({"type":"resume","participant":"5f0c"})", R"({"type":"resume","resume":"hush"})",
                             R"({"type":"resume","participant":7,"resume":"hush"})"}) {
    const auto refusal = std::get<Refusal>(parse_message(broken));
    EXPECT_EQ(refusal.code, "bad-field") << broken;
    EXPECT_TRUE(refusal.final) << broken;
  }
  const json long_one = {{"type", "resume"}, {"participant", "5f0c"}, {"resume", std::string(65, 'x')}};
  EXPECT_EQ(std::get<Refusal>(parse_message(long_one.dump())).code, "bad-field");
  for (const char* broken : {R"({"type":"restart"})", R"({"type":"restart","sdp":""})"}) {
    const auto refusal = std::get<Refusal>(parse_message(broken));
    EXPECT_EQ(refusal.code, "bad-field") << broken;
    EXPECT_FALSE(refusal.final) << "the call goes on";
  }
}

TEST(Signalling, TellsAScreenFromACameraInAMute) {
  EXPECT_EQ(read<MuteMessage>(R"({"type":"mute","kind":"video","muted":true})").content, Content::Camera);
  const auto mute = read<MuteMessage>(R"({"type":"mute","kind":"screen","muted":true})");
  EXPECT_EQ(mute.kind, codec::MediaKind::Video);
  EXPECT_EQ(mute.content, Content::Screen);
}

TEST(Signalling, ReadsWhatAClientWantsToReceive) {
  using ::testing::ElementsAre;
  using ::testing::UnorderedElementsAre;
  using Picture = ReceiveMessage::Picture;
  const auto nothing = read<ReceiveMessage>(R"({"type":"receive"})");
  EXPECT_EQ(nothing.last_n, std::nullopt);
  EXPECT_TRUE(nothing.on_stage.empty() && nothing.selected.empty() && nothing.max_heights.empty());
  EXPECT_EQ(nothing.max_height, -1);

  const auto all = read<ReceiveMessage>(R"({"type":"receive","last_n":5,"on_stage":["5f0c/screen"],
      "selected":["5f0c","93d4"],"max_height":180,"max_heights":{"5f0c/screen":-1,"93d4":0}})");
  EXPECT_EQ(all.last_n, 5u);
  EXPECT_THAT(all.on_stage, ElementsAre(Picture{"5f0c", Content::Screen}));
  EXPECT_THAT(all.selected, ElementsAre(Picture{"5f0c", Content::Camera}, Picture{"93d4", Content::Camera}));
  EXPECT_EQ(all.max_height, 180);
  EXPECT_THAT(all.max_heights, UnorderedElementsAre(std::pair{Picture{"5f0c", Content::Screen}, -1},
                                                    std::pair{Picture{"93d4", Content::Camera}, 0}));

  EXPECT_EQ(read<ReceiveMessage>(R"({"type":"receive","last_n":-1})").last_n, std::nullopt);
  EXPECT_EQ(read<ReceiveMessage>(R"({"type":"receive","last_n":null})").last_n, std::nullopt);
  EXPECT_EQ(read<ReceiveMessage>(R"({"type":"receive","last_n":0})").last_n, 0u);
  EXPECT_EQ(read<ReceiveMessage>(R"({"type":"receive","max_height":-7})").max_height, -1);
  EXPECT_GE(read<ReceiveMessage>(R"({"type":"receive","max_height":18446744073709551615})").max_height, 4320);
}

TEST(Signalling, RefusesWishesThatAreNone) {
  std::string many = "[";
  for (int i = 0; i < 65; ++i) many += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\"";
  const std::string long_name = "\"" + std::string(65, 'x') + "\"";
  for (const std::string& fields :
       {std::string(R"("on_stage":"5f0c")"), std::string(R"("on_stage":[1])"), R"("on_stage":[)" + long_name + "]",
        R"("selected":)" + many + "]", std::string(R"("max_height":"180")"), std::string(R"("max_height":1.5)"),
        std::string(R"("max_heights":[])"), std::string(R"("max_heights":{"5f0c":null})"),
        R"("max_heights":{)" + long_name + ":1}", std::string(R"("last_n":"all")")}) {
    const auto message = parse_message(R"({"type":"receive",)" + fields + "}");
    ASSERT_TRUE(std::holds_alternative<Refusal>(message)) << fields;
    EXPECT_EQ(std::get<Refusal>(message).code, "bad-field");
    EXPECT_FALSE(std::get<Refusal>(message).final);
  }
}

TEST(Signalling, ReadsWhatAJoinSaysOfEncryptionAndOfMixing) {
  const auto plain = read<JoinMessage>(R"({"type":"join","conference":"c"})");
  EXPECT_FALSE(plain.e2ee || plain.require_e2ee || plain.mixed);
  const auto all = read<JoinMessage>(
      R"({"type":"join","conference":"c","e2ee":true,"require_e2ee":true,"mixed":true})");
  EXPECT_TRUE(all.e2ee && all.require_e2ee && all.mixed);
  EXPECT_FALSE(read<JoinMessage>(R"({"type":"join","conference":"c","e2ee":false})").e2ee);
}

TEST(Signalling, ReadsEncryptionDeclarationAndQuestion) {
  EXPECT_TRUE(read<E2eeMessage>(R"({"type":"e2ee","wanted":true})").wanted);
  EXPECT_FALSE(read<E2eeMessage>(R"({"type":"e2ee","wanted":false})").wanted);
  EXPECT_TRUE(read<DeclareMessage>(R"({"type":"declare","e2ee":true})").e2ee);
  read<PrivacyMessage>(R"({"type":"privacy"})");
}

TEST(Signalling, ReadsADirectConnectionOfWhichABrowserNeedNotTellAll) {
  const auto direct = read<DirectMessage>(
      R"({"type":"direct","active":true,"protection":{"dtls_version":"DTLS 1.3","dtls_cipher":"c",
          "srtp_profile":"p","local_fingerprint":"sha-256 AB","more":[1]}})");
  EXPECT_TRUE(direct.active);
  EXPECT_EQ(direct.protection.dtls_version, "DTLS 1.3");
  EXPECT_EQ(direct.protection.dtls_cipher, "c");
  EXPECT_EQ(direct.protection.srtp_profile, "p");
  EXPECT_EQ(direct.protection.local_fingerprint, "sha-256 AB");
  EXPECT_EQ(direct.protection.remote_fingerprint, "");
  EXPECT_FALSE(read<DirectMessage>(R"({"type":"direct","active":false})").active);
}

TEST(Signalling, ReadsARelayToAllAndOneToSome) {
  EXPECT_EQ(read<RelayMessage>(R"({"type":"relay","all":"x"})").all, "x");
  const auto some = read<RelayMessage>(R"({"type":"relay","to":{"a":"1","b":""}})");
  EXPECT_EQ(some.all, std::nullopt);
  EXPECT_EQ(some.to, (std::map<std::string, std::string>{{"a", "1"}, {"b", ""}}));
}

// Whether a relay passes with `bytes` for all, or with so many for each of some.
bool relays(size_t bytes, size_t recipients = 0) {
  json message = {{"type", "relay"}};
  if (recipients == 0) message["all"] = std::string(bytes, 'x');
  for (size_t i = 0; i < recipients; ++i)
    message["to"][std::to_string(i)] = std::string(bytes, 'x');
  return std::holds_alternative<RelayMessage>(parse_message(message.dump()));
}

TEST(Signalling, BoundsWhatIsRelayed) {
  EXPECT_TRUE(relays(limits::RelayToAllBytes));
  EXPECT_FALSE(relays(limits::RelayToAllBytes + 1));
  EXPECT_TRUE(relays(limits::RelayBytes, 1));
  EXPECT_FALSE(relays(limits::RelayBytes + 1, 1));
  EXPECT_TRUE(relays(limits::RelayBytes / 4, 4));
  EXPECT_FALSE(relays(limits::RelayBytes / 4 + 1, 4));
  EXPECT_TRUE(relays(1, limits::EndpointsPerConference));
  EXPECT_FALSE(relays(1, limits::EndpointsPerConference + 1));
}

struct Refused {
  const char* text;
  const char* code;
  bool final;
  const char* names;  // what the sentence must name
};

class RefusedMessages : public testing::TestWithParam<Refused> {};

TEST_P(RefusedMessages, AreRefusedWithTheCodeOfTheContract) {
  const auto message = parse_message(GetParam().text);
  const auto* refusal = std::get_if<Refusal>(&message);
  ASSERT_NE(refusal, nullptr) << GetParam().text;
  EXPECT_EQ(refusal->code, GetParam().code);
  EXPECT_EQ(refusal->final, GetParam().final);
  EXPECT_NE(refusal->message.find(GetParam().names), std::string::npos) << refusal->message;
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedMessages,
    testing::Values(
        Refused{"", "bad-message", false, "object"}, Refused{"{", "bad-message", false, "object"},
        Refused{"[]", "bad-message", false, "object"}, Refused{"7", "bad-message", false, "object"},
        Refused{"{\"type\":\"leave\"} x", "bad-message", false, "object"},
        Refused{"{\"type\":\"leave\",\"x\":\"\xff\"}", "bad-message", false, "object"},
        Refused{"{}", "bad-message", false, "'type'"},
        Refused{R"({"type":1})", "bad-message", false, "'type'"},
        Refused{R"({"type":"dance"})", "unknown-type", false, "'type'"},
        Refused{R"({"type":"join","name":"a"})", "bad-field", true, "'conference'"},
        Refused{R"({"type":"join","conference":5,"name":"a"})", "bad-field", true, "'conference'"},
        Refused{R"({"type":"join","conference":"","name":"a"})", "bad-field", true, "'conference'"},
        Refused{R"({"type":"join","conference":"c","name":["a"]})", "bad-field", true, "'name'"},
        Refused{R"({"type":"join","conference":"c","name":"a\u0007"})", "bad-field", true,
                "'name'"},
        Refused{R"({"type":"join","conference":"c","name":"a","token":{}})", "bad-field", true,
                "'token'"},
        Refused{R"({"type":"offer"})", "bad-field", true, "'sdp'"},
        Refused{R"({"type":"offer","sdp":""})", "bad-field", true, "'sdp'"},
        Refused{R"({"type":"mute","kind":"smell","muted":true})", "bad-field", false, "'kind'"},
        Refused{R"({"type":"mute","kind":"audio","muted":1})", "bad-field", false, "'muted'"},
        Refused{R"({"type":"join","conference":"c","e2ee":1})", "bad-field", true, "'e2ee'"},
        Refused{R"({"type":"join","conference":"c","require_e2ee":"yes"})", "bad-field", true,
                "'require_e2ee'"},
        Refused{R"({"type":"join","conference":"c","mixed":null})", "bad-field", true, "'mixed'"},
        Refused{R"({"type":"e2ee"})", "bad-field", false, "'wanted'"},
        Refused{R"({"type":"declare","e2ee":"true"})", "bad-field", false, "'e2ee'"},
        Refused{R"({"type":"direct"})", "bad-field", false, "'active'"},
        Refused{R"({"type":"direct","active":true,"protection":[]})", "bad-field", false,
                "'protection'"},
        Refused{R"({"type":"direct","active":true,"protection":{"srtp_profile":7}})", "bad-field",
                false, "'srtp_profile'"},
        Refused{R"({"type":"direct","active":true,"protection":{"dtls_cipher":"a\u0000"}})",
                "bad-field", false, "'dtls_cipher'"},
        Refused{R"({"type":"relay"})", "bad-field", false, "'all' or 'to'"},
        Refused{R"({"type":"relay","all":"x","to":{}})", "bad-field", false, "'all' or 'to'"},
        Refused{R"({"type":"relay","all":["x"]})", "bad-field", false, "'all'"},
        Refused{R"({"type":"relay","to":["x"]})", "bad-field", false, "'to'"},
        Refused{R"({"type":"relay","to":{"a":{}}})", "bad-field", false, "'to'"}));

TEST(Signalling, BoundsWhatIsSaidOfADirectConnection) {
  const auto refused = [](size_t bytes) {
    const json message = {{"type", "direct"},
                          {"active", true},
                          {"protection", {{"remote_fingerprint", std::string(bytes, 'x')}}}};
    return std::holds_alternative<Refusal>(parse_message(message.dump()));
  };
  EXPECT_FALSE(refused(limits::ProtectionTextBytes));
  EXPECT_TRUE(refused(limits::ProtectionTextBytes + 1));
}

TEST(Signalling, RefusesNestingBeyondTheLimitHoweverDeep) {
  for (const size_t depth : {limits::JsonDepth, size_t{10'000}}) {
    const std::string text =
        R"({"type":"leave","x":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
    const auto message = parse_message(text);
    ASSERT_TRUE(std::holds_alternative<Refusal>(message)) << depth;
    EXPECT_EQ(std::get<Refusal>(message).code, "bad-message");
  }
  const size_t inside = limits::JsonDepth - 1;
  EXPECT_TRUE(std::holds_alternative<LeaveMessage>(parse_message(
      R"({"type":"leave","x":)" + std::string(inside, '[') + std::string(inside, ']') + "}")));
}

TEST(Signalling, DoesNotCountBracketsInsideStrings) {
  EXPECT_TRUE(std::holds_alternative<LeaveMessage>(
      parse_message(R"({"type":"leave","x":"\"[[[[[[[[[[[[[[[[[[[[[[{{{{{{{{{{{{{{{\\"})")));
}

TEST(Signalling, CountsANamesCharactersNotItsBytes) {
  std::string longest, too_long;
  for (size_t i = 0; i < limits::NameCharacters; ++i)
    longest += "\xe2\x82\xac";  // a euro sign is three bytes
  too_long = longest + "x";
  EXPECT_TRUE(is_name(longest));
  EXPECT_FALSE(is_name(too_long));
  EXPECT_FALSE(is_name(""));
  EXPECT_FALSE(is_name("\x7f"));
  EXPECT_FALSE(is_name("\xc2\x85"));  // a control character of Latin-1
}

TEST(Signalling, RefusesAnOfferThatIsTooLong) {
  const std::string text =
      R"({"type":"offer","sdp":")" + std::string(limits::SdpBytes + 1, 'x') + "\"}";
  const auto message = parse_message(text);
  ASSERT_TRUE(std::holds_alternative<Refusal>(message));
  EXPECT_EQ(std::get<Refusal>(message).code, "bad-field");
}

TEST(Signalling, WritesMessagesAsTheContractSays) {
  const ParticipantView grace{
      "93d41c07aa5e21b8", "Grace", false, true, {true, true, E2eeVerdict::Consistent}, true};
  const json person = {{"id", "93d41c07aa5e21b8"},
                       {"name", "Grace"},
                       {"audio", {{"muted", false}}},
                       {"video", {{"muted", true}}},
                       {"e2ee", {{"capable", true}, {"declared", true}, {"verdict", "consistent"}}},
                       {"direct", true},
                       {"mixed", false},
                       {"screen", false}};
  EXPECT_EQ(json::parse(write_joined(
                {"5f0c", "standup", 3, 12, {grace}, {true, false}, true, {"stun:example.org"}, false, "hush"})),
            (json{{"type", "joined"},
                  {"participant", "5f0c"},
                  {"conference", "standup"},
                  {"slots", {{"audio", 3}, {"video", 12}}},
                  {"e2ee", {{"wanted", true}, {"required", false}}},
                  {"direct", {{"allowed", true}, {"ice_servers", {"stun:example.org"}}}},
                  {"mixed", false},
                  {"resume", "hush"},
                  {"features", {"receive", "layers"}},
                  {"participants", json::array({person})}}));
  EXPECT_EQ(json::parse(write_resumed({"5f0c", "standup", 3, 12})),
            (json{{"type", "resumed"},
                  {"participant", "5f0c"},
                  {"conference", "standup"},
                  {"slots", {{"audio", 3}, {"video", 12}}},
                  {"e2ee", {{"wanted", false}, {"required", false}}},
                  {"direct", {{"allowed", false}, {"ice_servers", json::array()}}},
                  {"mixed", false},
                  {"resume", ""},
                  {"features", {"receive", "layers"}},
                  {"participants", json::array()}}));
  EXPECT_EQ(json::parse(write_participant_joined(grace)),
            (json{{"type", "participant-joined"}, {"participant", person}}));
  EXPECT_EQ(json::parse(write_participant_changed(grace)),
            (json{{"type", "participant-changed"}, {"participant", person}}));
  EXPECT_EQ(json::parse(write_participant_left("a")),
            (json{{"type", "participant-left"}, {"id", "a"}}));
  EXPECT_EQ(json::parse(write_answer("v=0")), (json{{"type", "answer"}, {"sdp", "v=0"}}));
  EXPECT_EQ(json::parse(write_speaker(std::nullopt)),
            (json{{"type", "speaker"}, {"participant", nullptr}}));
  EXPECT_EQ(json::parse(write_codecs({codec::CodecType::Vp8, codec::CodecType::Av1})),
            (json{{"type", "codecs"}, {"video", {"VP8", "AV1"}}}));
  EXPECT_EQ(json::parse(write_slots(
                {{"2", codec::MediaKind::Audio, "a"},
                 {"3", codec::MediaKind::Video, std::nullopt},
                 {"4", codec::MediaKind::Video, "a", Content::Screen, true},
                 {"5", codec::MediaKind::Video, "a"}},
                {{"b", codec::CodecType::H264}})),
            json::parse(R"({"type":"slots","slots":[
                            {"mid":"2","kind":"audio","participant":"a","content":null,"paused":false},
                            {"mid":"3","kind":"video","participant":null,"content":null,"paused":false},
                            {"mid":"4","kind":"video","participant":"a","content":"screen","paused":true},
                            {"mid":"5","kind":"video","participant":"a","content":"camera","paused":false}],
                            "undecodable":[{"participant":"b","codec":"H264"}]})"));
  EXPECT_EQ(json::parse(write_recent_speakers({"a", "b"})),
            (json{{"type", "recent_speakers"}, {"participants", {"a", "b"}}}));
  EXPECT_EQ(json::parse(write_send({{}, "1", {{"low", true}, {"high", false}}, 360})),
            json::parse(R"({"type":"send","sources":[{"mid":"1","max_height":360,
                            "layers":[{"rid":"low","wanted":true},{"rid":"high","wanted":false}]}]})"));
  EXPECT_EQ(json::parse(write_send({{}, "2", {{"", true}}, -1})),
            json::parse(R"({"type":"send","sources":[{"mid":"2","max_height":-1,
                            "layers":[{"rid":null,"wanted":true}]}]})"));
  EXPECT_EQ(json::parse(write_network(DataRate::kbps(800), DataRate::kbps(2500))),
            (json{{"type", "network"}, {"available", 800'000}, {"wanted", 2'500'000}}));
  EXPECT_EQ(json::parse(write_network(std::nullopt, DataRate::kbps(2500)))["available"], nullptr);
  EXPECT_EQ(json::parse(write_e2ee({true, true}, "a")),
            (json{{"type", "e2ee"}, {"wanted", true}, {"required", true}, {"by", "a"}}));
  EXPECT_EQ(json::parse(write_relay("a", "\"x\"")),
            (json{{"type", "relay"}, {"from", "a"}, {"data", "\"x\""}}));
  EXPECT_EQ(
      json::parse(write_held_back(codec::MediaKind::Audio, conference::HeldBack::Contradicted)),
      (json{{"type", "held-back"}, {"kind", "audio"}, {"reason", "contradicted"}}));
  EXPECT_EQ(json::parse(write_held_back(codec::MediaKind::Video, conference::HeldBack::No)),
            (json{{"type", "held-back"}, {"kind", "video"}, {"reason", nullptr}}));
  EXPECT_EQ(
      json::parse(write_error({"busy", "try again", false})),
      (json{{"type", "error"}, {"code", "busy"}, {"message", "try again"}, {"final", false}}));
}

TEST(Signalling, WritesAnErrorEvenWhenItQuotesBrokenText) {
  EXPECT_TRUE(json::parse(write_error({"offer-refused", "line '\xff\xfe'", true})).is_object());
}

}  // namespace
}  // namespace viaduct::control
