#include "protocol/sframe/header.h"

#include <gtest/gtest.h>

#include "tests/support/hex.h"

namespace viaduct::sframe {
namespace {

using testing::from_hex;

struct Row {
  const char* bytes;
  uint64_t key_id, counter;
};

// RFC 9605 appendix C.1.
TEST(SframeHeader, ReadsTheVectorsOfTheRfc) {
  const Row rows[] = {
      {"00", 0, 0},
      {"01", 0, 1},
      {"08ff", 0, 0xff},
      {"090100", 0, 0x100},
      {"09ffff", 0, 0xffff},
      {"0a010000", 0, 0x10000},
      {"0fffffffffffffffff", 0, UINT64_MAX},
      {"10", 1, 0},
      {"18ff", 1, 0xff},
      {"80ff", 0xff, 0},
      {"88ffff", 0xff, 0xff},
      {"8fffffffffffffffffff", 0xff, UINT64_MAX},
      {"900100", 0x100, 0},
      {"ffffffffffffffffffffffffffffffffff", UINT64_MAX, UINT64_MAX},
  };
  for (const Row& row : rows) {
    const auto header = parse_header(from_hex(row.bytes));
    ASSERT_TRUE(header) << row.bytes;
    EXPECT_EQ(header->key_id, row.key_id) << row.bytes;
    EXPECT_EQ(header->counter, row.counter) << row.bytes;
    EXPECT_EQ(header->header_bytes, from_hex(row.bytes).size()) << row.bytes;
  }
}

TEST(SframeHeader, LeavesTheCiphertextBehind) {
  const auto header = parse_header(from_hex("e8010203040506072a" "deadbeef"));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->key_id, 0x01020304050607u);
  EXPECT_EQ(header->counter, 0x2au);
  EXPECT_EQ(header->counter_bytes, 1);
  EXPECT_EQ(header->header_bytes, 9);
}

TEST(SframeHeader, IsNothingWhenCutShort) {
  const auto whole = from_hex("ffffffffffffffffffffffffffffffffff");
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(parse_header(Bytes(whole).first(size))) << size;
}

TEST(SframeHeader, TakesNumbersInTheirShortestFormOnly) {
  EXPECT_FALSE(parse_header(from_hex("0807"))) << "fits the configuration byte";
  EXPECT_FALSE(parse_header(from_hex("0900ff"))) << "fits one byte";
  EXPECT_FALSE(parse_header(from_hex("8007")));
  EXPECT_FALSE(parse_header(from_hex("9000ff")));
}

}  // namespace
}  // namespace viaduct::sframe
