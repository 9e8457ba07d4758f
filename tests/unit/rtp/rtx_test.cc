#include "protocol/rtp/rtx.h"

#include <gtest/gtest.h>

#include "tests/support/exact_bytes.h"
#include "tests/support/hex.h"

namespace viaduct::rtp {
namespace {

using testing::ExactBytes;
using testing::from_hex;
using testing::to_hex;

TEST(Rtx, RestoresThePacketItRepairs) {  // RFC 4588 section 4
  const auto packet = from_hex("80 e1 0007 00001111 0000bbbb" "1234" "cafe01");
  const auto header = parse_header(packet);
  ASSERT_TRUE(header);
  const auto restored = restore(*header, Bytes(packet).subspan(header->header_bytes), 96, 0xaaaa);
  ASSERT_TRUE(restored);
  EXPECT_EQ(restored->payload_type, 96);
  EXPECT_EQ(restored->ssrc, 0xaaaau);
  EXPECT_EQ(restored->sequence, 0x1234);
  EXPECT_EQ(restored->timestamp, 0x1111u);
  EXPECT_TRUE(restored->marker);
  EXPECT_EQ(to_hex(restored->payload), "cafe01");
}

TEST(Rtx, FindsNothingToRestoreInPayloadsTooShort) {
  EXPECT_FALSE(read_original_sequence({}));
  EXPECT_FALSE(read_original_sequence(ExactBytes(from_hex("12"))));
  EXPECT_EQ(read_original_sequence(ExactBytes(from_hex("ffff"))), 0xffff);
  EXPECT_FALSE(restore({}, ExactBytes(from_hex("12")), 96, 1));
  EXPECT_TRUE(restore({}, ExactBytes(from_hex("1234")), 96, 1)->payload.empty());
}

}  // namespace
}  // namespace viaduct::rtp
