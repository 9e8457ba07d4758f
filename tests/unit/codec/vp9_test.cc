#include "protocol/codec/vp9.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "tests/support/exact_bytes.h"
#include "tests/support/hex.h"

namespace viaduct::codec {
namespace {

using testing::ExactBytes;
using testing::from_hex;

TEST(Vp9, ReadsTheDescriptorOfNonFlexibleMode) {  // RFC 9628 section 4.2
  const auto vp9 = parse_vp9(from_hex("ec 9234 74 56 00"));  // I P L - B E, TID 3, U, SID 2
  ASSERT_TRUE(vp9);
  EXPECT_TRUE(vp9->inter_picture);
  EXPECT_TRUE(vp9->start_of_frame);
  EXPECT_TRUE(vp9->end_of_frame);
  EXPECT_FALSE(vp9->flexible_mode);
  EXPECT_EQ(vp9->picture_id, 0x1234);
  EXPECT_EQ(vp9->temporal_id, 3);
  EXPECT_TRUE(vp9->switching_up);
  EXPECT_EQ(vp9->spatial_id, 2);
  EXPECT_FALSE(vp9->inter_layer);
  EXPECT_EQ(vp9->tl0_pic_idx, 0x56);
}

TEST(Vp9, ReadsTheDescriptorOfFlexibleMode) {
  const auto vp9 = parse_vp9(from_hex("f8 7f 03 0301 02 00"));  // I P L F B, SID 1, D, two references and one more
  ASSERT_TRUE(vp9);
  EXPECT_TRUE(vp9->flexible_mode);
  EXPECT_EQ(vp9->picture_id, 0x7f);
  EXPECT_EQ(vp9->spatial_id, 1);
  EXPECT_TRUE(vp9->inter_layer);
  EXPECT_FALSE(vp9->tl0_pic_idx);
}

TEST(Vp9, KnowsKeyFrames) {
  struct Row {
    const char* payload;
    bool starts_picture;
    bool key_frame;
    const char* what;
  };
  const Row rows[] = {
      {"08 00", true, true, "start of a frame, not predicted"},
      {"00 00", false, false, "the middle of a key frame"},
      {"48 00", true, false, "predicted"},
      {"28 00 00 00", true, true, "the lowest spatial layer"},
      {"28 02 00 00", false, false, "a higher layer of a key picture"},
      {"28 03 00 00", false, false, "a higher layer predicted from the lower"},
      {"28 01 00 00", true, false, "inter-layer prediction"},
      {"0a 18 0140 00b4 01 04 01 00", true, true, "with a scalability structure: one layer, one picture"},
      {"8a 8001 58 0140 00b4 0280 0168 0500 02d0 02 04 01 54 01 00", true, true, "and with three layers, two pictures"},
  };
  for (const Row& row : rows) {
    const auto vp9 = parse_vp9(ExactBytes(from_hex(row.payload)));
    ASSERT_TRUE(vp9) << row.what;
    EXPECT_EQ(vp9->starts_picture(), row.starts_picture) << row.what;
    EXPECT_EQ(vp9->key_frame(), row.key_frame) << row.what;
  }
}

TEST(Vp9, RejectsADescriptorCutAnywhere) {
  for (const char* hex : {"ec 9234 74 56", "f8 7f 03 030302",
                          "8a 8001 58 0140 00b4 0280 0168 0500 02d0 02 04 01 5801 01"}) {
    const auto whole = from_hex(hex);
    for (size_t size = 0; size <= whole.size(); ++size) {
      EXPECT_FALSE(parse_vp9(ExactBytes(Bytes(whole).first(size)))) << hex << " at " << size;
    }
  }
}

TEST(Vp9, SurvivesRandomBytes) {
  SeededRandom random(73);
  int parsed = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::vector<uint8_t> bytes(random.below(40));
    random.fill(bytes);
    if (const auto vp9 = parse_vp9(ExactBytes(bytes))) {
      ++parsed;
      EXPECT_LE(vp9->spatial_id, 7);
      EXPECT_LE(vp9->picture_id.value_or(0), 0x7fff);
      EXPECT_TRUE(!vp9->key_frame() || vp9->starts_picture());
    }
  }
  EXPECT_GT(parsed, 1000);
}

}  // namespace
}  // namespace viaduct::codec
