#include "conference/payload_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conference/codec_policy.h"

namespace viaduct::conference {
namespace {

using codec::CodecType;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(PayloadMap, KnowsMediaAndRtxByTheirNumbers) {
  const PayloadMap map({{.payload_type = 96, .rtx_payload_type = 97, .type = CodecType::Vp8}});
  const auto media = map.meaning(96);
  ASSERT_TRUE(media);
  EXPECT_EQ(media->codec, CodecType::Vp8);
  EXPECT_FALSE(media->rtx);
  const auto rtx = map.meaning(97);
  ASSERT_TRUE(rtx);
  EXPECT_EQ(rtx->codec, CodecType::Vp8);
  EXPECT_TRUE(rtx->rtx);
  EXPECT_EQ(rtx->media_payload_type, 96);
  EXPECT_FALSE(map.meaning(98));
}

TEST(PayloadMap, KnowsRedAsTheFormatOfItsBlocks) {
  const PayloadMap map({{.payload_type = 111, .red_payload_type = 63, .type = CodecType::Opus}});
  const auto red = map.meaning(63);
  ASSERT_TRUE(red);
  EXPECT_EQ(red->codec, CodecType::Opus);
  EXPECT_TRUE(red->red);
  EXPECT_FALSE(red->rtx);
  EXPECT_EQ(red->media_payload_type, 111);
  EXPECT_FALSE(map.meaning(111)->red);
  EXPECT_EQ(map.payload_type(CodecType::Opus), 111);
  EXPECT_EQ(map.red_payload_type(CodecType::Opus), 63);
  EXPECT_EQ(map.red_payload_type(CodecType::Vp8), std::nullopt);
}

TEST(PayloadMap, GivesTheNumbersThatAClientKnowsAFormatBy) {
  const PayloadMap map({{.payload_type = 111, .type = CodecType::Opus},
                        {.payload_type = 120, .rtx_payload_type = 124, .type = CodecType::Vp8}});
  EXPECT_EQ(map.payload_type(CodecType::Opus), 111);
  EXPECT_EQ(map.rtx_payload_type(CodecType::Opus), std::nullopt);
  EXPECT_EQ(map.payload_type(CodecType::Vp8), 120);
  EXPECT_EQ(map.rtx_payload_type(CodecType::Vp8), 124);
  EXPECT_EQ(map.payload_type(CodecType::Av1), std::nullopt);
  EXPECT_TRUE(map.decodes(CodecType::Vp8));
  EXPECT_FALSE(map.decodes(CodecType::Av1));
}

TEST(PayloadMap, UnderstandsEveryNumberOfAFormatAndAnswersWithTheFirst) {
  const PayloadMap map({{.payload_type = 102, .type = CodecType::H264, .pli = true},
                        {.payload_type = 104, .type = CodecType::H264}});
  EXPECT_EQ(map.payload_type(CodecType::H264), 102);
  ASSERT_TRUE(map.meaning(104));
  EXPECT_EQ(map.meaning(104)->codec, CodecType::H264);
  EXPECT_TRUE(map.takes_pli(CodecType::H264));
}

TEST(PayloadMap, KnowsWhoMustBeAskedByFir) {
  const PayloadMap map({{.payload_type = 96, .type = CodecType::Vp8, .fir = true}});
  EXPECT_FALSE(map.takes_pli(CodecType::Vp8));
  EXPECT_FALSE(map.takes_pli(CodecType::H264));
}

constexpr CodecType Preference[] = {CodecType::Vp8, CodecType::H264, CodecType::Vp9};

PayloadMap decoder_of(std::vector<CodecType> codecs) {
  std::vector<sdp::PayloadFormat> formats;
  uint8_t payload_type = 96;
  for (const CodecType c : codecs) formats.push_back({.payload_type = payload_type++, .type = c});
  return PayloadMap(formats);
}

TEST(CodecPolicy, SettlesOnWhatEveryoneDecodesInTheOperatorsOrder) {
  const PayloadMap chromium = decoder_of({CodecType::H264, CodecType::Vp9, CodecType::Vp8});
  const PayloadMap firefox = decoder_of({CodecType::Vp9, CodecType::Vp8});
  const PayloadMap* both[] = {&chromium, &firefox};
  EXPECT_THAT(settle_video_codecs(Preference, both), ElementsAre(CodecType::Vp8, CodecType::Vp9));
}

TEST(CodecPolicy, SettlesOnNothingWhenNothingIsCommon) {
  const PayloadMap one = decoder_of({CodecType::Vp8}), other = decoder_of({CodecType::H264});
  const PayloadMap* both[] = {&one, &other};
  EXPECT_THAT(settle_video_codecs(Preference, both), IsEmpty());
}

TEST(CodecPolicy, AllowsNothingThatTheOperatorDidNotName) {
  const PayloadMap one = decoder_of({CodecType::Av1, CodecType::Vp8});
  const PayloadMap* alone[] = {&one};
  EXPECT_THAT(settle_video_codecs(Preference, alone), ElementsAre(CodecType::Vp8));
}

}  // namespace
}  // namespace viaduct::conference
