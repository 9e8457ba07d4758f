#include "control/signalling.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "limits.h"

namespace viaduct::control {
namespace {

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
        Refused{R"({"type":"mute","kind":"audio","muted":1})", "bad-field", false, "'muted'"}));

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
  const ParticipantView grace{"93d41c07aa5e21b8", "Grace", false, true};
  const json person = {{"id", "93d41c07aa5e21b8"},
                       {"name", "Grace"},
                       {"audio", {{"muted", false}}},
                       {"video", {{"muted", true}}}};
  EXPECT_EQ(json::parse(write_joined({"5f0c", "standup", 3, 12, {grace}})),
            (json{{"type", "joined"},
                  {"participant", "5f0c"},
                  {"conference", "standup"},
                  {"slots", {{"audio", 3}, {"video", 12}}},
                  {"participants", json::array({person})}}));
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
                {{"2", codec::MediaKind::Audio, "a"}, {"3", codec::MediaKind::Video, std::nullopt}},
                {{"b", codec::CodecType::H264}})),
            json::parse(R"({"type":"slots","slots":[{"mid":"2","kind":"audio","participant":"a"},
                            {"mid":"3","kind":"video","participant":null}],
                            "undecodable":[{"participant":"b","codec":"H264"}]})"));
  EXPECT_EQ(
      json::parse(write_error({"busy", "try again", false})),
      (json{{"type", "error"}, {"code", "busy"}, {"message", "try again"}, {"final", false}}));
}

TEST(Signalling, WritesAnErrorEvenWhenItQuotesBrokenText) {
  EXPECT_TRUE(json::parse(write_error({"offer-refused", "line '\xff\xfe'", true})).is_object());
}

}  // namespace
}  // namespace viaduct::control
