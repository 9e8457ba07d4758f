#include "protocol/codec/frame_start.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"
#include "protocol/codec/av1.h"
#include "protocol/codec/h264.h"
#include "tests/support/exact_bytes.h"
#include "tests/support/hex.h"

namespace viaduct::codec {
namespace {

using testing::ExactBytes;
using testing::from_hex;

constexpr FrameHint Nothing{};
constexpr FrameHint Start{.starts_frame = true};
constexpr FrameHint Key{.starts_frame = true, .key_frame = true};

struct Row {
  const char* payload;
  FrameHint expected;
  const char* what;
};

void expect_hints(CodecType codec, const std::vector<Row>& rows) {
  for (const Row& row : rows) EXPECT_EQ(hint_of(codec, ExactBytes(from_hex(row.payload))), row.expected) << row.what;
}

TEST(FrameHint, OfH264) {  // RFC 6184 sections 5.6 to 5.8
  expect_hints(CodecType::H264,
               {
                   {"67 42e01f", Key, "a sequence parameter set"},
                   {"65 b8", Key, "the first slice of an IDR picture"},
                   {"65 40", Nothing, "a later slice of one"},
                   {"41 9a", Start, "the first slice of another picture"},
                   {"41 4a", Nothing, "a later slice of it"},
                   {"68 ce", Start, "a picture parameter set"},
                   {"09 10", Start, "a delimiter"},
                   {"06 05", Start, "enhancement information"},
                   {"0c ff", Nothing, "filler"},
                   {"78 0002 6742 0002 68ce", Key, "an aggregate of parameter sets"},
                   {"78 0002 68ce 0002 65b8", Key, "an aggregate that ends in an IDR slice"},
                   {"78 0002 0910 0002 419a", Start, "an aggregate without a key frame"},
                   {"78 0002 4100", Nothing, "an aggregate of a later slice"},
                   {"7c 85 b8", Key, "the first fragment of an IDR slice"},
                   {"7c 05 b8", Nothing, "a fragment in its middle"},
                   {"7c 45 b8", Nothing, "its last fragment"},
                   {"5c 81 9a", Start, "the first fragment of another slice"},
                   {"7c 87 42", Key, "the first fragment of a parameter set"},
               });
}

TEST(FrameHint, OfMalformedH264IsNothing) {
  for (const char* hex : {"", "67", "78", "78 00", "78 0000", "78 0003 6742", "78 0002 6742 00", "78 0002 6742 0000",
                          "7c", "7c 85", "60 00", "79 00 00", "7a 00", "7d 8500", "7e 00", "7f 00"}) {
    EXPECT_FALSE(parse_h264(ExactBytes(from_hex(hex)))) << hex;
    EXPECT_EQ(hint_of(CodecType::H264, from_hex(hex)), Nothing) << hex;
  }
}

TEST(FrameHint, OfAv1) {  // RTP Payload Format For AV1, section 4.4
  expect_hints(CodecType::Av1,
               {
                   {"18 0a 0b00", Key, "a lone sequence header in a new sequence"},
                   {"28 02 0a0b 32 00", Key, "a sequence header and a frame"},
                   {"08 02 0a0b 01 32", Key, "the same with a length for each element"},
                   {"18 22 00", Key, "a new sequence, whatever it begins with"},
                   {"10 32 00", Start, "a frame"},
                   {"10 1a 00", Start, "a frame header"},
                   {"10 2a 00", Start, "metadata"},
                   {"00 8100 32 00", Start, "a length of two bytes"},
                   {"10 22 00", Nothing, "a tile group"},
                   {"90 0a 0b", Nothing, "the rest of a fragment"},
                   {"d0 32 00", Nothing, "a fragment in the middle"},
                   {"50 32 00", Start, "the first fragment of a frame"},
               });
}

TEST(FrameHint, OfMalformedAv1IsNothing) {
  for (const char* hex : {"", "18", "98 0a 0b", "00", "00 00", "00 02 0a", "28 03 0a0b", "00 ff",
                          "00 ffffffffffffffffff0a", "20 ffffffffffffff7f 0a"}) {
    EXPECT_FALSE(parse_av1(ExactBytes(from_hex(hex)))) << hex;
    EXPECT_EQ(hint_of(CodecType::Av1, from_hex(hex)), Nothing) << hex;
  }
}

TEST(FrameHint, OfVp8AndVp9ComesFromTheirDescriptors) {
  expect_hints(CodecType::Vp8, {{"10 50", Key, "key"}, {"10 51", Start, "delta"}, {"00 50", Nothing, "middle"},
                                {"10", Nothing, "cut"}, {"", Nothing, "empty"}});
  expect_hints(CodecType::Vp9, {{"08 00", Key, "key"}, {"48 00", Start, "delta"}, {"40 00", Nothing, "middle"},
                                {"88", Nothing, "cut"}, {"", Nothing, "empty"}});
}

TEST(FrameHint, OfOpusIsThatEveryPacketStandsAlone) {
  EXPECT_EQ(hint_of(CodecType::Opus, from_hex("78")), Key);
  EXPECT_EQ(hint_of(CodecType::Opus, {}), Nothing);
}

// S17: whatever the bytes, no codec reads past their end, and a key frame starts a frame.
TEST(FrameHint, SurvivesRandomPayloadsOfEveryCodec) {
  SeededRandom random(79);
  int starts = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::vector<uint8_t> bytes(random.below(24));
    random.fill(bytes);
    const ExactBytes payload{bytes};
    for (int codec = 0; codec < CodecTypes; ++codec) {
      const FrameHint hint = hint_of(static_cast<CodecType>(codec), payload);
      ASSERT_TRUE(!hint.key_frame || hint.starts_frame);
      starts += hint.starts_frame;
    }
  }
  EXPECT_GT(starts, 1000);
}

}  // namespace
}  // namespace viaduct::codec
