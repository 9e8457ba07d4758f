#include "protocol/rtp/header_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"
#include "protocol/rtp/packet.h"
#include "tests/support/hex.h"

namespace viaduct::rtp {
namespace {

using testing::from_hex;
using testing::to_hex;

constexpr HeaderFields Fields{
    .marker = true, .payload_type = 96, .sequence = 0x1234, .timestamp = 0x55667788, .ssrc = 0xaabbccdd};

std::string write(std::vector<ExtensionElement> elements, HeaderFields fields = Fields) {
  std::vector<uint8_t> out(1024, 0xee);
  const size_t size = write_header(out, fields, elements);
  EXPECT_EQ(size, header_bytes(elements));
  return to_hex(Bytes(out).first(size));
}

TEST(HeaderWriter, WritesAPlainHeader) {
  EXPECT_EQ(write({}), "80e0123455667788aabbccdd");
  EXPECT_EQ(write({}, {.padding = true, .payload_type = 0xff}), "a07f00000000000000000000");
}

TEST(HeaderWriter, WritesOneByteElementsAndPadsThem) {  // RFC 8285 section 4.2
  const auto one = from_hex("aa"), two = from_hex("bbcc");
  EXPECT_EQ(write({{1, one}, {14, two}}), "90e0123455667788aabbccdd" "bede0002" "10aa" "e1bbcc" "000000");
  EXPECT_EQ(write({{3, from_hex("ddeeff")}}), "90e0123455667788aabbccdd" "bede0001" "32ddeeff");
}

TEST(HeaderWriter, WritesTwoByteElementsWhereOneByteOnesDoNotReach) {  // RFC 8285 section 4.3
  const auto one = from_hex("aa");
  const std::vector<uint8_t> sixteen(16, 0x16), seventeen(17, 0x17);
  EXPECT_EQ(write({{15, one}, {2, one}}), "90e0123455667788aabbccdd" "10000002" "0f01aa" "0201aa" "0000");
  EXPECT_EQ(write({{1, Bytes{}}}), "90e0123455667788aabbccdd" "10000001" "0100" "0000");
  EXPECT_EQ(write({{1, seventeen}}).substr(24, 8), "10000005");
  EXPECT_EQ(write({{1, sixteen}}).substr(24, 8), "bede0005");
}

TEST(HeaderWriter, RefusesWhatNoFormCanCarry) {
  const std::vector<uint8_t> too_long(256);
  EXPECT_EQ(write({{0, from_hex("aa")}}), "");
  EXPECT_EQ(write({{1, too_long}}), "");
}

TEST(HeaderWriter, LeavesTheBufferAloneWhenTheHeaderDoesNotFit) {
  const auto data = from_hex("aabbcc");
  const std::vector<ExtensionElement> elements = {{1, data}};
  for (size_t size = 0; size < header_bytes(elements); ++size) {
    std::vector<uint8_t> out(size, 0xee);
    EXPECT_EQ(write_header(out, Fields, elements), 0u);
    EXPECT_TRUE(std::ranges::all_of(out, [](uint8_t b) { return b == 0xee; })) << size;
  }
}

TEST(HeaderWriter, IsReadBackByTheParserWhateverTheElements) {
  SeededRandom random(11);
  for (int round = 0; round < 5'000; ++round) {
    std::vector<std::vector<uint8_t>> data(random.below(6));
    std::vector<ExtensionElement> elements;
    const bool small = random.chance(0.5);
    for (auto& bytes : data) {
      bytes.resize(small ? 1 + random.below(16) : random.below(40));
      random.fill(bytes);
      elements.push_back({static_cast<uint8_t>(1 + random.below(small ? 14 : 255)), bytes});
    }
    const HeaderFields fields{.padding = random.chance(0.5),
                              .marker = random.chance(0.5),
                              .payload_type = static_cast<uint8_t>(random.below(128)),
                              .sequence = static_cast<uint16_t>(random.next()),
                              .timestamp = random.u32(),
                              .ssrc = random.u32()};
    std::vector<uint8_t> packet(header_bytes(elements));
    ASSERT_EQ(write_header(packet, fields, elements), packet.size());

    const auto header = parse_header(packet);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->header_bytes, packet.size());
    EXPECT_EQ(header->padding, fields.padding);
    EXPECT_EQ(header->marker, fields.marker);
    EXPECT_EQ(header->payload_type, fields.payload_type);
    EXPECT_EQ(header->sequence, fields.sequence);
    EXPECT_EQ(header->timestamp, fields.timestamp);
    EXPECT_EQ(header->ssrc, fields.ssrc);
    size_t i = 0;
    for_each_extension(packet, *header, [&](uint8_t id, Bytes read) {
      ASSERT_LT(i, elements.size());
      EXPECT_EQ(id, elements[i].id);
      EXPECT_TRUE(std::ranges::equal(read, data[i]));
      ++i;
    });
    EXPECT_EQ(i, elements.size());
  }
}

}  // namespace
}  // namespace viaduct::rtp
