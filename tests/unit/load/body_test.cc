// The bodies of packets: what is written is read, and no changed bit passes.
#include "tests/load/body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/codec/vp8.h"

namespace viaduct::load {
namespace {

constexpr Stamp AStamp{7, 123456, 20s};

std::vector<uint8_t> body(const BodyMaker& maker, const Stamp& stamp, size_t bytes) {
  std::vector<uint8_t> out(bytes);
  maker.write(out, stamp);
  return out;
}

TEST(Body, TellsWhoSentItWhichPacketItIsAndWhenItWasDue) {
  const BodyMaker maker(1);
  for (const size_t bytes :
       {BodyMaker::StampBytes, BodyMaker::StampBytes + 1, size_t{1164}, size_t{1500}})
    EXPECT_EQ(maker.read(body(maker, AStamp, bytes)), AStamp) << bytes << " bytes";
}

TEST(Body, IsTheSameForTheSameSeedAndDifferentForAnother) {
  EXPECT_EQ(body(BodyMaker(1), AStamp, 200), body(BodyMaker(1), AStamp, 200));
  EXPECT_NE(body(BodyMaker(1), AStamp, 200), body(BodyMaker(2), AStamp, 200));
  EXPECT_EQ(BodyMaker(2).read(body(BodyMaker(1), AStamp, 200)), std::nullopt);
}

TEST(Body, IsRefusedWhenAnyBitOfItHasChanged) {
  const BodyMaker maker(3);
  const std::vector<uint8_t> good = body(maker, AStamp, 100);
  for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::vector<uint8_t> bad = good;
    bad[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    EXPECT_EQ(maker.read(bad), std::nullopt) << "bit " << bit;
  }
}

TEST(Body, IsRefusedWhenItIsCutOrLengthened) {
  const BodyMaker maker(3);
  std::vector<uint8_t> all = body(maker, AStamp, 300);
  for (const size_t bytes : {size_t{0}, size_t{27}, size_t{28}, size_t{299}})
    EXPECT_EQ(maker.read(Bytes(all).first(bytes)), std::nullopt) << bytes << " bytes";
  all.push_back(0);
  EXPECT_EQ(maker.read(all), std::nullopt);
}

TEST(Body, TooShortForAStampIsNoiseAndBearsNone) {
  const BodyMaker maker(1);
  EXPECT_EQ(maker.read(body(maker, AStamp, BodyMaker::StampBytes - 1)), std::nullopt);
}

TEST(Body, HasThePrefixThatItsShapeAsksFor) {
  std::vector<uint8_t> key(prefix_bytes(BodyShape::Plain, codec::MediaKind::Video, true));
  write_prefix(key, BodyShape::Plain, codec::MediaKind::Video, true, 0, 4000);
  std::vector<uint8_t> payload = {0x10};  // RFC 7741: S
  payload.insert(payload.end(), key.begin(), key.end());
  const auto vp8 = codec::parse_vp8(payload);
  ASSERT_TRUE(vp8);
  EXPECT_TRUE(vp8->key_frame);
  EXPECT_EQ(vp8->width, 1280);

  std::vector<uint8_t> sealed(prefix_bytes(BodyShape::Sealed, codec::MediaKind::Audio, false));
  write_prefix(sealed, BodyShape::Sealed, codec::MediaKind::Audio, false, 5, 80);
  EXPECT_EQ(sealed[0] & 0xf8, 0x80 | 6 << 4 | 0x08);  // RFC 9605: KID in seven bytes, a long CTR
}

}  // namespace
}  // namespace viaduct::load
