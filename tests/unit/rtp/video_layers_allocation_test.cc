#include "protocol/rtp/video_layers_allocation.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"
#include "tests/support/exact_bytes.h"
#include "tests/support/hex.h"

namespace viaduct::rtp {
namespace {

using testing::ExactBytes;
using testing::from_hex;
using SpatialLayer = VideoLayersAllocation::SpatialLayer;

constexpr DataRate rate(int64_t kbps) { return DataRate::kbps(kbps); }

TEST(VideoLayersAllocation, ReadsSimulcastOfLikeEncodings) {
  // On encoding 1 of 2: one spatial layer each, of two temporal ones; 50 and 75, 300 and 500 kbit/s.
  const auto vla = parse_video_layers_allocation(from_hex("51 50 32 4b ac02 f403  013f 00b3 0f  027f 0167 1e"));
  ASSERT_TRUE(vla);
  EXPECT_EQ(vla->encoding, 1);
  EXPECT_EQ(vla->encodings, 2);
  ASSERT_EQ(vla->all().size(), 2u);
  EXPECT_EQ(vla->all()[0], (SpatialLayer{.encoding = 0, .spatial = 0, .temporal_layers = 2, .frame_rate = 15,
                                         .size = {320, 180}, .rates = {rate(50), rate(75)}}));
  EXPECT_EQ(vla->all()[1], (SpatialLayer{.encoding = 1, .spatial = 0, .temporal_layers = 2, .frame_rate = 30,
                                         .size = {640, 360}, .rates = {rate(300), rate(500)}}));
}

TEST(VideoLayersAllocation, ReadsSpatialLayersWithoutTheirSizes) {
  // One encoding, layers 0 and 2 of it, one temporal layer and three.
  const auto vla = parse_video_layers_allocation(from_hex("05 20 64 c801 ac02 9003"));
  ASSERT_TRUE(vla);
  ASSERT_EQ(vla->all().size(), 2u);
  EXPECT_EQ(vla->all()[0], (SpatialLayer{.spatial = 0, .temporal_layers = 1, .rates = {rate(100)}}));
  EXPECT_EQ(vla->all()[1],
            (SpatialLayer{.spatial = 2, .temporal_layers = 3, .rates = {rate(200), rate(300), rate(400)}}));
}

TEST(VideoLayersAllocation, ReadsEncodingsOfDifferentLayers) {
  struct Row {
    const char* bytes;
    std::vector<std::pair<int, int>> layers;  // encoding, spatial
    const char* what;
  };
  const Row rows[] = {
      {"10 13 00 0a 0b 0c", {{0, 0}, {1, 0}, {1, 1}}, "two encodings in one byte"},
      {"20 1010 00 0a 0b", {{0, 0}, {2, 0}}, "three in two, and the second of them is not sent"},
      {"30 1248 00 0a 0b 0c 0d", {{0, 0}, {1, 1}, {2, 2}, {3, 3}}, "four"},
      {"00 30 00 0a 0b", {{0, 0}, {0, 1}}, "one encoding, which needs no byte of its own but may have one"},
  };
  for (const Row& row : rows) {
    const auto vla = parse_video_layers_allocation(ExactBytes(from_hex(row.bytes)));
    ASSERT_TRUE(vla) << row.what;
    std::vector<std::pair<int, int>> found;
    for (const SpatialLayer& l : vla->all()) found.emplace_back(l.encoding, l.spatial);
    EXPECT_EQ(found, row.layers) << row.what;
  }
}

TEST(VideoLayersAllocation, SaysThatNothingIsSent) {
  const auto vla = parse_video_layers_allocation(from_hex("00"));
  ASSERT_TRUE(vla);
  EXPECT_TRUE(vla->all().empty());
}

TEST(VideoLayersAllocation, ReadsAsManyLayersAsThereCanBe) {
  std::string hex = "3f ffffffff";
  for (int i = 0; i < 64; ++i) hex += " 01";
  const auto vla = parse_video_layers_allocation(ExactBytes(from_hex(hex)));
  ASSERT_TRUE(vla);
  EXPECT_EQ(vla->all().size(), 16u);
  EXPECT_EQ(vla->all()[15], (SpatialLayer{.encoding = 3, .spatial = 3, .temporal_layers = 4,
                                          .rates = {rate(1), rate(1), rate(1), rate(1)}}));
}

TEST(VideoLayersAllocation, RejectsWhatIsCutShortOrTooLong) {
  const auto whole = from_hex("51 50 32 4b ac02 f403  013f 00b3 0f  027f 0167 1e");
  for (size_t size = 0; size < whole.size(); ++size) {
    const bool without_sizes = size == 8;
    EXPECT_EQ(parse_video_layers_allocation(ExactBytes(Bytes(whole).first(size))).has_value(), without_sizes) << size;
  }
  auto longer = whole;
  longer.push_back(0);
  EXPECT_FALSE(parse_video_layers_allocation(longer));
}

TEST(VideoLayersAllocation, RejectsRatesThatAreNone) {
  EXPECT_TRUE(parse_video_layers_allocation(from_hex("01 00 8094ebdc03"))) << "a terabit a second";
  EXPECT_FALSE(parse_video_layers_allocation(from_hex("01 00 8194ebdc03"))) << "a kilobit more";
  EXPECT_FALSE(parse_video_layers_allocation(from_hex("01 00 808080808001"))) << "does not end";
}

TEST(VideoLayersAllocation, SurvivesRandomBytes) {
  SeededRandom random(75);
  int parsed = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::vector<uint8_t> bytes(random.below(60));
    random.fill(bytes);
    const auto vla = parse_video_layers_allocation(ExactBytes(bytes));
    if (!vla) continue;
    ++parsed;
    for (const SpatialLayer& l : vla->all()) EXPECT_LT(l.encoding, vla->encodings);
  }
  EXPECT_GT(parsed, 100);
}

}  // namespace
}  // namespace viaduct::rtp
