#include "protocol/rtp/dependency_descriptor.h"

#include <gtest/gtest.h>

#include "tests/support/hex.h"

namespace viaduct::rtp {
namespace {

using testing::from_hex;

TEST(DependencyDescriptor, ReadsTheMandatoryFields) {
  const auto d = parse_dependency_descriptor(from_hex("a5beef"));
  ASSERT_TRUE(d);
  EXPECT_TRUE(d->start_of_frame);
  EXPECT_FALSE(d->end_of_frame);
  EXPECT_EQ(d->template_id, 0x25);
  EXPECT_EQ(d->frame_number, 0xbeef);
  EXPECT_FALSE(d->structure_present);
  EXPECT_TRUE(parse_dependency_descriptor(from_hex("7f0000"))->end_of_frame);
}

TEST(DependencyDescriptor, BeginsAKeyFrameWhereAStructureComesWithTheStartOfAFrame) {
  EXPECT_TRUE(parse_dependency_descriptor(from_hex("80000180"))->begins_key_frame());
  EXPECT_TRUE(parse_dependency_descriptor(from_hex("c0000180031485214eaaaaa863041410c0"))->begins_key_frame());
  EXPECT_FALSE(parse_dependency_descriptor(from_hex("00000180"))->begins_key_frame()) << "not the start";
  EXPECT_FALSE(parse_dependency_descriptor(from_hex("8000017f"))->begins_key_frame()) << "other flags";
  EXPECT_FALSE(parse_dependency_descriptor(from_hex("800001"))->begins_key_frame()) << "nothing extended";
}

TEST(DependencyDescriptor, IsNothingWhenCutShort) {
  for (const char* cut : {"", "80", "8000"}) EXPECT_FALSE(parse_dependency_descriptor(from_hex(cut))) << cut;
}

TEST(DependencyDescriptor, ChangesNothingButTheFrameNumber) {
  auto bytes = from_hex("c1000180031485214eaaaaa863041410c0");
  write_frame_number(bytes, 0xffff);
  EXPECT_EQ(testing::to_hex(bytes), "c1ffff80031485214eaaaaa863041410c0");
}

}  // namespace
}  // namespace viaduct::rtp
