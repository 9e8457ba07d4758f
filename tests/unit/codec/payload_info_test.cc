#include "protocol/codec/payload_info.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "tests/support/exact_bytes.h"
#include "tests/support/hex.h"

namespace viaduct::codec {
namespace {

using rtp::FrameInfo;
using rtp::LayerId;
using rtp::PictureSize;
using rtp::Prediction;
using testing::ExactBytes;
using testing::from_hex;

constexpr const char* KeyFrame = " 50420b 9d012a 8002 6801 39";  // VP8, 640 x 360
constexpr const char* DeltaFrame = " 51420b 1234";

PayloadInfo parse(CodecType codec, const std::string& hex, bool marker = false) {
  return parse_payload(codec, ExactBytes(from_hex(hex)), marker);
}

// What the frame is to each layer, as "-DSR": temporal layers of the first spatial layer, then of the next.
std::string indications(const FrameInfo& frame, uint8_t spatial_layers) {
  std::string text;
  for (uint8_t s = 0; s < spatial_layers; ++s) {
    if (s > 0) text += ' ';
    for (uint8_t t = 0; t < rtp::TemporalLayers; ++t) text += "-DSR"[static_cast<size_t>(frame.indication({s, t}))];
  }
  return text;
}

TEST(PayloadInfo, PlacesVp8FramesAmongTemporalLayers) {  // RFC 7741 section 4.2
  struct Row {
    std::string payload;
    bool starts, key;
    uint8_t temporal;
    const char* indications;
    Prediction prediction;
    const char* what;
  };
  const Row rows[] = {
      {std::string("90 e0 9234 56 00") + KeyFrame, true, true, 0, "SSSS", Prediction::Nothing, "a key frame"},
      {std::string("90 e0 9234 56 00") + DeltaFrame, true, false, 0, "RRRR", Prediction::LowestFrames, "layer 0"},
      {std::string("90 e0 9234 56 40") + DeltaFrame, true, false, 1, "-RRR", Prediction::Unknown, "layer 1"},
      {std::string("90 e0 9234 56 60") + DeltaFrame, true, false, 1, "-SRR", Prediction::LowestFrames, "its Y"},
      {std::string("b0 e0 9234 56 80") + DeltaFrame, true, false, 2, "--DD", Prediction::Unknown, "nothing needs it"},
      {std::string("b0 e0 9234 56 a0") + DeltaFrame, true, false, 2, "--SD", Prediction::LowestFrames, "both"},
      {std::string("80 e0 9234 56 40") + DeltaFrame, false, false, 1, "-RRR", Prediction::Unknown, "inside a frame"},
      {std::string("10") + DeltaFrame, true, false, 0, "RRRR", Prediction::Unknown, "no layers at all"},
  };
  for (const Row& row : rows) {
    const FrameInfo frame = parse(CodecType::Vp8, row.payload).frame;
    EXPECT_EQ(frame.starts_frame, row.starts) << row.what;
    EXPECT_EQ(frame.key_frame, row.key) << row.what;
    EXPECT_EQ(frame.layer, (LayerId{0, row.temporal})) << row.what;
    EXPECT_EQ(indications(frame, 1), row.indications) << row.what;
    EXPECT_EQ(frame.prediction, row.prediction) << row.what;
    EXPECT_FALSE(frame.number || frame.unmarked || frame.ends_frame) << row.what;
  }
  EXPECT_EQ(parse(CodecType::Vp8, rows[0].payload).frame.layers, 0x000f);
  EXPECT_EQ(parse(CodecType::Vp8, rows[7].payload).frame.layers, 0x0001);
}

TEST(PayloadInfo, PlacesVp9FramesAmongLayers) {  // RFC 9628 section 4.2
  struct Row {
    const char* payload;
    bool key;
    LayerId layer;
    const char* indications;
    Prediction prediction;
    const char* what;
  };
  // The first byte: I P L F B E V Z. The byte of the layers: TID (3), U, SID (3), D.
  const Row rows[] = {
      {"ac 9234 00 56 00", true, {0, 0}, "SSSS SSSS SSSS", Prediction::Nothing, "a key picture's lowest layer"},
      {"ac 9234 03 56 00", false, {1, 0}, "---- SSSS RRRR", Prediction::LayerBelow, "its next, built on that alone"},
      {"ad 9234 02 56 00", false, {1, 0}, "---- SSSS ----", Prediction::Nothing, "a layer that stands alone"},
      {"ec 9234 00 56 00", false, {0, 0}, "RRRR RRRR RRRR", Prediction::Unknown, "predicted from an earlier picture"},
      {"ec 9234 53 56 00", false, {1, 2}, "---- --RS --RR", Prediction::Unknown, "U opens the layers above its own"},
      {"ec 9234 10 56 00", false, {0, 0}, "RSSS RRRR RRRR", Prediction::Unknown, "of its spatial layer"},
      {"ed 9234 40 56 00", false, {0, 2}, "--RR ---- ----", Prediction::Unknown, "Z: no use to spatial layers above"},
      {"bc 9234 43 00", false, {1, 2}, "---- --RR --RR", Prediction::LayerBelow, "flexible, begun in an upper picture"},
      {"88 9234 00", true, {0, 0}, "SSSS SSSS SSSS", Prediction::Nothing, "no layers at all"},
      {"ac 9234 ee 56 00", false, {3, 3}, "---- ---- ----", Prediction::Nothing, "above what is told apart"},
  };
  for (const Row& row : rows) {
    const FrameInfo frame = parse(CodecType::Vp9, row.payload).frame;
    EXPECT_TRUE(frame.starts_frame) << row.what;
    EXPECT_EQ(frame.key_frame, row.key) << row.what;
    EXPECT_EQ(frame.layer, row.layer) << row.what;
    EXPECT_EQ(indications(frame, 3), row.indications) << row.what;
    EXPECT_EQ(frame.prediction, row.prediction) << row.what;
  }
  EXPECT_EQ(parse(CodecType::Vp9, rows[0].payload).frame.layers, 0xffff);
  EXPECT_EQ(parse(CodecType::Vp9, rows[8].payload).frame.layers, 0x0001);
}

TEST(PayloadInfo, EndsFramesAtTheMarkerButVp9sAtTheirOwnSign) {
  const std::string vp8 = std::string("10") + DeltaFrame, h264 = "41 9a", av1 = "10 30 00";
  for (const bool marker : {false, true}) {
    EXPECT_EQ(parse(CodecType::Vp8, vp8, marker).frame.ends_frame, marker);
    EXPECT_EQ(parse(CodecType::H264, h264, marker).frame.ends_frame, marker);
    EXPECT_EQ(parse(CodecType::Av1, av1, marker).frame.ends_frame, marker);
    EXPECT_TRUE(parse(CodecType::Vp9, "8c 9234 00", marker).frame.ends_frame);
    EXPECT_FALSE(parse(CodecType::Vp9, "88 9234 00", marker).frame.ends_frame);
  }
}

TEST(PayloadInfo, KnowsKeyFramesOfCodecsWithoutLayers) {
  for (const auto& [codec, key, delta] : {std::tuple(CodecType::H264, "67 42e01f", "41 9a"),
                                          std::tuple(CodecType::Av1, "18 0a0b", "10 30 00")}) {
    EXPECT_TRUE(parse(codec, key).frame.key_frame);
    EXPECT_EQ(parse(codec, key).frame.prediction, Prediction::Nothing);
    EXPECT_FALSE(parse(codec, delta).frame.key_frame);
    EXPECT_TRUE(parse(codec, delta).frame.starts_frame);
    EXPECT_EQ(parse(codec, delta).frame.layers, 1);
    EXPECT_FALSE(parse(codec, key).front);
  }
}

TEST(PayloadInfo, KnowsTheSizesOfKeyFrames) {
  EXPECT_EQ(parse(CodecType::Vp8, std::string("10") + KeyFrame).sizes[0], (PictureSize{640, 360}));
  EXPECT_EQ(parse(CodecType::Vp8, std::string("10") + DeltaFrame).sizes[0], (PictureSize{}));
  const auto vp9 = parse(CodecType::Vp9, "8a 8001 58 0140 00b4 0280 0168 0500 02d0 02 04 01 54 01 00");
  EXPECT_EQ(vp9.sizes[0], (PictureSize{320, 180}));
  EXPECT_EQ(vp9.sizes[1], (PictureSize{640, 360}));
  EXPECT_EQ(vp9.sizes[2], (PictureSize{1280, 720}));
  EXPECT_EQ(vp9.sizes[3], (PictureSize{}));
}

TEST(PayloadInfo, SaysNothingOfMalformedPayloads) {
  for (int codec = 0; codec < CodecTypes; ++codec) {
    const PayloadInfo info = parse(static_cast<CodecType>(codec), "");
    EXPECT_FALSE(info.front);
    EXPECT_FALSE(info.frame.starts_frame || info.frame.key_frame);
  }
  EXPECT_FALSE(parse(CodecType::Vp8, "90 80 92").front);
  EXPECT_FALSE(parse(CodecType::Vp9, "ec 9234 74").front);
}

struct FrontRow {
  CodecType codec;
  std::string payload;
  size_t size;  // 0: it has no front
  PictureNumbers numbers;
  PictureNumbers others;
  const char* rewritten;
  const char* what;
};

TEST(PayloadFront, PutsOtherNumbersIntoTheirPlacesAndLeavesTheRest) {
  const FrontRow rows[] = {
      {CodecType::Vp8, std::string("b0 f0 9234 56 b3") + DeltaFrame, 5, {0x1234, 0x56}, {0x7fff, 0x01},
       "b0f0ffff01", "VP8 with everything"},
      {CodecType::Vp8, std::string("90 80 9234") + DeltaFrame, 4, {0x1234, {}}, {0x0005, {}}, "90808005",
       "VP8 without TL0PICIDX"},
      {CodecType::Vp8, std::string("90 80 9234") + DeltaFrame, 4, {0x1234, {}}, {0x0005, 9}, "90808005",
       "which has no place for another"},
      {CodecType::Vp8, std::string("90 c0 34 56") + DeltaFrame, 0, {}, {}, "", "VP8 with 7 bits"},
      {CodecType::Vp8, std::string("90 40 56") + DeltaFrame, 0, {}, {}, "", "VP8 without a picture id"},
      {CodecType::Vp9, "ec 9234 74 56 00", 5, {0x1234, 0x56}, {0x0001, 0xff}, "ec800174ff", "VP9, not flexible"},
      {CodecType::Vp9, "bc 9234 43 00", 3, {0x1234, {}}, {0x0001, {}}, "bc8001", "VP9, flexible"},
      {CodecType::Vp9, "ec 34 74 56 00", 0, {}, {}, "", "VP9 with 7 bits"},
      {CodecType::Vp9, "2c 74 56 00", 0, {}, {}, "", "VP9 without a picture id"},
  };
  for (const FrontRow& row : rows) {
    const auto front = parse(row.codec, row.payload).front;
    ASSERT_EQ(front.has_value(), row.size != 0) << row.what;
    if (!front) continue;
    EXPECT_EQ(front->size, row.size) << row.what;
    EXPECT_EQ(front->numbers, row.numbers) << row.what;
    std::vector<uint8_t> out(front->size);
    EXPECT_EQ(write_payload_front(out, *front, row.others), front->size) << row.what;
    EXPECT_EQ(testing::to_hex(out), row.rewritten) << row.what;
  }
}

TEST(PayloadFront, ReadsBackWhatItWrites) {
  SeededRandom random(76);
  int found = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::vector<uint8_t> payload(1 + random.below(14));
    random.fill(payload);
    const auto codec = i % 2 == 0 ? CodecType::Vp8 : CodecType::Vp9;
    const PayloadInfo info = parse_payload(codec, ExactBytes(payload), false);
    if (!info.front) continue;
    ++found;
    PictureNumbers others{static_cast<uint16_t>(random.below(0x8000)), {}};
    if (info.front->numbers.tl0_picture_index) others.tl0_picture_index = static_cast<uint8_t>(random.below(256));
    ASSERT_LE(write_payload_front(payload, *info.front, others), payload.size());
    const PayloadInfo again = parse_payload(codec, payload, false);
    ASSERT_TRUE(again.front);
    EXPECT_EQ(again.front->numbers, others);
    EXPECT_EQ(again.frame, info.frame);
  }
  EXPECT_GT(found, 1000);
}

}  // namespace
}  // namespace viaduct::codec
