// RED (RFC 2198): what is read of it and what is written.
#include "protocol/rtp/red.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"
#include "protocol/rtp/red_writer.h"
#include "tests/support/exact_bytes.h"
#include "tests/support/hex.h"

namespace viaduct::rtp {
namespace {

using testing::ExactBytes;
using testing::from_hex;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint8_t Opus = 111;

TEST(Red, FindsThePrimaryBlockBehindTheRedundantOnes) {
  // Offsets 1920 and 960, lengths 2 and 3.
  const auto payload = from_hex("ef1e0002 ef0f0003 6f a1a2 b1b2b3 c1c2c3c4");
  const auto red = parse_red(payload, Opus);
  ASSERT_TRUE(red);
  EXPECT_THAT(red->primary, ElementsAre(0xc1, 0xc2, 0xc3, 0xc4));
  ASSERT_THAT(red->redundant(), SizeIs(2));
  EXPECT_EQ(red->redundant()[0].timestamp_offset, 1920);
  EXPECT_THAT(red->redundant()[0].bytes, ElementsAre(0xa1, 0xa2));
  EXPECT_EQ(red->redundant()[1].timestamp_offset, 960);
  EXPECT_THAT(red->redundant()[1].bytes, ElementsAre(0xb1, 0xb2, 0xb3));
}

TEST(Red, ReadsAPrimaryBlockThatStandsAlone) {
  const auto payload = from_hex("6f c1c2");
  const auto red = parse_red(payload, Opus);
  ASSERT_TRUE(red);
  EXPECT_THAT(red->primary, ElementsAre(0xc1, 0xc2));
  EXPECT_THAT(red->redundant(), IsEmpty());
}

TEST(Red, ReadsARedundantBlockThatIsEmpty) {
  const auto payload = from_hex("ef0f0000 6f c1");
  const auto red = parse_red(payload, Opus);
  ASSERT_TRUE(red);
  EXPECT_THAT(red->primary, ElementsAre(0xc1));
  EXPECT_THAT(red->redundant()[0].bytes, IsEmpty());
}

TEST(Red, SaysNothingOfWhatIsMalformed) {
  for (const char* malformed : {
           "",                      // nothing
           "6f",                    // no primary block
           "ef0f00",                // a header that is cut short
           "ef0f0002",              // no primary header
           "ef0f0002 6f a1",        // a block that is cut short
           "ef0f0002 6f a1a2",      // no primary block behind a redundant one
           "ef0f03ff 6f a1a2c1c2",  // a length beyond the end
           "6e c1c2",               // the primary block is of another format
           "ee0f0001 6f a1 c1",     // a redundant block is
           "ef000000ef000000ef000000ef000000ef000000ef000000ef000000ef000000ef000000 6f c1",  // nine
       }) {
    EXPECT_FALSE(parse_red(ExactBytes(from_hex(malformed)), Opus)) << malformed;
  }
}

// Each payload ends where its memory ends, for AddressSanitizer to see a step past it.
TEST(Red, StaysWithinAnyBytes) {
  SeededRandom random(5);
  for (int i = 0; i < 20'000; ++i) {
    const size_t size = random.u32() % 60;
    const std::unique_ptr<uint8_t[]> bytes(new uint8_t[size]);
    const MutableBytes payload(bytes.get(), size);
    random.fill(payload);
    for (size_t at = 0; at < size && at < 16; at += 4) payload[at] = random.u32() % 3 == 0 ? 0x6f : 0xef;
    const auto red = parse_red(payload, Opus);
    if (!red) continue;
    size_t blocks = red->primary.size() + 1;
    for (const RedBlock& block : red->redundant()) blocks += block.bytes.size() + 4;
    EXPECT_EQ(blocks, size);
    EXPECT_EQ(red->primary.data() + red->primary.size(), payload.data() + size);
  }
}

TEST(Red, ReadsBackWhatItWrites) {
  const std::vector<uint8_t> block(MaxRedBlockBytes, 0xa5);
  std::vector<uint8_t> payload(red_front_bytes(block.size()));
  ASSERT_EQ(write_red_front(payload, Opus, MaxRedTimestampOffset, block), payload.size());
  payload.push_back(0xc1);
  const auto red = parse_red(payload, Opus);
  ASSERT_TRUE(red);
  EXPECT_THAT(red->primary, ElementsAre(0xc1));
  ASSERT_THAT(red->redundant(), SizeIs(1));
  EXPECT_EQ(red->redundant()[0].timestamp_offset, MaxRedTimestampOffset);
  EXPECT_THAT(red->redundant()[0].bytes, ElementsAreArray(block));
}

TEST(Red, WritesNothingThatItsFieldsCannotSay) {
  std::vector<uint8_t> to(2000, 0x77);
  const std::vector<uint8_t> block(MaxRedBlockBytes + 1);
  EXPECT_EQ(write_red_front(to, Opus, 960, block), 0u);
  EXPECT_EQ(write_red_front(to, Opus, MaxRedTimestampOffset + 1, Bytes(block).first(10)), 0u);
  EXPECT_EQ(write_red_front(MutableBytes(to).first(14), Opus, 960, Bytes(block).first(10)), 0u);
  EXPECT_THAT(to, ::testing::Each(0x77));
  EXPECT_EQ(write_red_front(MutableBytes(to).first(15), Opus, 960, Bytes(block).first(10)), 15u);
}

}  // namespace
}  // namespace viaduct::rtp
