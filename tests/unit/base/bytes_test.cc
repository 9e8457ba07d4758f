#include "base/bytes.h"

#include <gtest/gtest.h>

#include <vector>

namespace viaduct {
namespace {

TEST(Bytes, LoadsWhatItStoresInNetworkOrder) {
  uint8_t b[8];
  store_be64(b, 0x0123456789abcdef);
  EXPECT_EQ(b[0], 0x01);
  EXPECT_EQ(b[7], 0xef);
  EXPECT_EQ(load_be64(b), 0x0123456789abcdefu);
  EXPECT_EQ(load_be32(b + 4), 0x89abcdefu);
  EXPECT_EQ(load_be24(b + 5), 0xabcdefu);
  EXPECT_EQ(load_be16(b + 6), 0xcdefu);
}

TEST(ByteReader, ReadsInOrderToTheLastByte) {
  const uint8_t b[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21};
  ByteReader r(b);
  EXPECT_EQ(r.u8(), 1);
  EXPECT_EQ(r.be16(), 0x0203);
  EXPECT_EQ(r.be24(), 0x040506u);
  EXPECT_EQ(r.be32(), 0x0708090au);
  EXPECT_EQ(r.be64(), 0x0b0c0d0e0f101112u);
  r.skip(1);
  const Bytes last = r.bytes(2);
  EXPECT_EQ(last[0], 20);
  EXPECT_EQ(last[1], 21);
  EXPECT_EQ(r.remaining(), 0u);
  EXPECT_TRUE(r.ok());
}

TEST(ByteReader, GivesZeroAndStaysNotOkOnceItWouldPassTheEnd) {
  const std::vector<uint8_t> b = {1, 2, 3};  // on the heap: a read past it is seen by AddressSanitizer
  ByteReader r(b);
  EXPECT_EQ(r.be32(), 0u);
  EXPECT_FALSE(r.ok());
  EXPECT_EQ(r.remaining(), 3u);  // stays where it is
  EXPECT_EQ(r.u8(), 0);          // even though a byte is there
  EXPECT_TRUE(r.bytes(1).empty());
  EXPECT_FALSE(r.ok());
}

TEST(ByteReader, RefusesEachWidthOneByteShort) {
  const std::vector<uint8_t> b(7, 0xff);
  EXPECT_EQ(ByteReader(Bytes(b).first(0)).u8(), 0);
  EXPECT_EQ(ByteReader(Bytes(b).first(1)).be16(), 0);
  EXPECT_EQ(ByteReader(Bytes(b).first(2)).be24(), 0u);
  EXPECT_EQ(ByteReader(Bytes(b).first(3)).be32(), 0u);
  EXPECT_EQ(ByteReader(Bytes(b).first(7)).be64(), 0u);
  ByteReader skipping(b);
  skipping.skip(8);
  EXPECT_FALSE(skipping.ok());
  ByteReader enormous(b);
  EXPECT_TRUE(enormous.bytes(SIZE_MAX).empty());
  EXPECT_FALSE(enormous.ok());
}

TEST(ByteReader, ReadsNothingFromNothing) {
  ByteReader r({});
  EXPECT_TRUE(r.bytes(0).empty());
  EXPECT_TRUE(r.ok());
}

TEST(ByteWriter, WritesInOrderAndCounts) {
  uint8_t out[21];
  ByteWriter w(out);
  w.u8(1);
  w.be16(0x0203);
  w.be24(0x040506);
  w.be32(0x0708090a);
  w.be64(0x0b0c0d0e0f101112);
  w.zeros(1);
  const uint8_t tail[] = {20, 21};
  w.bytes(tail);
  EXPECT_TRUE(w.ok());
  EXPECT_EQ(w.size(), 21u);
  for (uint8_t i = 0; i < 18; ++i) EXPECT_EQ(out[i], i + 1);
  EXPECT_EQ(out[18], 0);
  EXPECT_EQ(out[20], 21);
  EXPECT_EQ(w.written().size(), 21u);
}

TEST(ByteWriter, WritesNothingMoreOnceItWouldPassTheEnd) {
  std::vector<uint8_t> out(3, 0xee);
  ByteWriter w(out);
  w.u8(1);
  w.be32(2);
  EXPECT_FALSE(w.ok());
  w.u8(3);
  EXPECT_EQ(w.size(), 1u);
  EXPECT_EQ(out, (std::vector<uint8_t>{1, 0xee, 0xee}));
}

TEST(ByteWriter, RefusesALengthThatWouldWrapAround) {
  std::vector<uint8_t> out(4);
  ByteWriter w(out);
  w.u8(1);
  volatile size_t enormous = SIZE_MAX;  // volatile, or the compiler warns of what is tested here
  w.zeros(enormous);
  EXPECT_FALSE(w.ok());
  EXPECT_EQ(w.size(), 1u);
}

}  // namespace
}  // namespace viaduct
