#include "protocol/codec/vp8.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "tests/support/exact_bytes.h"
#include "tests/support/hex.h"

namespace viaduct::codec {
namespace {

using testing::ExactBytes;
using testing::from_hex;
using testing::to_hex;

// A key frame's header (RFC 6386 section 9.1): 640 x 360.
constexpr const char* KeyFrame = "50420b 9d012a 8002 6801 39";
constexpr const char* DeltaFrame = "51420b 1234";

std::string write(const Vp8Descriptor& descriptor) {
  std::vector<uint8_t> out(16);
  const size_t size = write_vp8_descriptor(out, descriptor);
  EXPECT_EQ(size, vp8_descriptor_bytes(descriptor));
  return to_hex(Bytes(out).first(size));
}

TEST(Vp8, ReadsTheShortestDescriptor) {  // RFC 7741 section 4.2
  const auto vp8 = parse_vp8(from_hex(std::string("10") + KeyFrame));
  ASSERT_TRUE(vp8);
  EXPECT_EQ(vp8->descriptor_bytes, 1u);
  EXPECT_TRUE(vp8->starts_frame());
  EXPECT_TRUE(vp8->key_frame);
  EXPECT_EQ(vp8->width, 640);
  EXPECT_EQ(vp8->height, 360);
  EXPECT_FALSE(vp8->picture_id || vp8->tl0_pic_idx || vp8->temporal_id || vp8->key_idx);
}

TEST(Vp8, ReadsEveryFieldOfTheLongestDescriptor) {
  const auto vp8 = parse_vp8(from_hex(std::string("b0 f0 9234 56 b3") + DeltaFrame));
  ASSERT_TRUE(vp8);
  EXPECT_EQ(vp8->descriptor_bytes, 6u);
  EXPECT_TRUE(vp8->non_reference);
  EXPECT_EQ(vp8->picture_id, 0x1234);
  EXPECT_TRUE(vp8->picture_id_15_bit);
  EXPECT_EQ(vp8->tl0_pic_idx, 0x56);
  EXPECT_EQ(vp8->temporal_id, 2);
  EXPECT_TRUE(vp8->layer_sync);
  EXPECT_EQ(vp8->key_idx, 0x13);
  EXPECT_TRUE(vp8->starts_frame());
  EXPECT_FALSE(vp8->key_frame);
}

TEST(Vp8, ReadsTheShortPictureId) {
  const auto vp8 = parse_vp8(from_hex(std::string("90 80 7f") + DeltaFrame));
  ASSERT_TRUE(vp8);
  EXPECT_EQ(vp8->picture_id, 0x7f);
  EXPECT_FALSE(vp8->picture_id_15_bit);
  EXPECT_EQ(vp8->descriptor_bytes, 3u);
}

TEST(Vp8, ReadsTemporalLayerAndKeyIndexWithoutEachOther) {
  const auto layer = parse_vp8(from_hex("90 20 7f 00"));
  ASSERT_TRUE(layer);
  EXPECT_EQ(layer->temporal_id, 1);
  EXPECT_TRUE(layer->layer_sync);
  EXPECT_FALSE(layer->key_idx);
  const auto key = parse_vp8(from_hex("90 10 ff 00"));
  ASSERT_TRUE(key);
  EXPECT_FALSE(key->temporal_id);
  EXPECT_FALSE(key->layer_sync);
  EXPECT_EQ(key->key_idx, 0x1f);
}

TEST(Vp8, OnlyTheFirstPacketOfAFrameSaysWhetherItIsAKeyFrame) {
  EXPECT_FALSE(parse_vp8(from_hex(std::string("00") + KeyFrame))->key_frame) << "in the middle of a partition";
  EXPECT_FALSE(parse_vp8(from_hex(std::string("11") + KeyFrame))->key_frame) << "the second partition";
  EXPECT_FALSE(parse_vp8(from_hex(std::string("11") + KeyFrame))->starts_frame());
  EXPECT_FALSE(parse_vp8(from_hex(std::string("10") + DeltaFrame))->key_frame);
}

TEST(Vp8, TellsNoSizeWithoutAWholeKeyFrameHeader) {
  for (const char* frame : {"50", "50420b9d012a800268", "50420b9d012b80026801"}) {
    const auto vp8 = parse_vp8(ExactBytes(from_hex(std::string("10") + frame)));
    ASSERT_TRUE(vp8);
    EXPECT_TRUE(vp8->key_frame);
    EXPECT_EQ(vp8->width, 0) << frame;
    EXPECT_EQ(vp8->height, 0) << frame;
  }
}

TEST(Vp8, RejectsADescriptorCutAnywhere) {
  const auto whole = from_hex("b0 f0 9234 56 b3");
  for (size_t size = 0; size <= whole.size(); ++size) {
    EXPECT_FALSE(parse_vp8(ExactBytes(Bytes(whole).first(size)))) << size;
  }
}

TEST(Vp8, WritesThePictureIdInFifteenBits) {
  Vp8Descriptor descriptor{.start_of_partition = true, .picture_id = 0x0005, .picture_id_15_bit = false};
  EXPECT_EQ(write(descriptor), "90808005");
  descriptor.picture_id = 0x7fff;
  descriptor.tl0_pic_idx = 0x56;
  descriptor.temporal_id = 2;
  descriptor.layer_sync = true;
  descriptor.key_idx = 0x13;
  descriptor.non_reference = true;
  EXPECT_EQ(write(descriptor), "b0f0ffff56b3");
}

TEST(Vp8, WritesNoMoreThanThereIs) {
  EXPECT_EQ(write({}), "00");
  EXPECT_EQ(write({.start_of_partition = true, .partition_id = 7}), "17");
  EXPECT_EQ(write({.tl0_pic_idx = 9}), "804009");
  EXPECT_EQ(write({.temporal_id = 3}), "8020c0");
  EXPECT_EQ(write({.key_idx = 31}), "80101f");
  EXPECT_EQ(write({.layer_sync = true, .key_idx = 31}), "80101f") << "Y belongs to the temporal layer";
}

TEST(Vp8, LeavesTheBufferAloneWhenTheDescriptorDoesNotFit) {
  const Vp8Descriptor descriptor{.picture_id = 1, .tl0_pic_idx = 2, .temporal_id = 0};
  for (size_t size = 0; size < vp8_descriptor_bytes(descriptor); ++size) {
    std::vector<uint8_t> out(size, 0xee);
    EXPECT_EQ(write_vp8_descriptor(out, descriptor), 0u);
    EXPECT_EQ(out, std::vector<uint8_t>(size, 0xee));
  }
}

TEST(Vp8, ReadsBackWhatItWrites) {
  SeededRandom random(71);
  for (int i = 0; i < 20'000; ++i) {
    std::vector<uint8_t> bytes(1 + random.below(12));
    random.fill(bytes);
    const auto parsed = parse_vp8(ExactBytes(bytes));
    if (!parsed) continue;
    std::vector<uint8_t> rewritten(vp8_descriptor_bytes(*parsed) + 1, 0x01);
    ASSERT_EQ(write_vp8_descriptor(rewritten, *parsed), rewritten.size() - 1);
    const auto again = parse_vp8(rewritten);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->non_reference, parsed->non_reference);
    EXPECT_EQ(again->start_of_partition, parsed->start_of_partition);
    EXPECT_EQ(again->partition_id, parsed->partition_id);
    EXPECT_EQ(again->picture_id, parsed->picture_id);
    EXPECT_EQ(again->tl0_pic_idx, parsed->tl0_pic_idx);
    EXPECT_EQ(again->temporal_id, parsed->temporal_id);
    EXPECT_EQ(again->layer_sync, parsed->layer_sync);
    EXPECT_EQ(again->key_idx, parsed->key_idx);
  }
}

}  // namespace
}  // namespace viaduct::codec
