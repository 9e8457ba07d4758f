#include "protocol/codec/plain_check.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "tests/support/exact_bytes.h"
#include "tests/support/hex.h"
#include "tests/support/real_frames.h"

namespace viaduct::codec {
namespace {

using testing::from_hex;

std::vector<uint8_t> whole(const testing::RealFrame& frame) {
  auto bytes = from_hex(frame.front);
  bytes.resize(std::max(bytes.size(), frame.bytes));
  return bytes;
}

template <size_t N>
void expect_fit(CodecType codec, const testing::RealFrame (&frames)[N]) {
  for (const auto& frame : frames) {
    const auto check = check_plain(codec, whole(frame));
    ASSERT_TRUE(check) << frame.front;
    EXPECT_TRUE(check->fits) << frame.front;
    EXPECT_LE(check->frame_bytes, frame.bytes) << frame.front;
  }
}

TEST(PlainCheck, TakesRealFramesOfEveryCodec) {
  expect_fit(CodecType::Vp8, testing::RealVp8);
  expect_fit(CodecType::Vp9, testing::RealVp9);
  expect_fit(CodecType::Av1, testing::RealAv1);
  expect_fit(CodecType::Opus, testing::RealOpusVoice);
  expect_fit(CodecType::Opus, testing::RealOpusNoise);
}

// The share of random fronts that fit, which body_evidence.h counts on.
TEST(PlainCheck, TakesFewRandomFrames) {
  struct Row {
    CodecType codec;
    std::vector<uint8_t> clear;  // what packetizers write themselves
    double share;
  };
  const Row rows[] = {{CodecType::Vp8, {0x10}, 1 / 30.0},
                      {CodecType::Vp9, {0x08}, 1 / 30.0},
                      {CodecType::Av1, {0x10, 0x30}, 1 / 7.0},
                      {CodecType::H264, {0x41}, 1 / 5.0},
                      {CodecType::Opus, {}, 1.0}};
  constexpr uint32_t FrameBytes = 20'000, Step = 960;
  SeededRandom random(3);
  for (const Row& row : rows) {
    int fitting = 0, checked = 0;
    for (int i = 0; i < 200'000; ++i) {
      std::vector<uint8_t> payload(60);
      random.fill(payload);
      std::ranges::copy(row.clear, payload.begin());
      const auto check = check_plain(row.codec, payload);
      if (!check) continue;
      ++checked;
      const bool lasts = check->duration == 0 || check->duration == Step;
      fitting += check->fits && check->frame_bytes <= FrameBytes && lasts;
    }
    ASSERT_GT(checked, 190'000) << to_string(row.codec);
    const double share = row.codec == CodecType::Opus ? 1 / 5.0 : row.share;
    EXPECT_LT(fitting, share * checked) << to_string(row.codec);
  }
}

// What our page leaves in clear, with counters of every width: no frame of it is plain.
TEST(PlainCheck, TakesNoVp8FrameBehindASyntheticByte) {
  for (const char* front : {"1000" "e801020304050607ff", "1001" "e801020304050607ff", "1001" "e001020304050607",
                            "1001" "e9010203040506070100", "1000" "9d012a4001b40000"}) {
    auto payload = from_hex(front);
    payload.resize(600, 0x5a);
    const auto check = check_plain(CodecType::Vp8, payload);
    ASSERT_TRUE(check) << front;
    EXPECT_FALSE(check->fits) << front;
    EXPECT_EQ(check->opaque.data(), payload.data() + 2) << "SFrame begins behind the synthetic byte";
  }
}

TEST(PlainCheck, FindsWhereCiphertextBeginsOfEveryCodec) {
  const auto opaque_at = [](CodecType codec, const char* front) {
    auto payload = from_hex(front);
    payload.resize(100, 0xcc);
    const auto check = check_plain(codec, payload);
    return check ? check->opaque.data() - payload.data() : -1;
  };
  EXPECT_EQ(opaque_at(CodecType::Opus, "e8"), 0);
  EXPECT_EQ(opaque_at(CodecType::Vp8, "90e08001d100" "01"), 7);
  EXPECT_EQ(opaque_at(CodecType::Vp9, "8c8102e8"), 3);
  EXPECT_EQ(opaque_at(CodecType::Av1, "1030e8"), 2);
  EXPECT_EQ(opaque_at(CodecType::H264, "41e8"), 1);
  EXPECT_EQ(opaque_at(CodecType::H264, "7c85e8"), 2);
}

TEST(PlainCheck, LooksAtNoPacketThatBeginsNoFrame) {
  const auto begins = [](CodecType codec, const char* front) {
    auto payload = from_hex(front);
    payload.resize(100);
    return check_plain(codec, payload).has_value();
  };
  EXPECT_FALSE(begins(CodecType::Vp8, "00"));
  EXPECT_FALSE(begins(CodecType::Vp8, "11"));
  EXPECT_FALSE(begins(CodecType::Vp9, "04"));
  EXPECT_FALSE(begins(CodecType::Av1, "9030"));
  EXPECT_FALSE(begins(CodecType::H264, "7c05"));
  EXPECT_FALSE(begins(CodecType::H264, "0600"));
}

TEST(PlainCheck, ReadsSlicesAndParameterSetsOfH264) {
  const auto fits = [](const char* front) {
    auto payload = from_hex(front);
    payload.resize(100);
    return check_plain(CodecType::H264, payload)->fits;
  };
  EXPECT_TRUE(fits("6742c01f")) << "a parameter set";
  EXPECT_TRUE(fits("180016" "6742c01f")) << "in an aggregate";
  EXPECT_TRUE(fits("41e2")) << "P slice, type 0";
  EXPECT_TRUE(fits("419a")) << "P slice, type 5";
  EXPECT_TRUE(fits("658880")) << "I slice, type 7";
  EXPECT_TRUE(fits("7c85b8")) << "I slice, type 2, as a fragment";
  EXPECT_FALSE(fits("67ff")) << "a profile that does not exist";
  EXPECT_FALSE(fits("4100"));
  EXPECT_FALSE(fits("4146")) << "not the first slice";
}

TEST(PlainCheck, KnowsHowLongOpusPacketsLast) {
  const auto duration = [](const char* front, size_t bytes) {
    auto payload = from_hex(front);
    payload.resize(bytes);
    const auto check = check_plain(CodecType::Opus, payload);
    return check->fits ? check->duration : 0;
  };
  EXPECT_EQ(duration("78", 60), 960u);
  EXPECT_EQ(duration("f8", 60), 960u);
  EXPECT_EQ(duration("e8", 60), 240u);
  EXPECT_EQ(duration("18", 60), 2880u);
  EXPECT_EQ(duration("f9", 61), 1920u);
  EXPECT_EQ(duration("f9", 60), 0u) << "two frames of one size need an even number of bytes";
  EXPECT_EQ(duration("fa20", 60), 1920u);
  EXPECT_EQ(duration("faf0", 60), 0u) << "longer than the packet";
  EXPECT_EQ(duration("fb03", 60), 2880u);
  EXPECT_EQ(duration("fb00", 60), 0u);
  EXPECT_EQ(duration("fb30", 60), 0u) << "more than 120 ms";
}

TEST(PlainCheck, StaysWithinShortAndRandomPayloads) {
  SeededRandom random(9);
  for (int round = 0; round < 50'000; ++round) {
    std::vector<uint8_t> bytes(random.below(24));
    random.fill(bytes);
    const testing::ExactBytes payload(bytes);
    check_plain(static_cast<CodecType>(random.below(CodecTypes)), payload);
  }
}

}  // namespace
}  // namespace viaduct::codec
