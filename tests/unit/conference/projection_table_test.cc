// What goes in and what comes out, packet by packet, for each codec: losses, reordering, skipped layers, switches and
// wraps.

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "conference/projection.h"

namespace viaduct::conference {
namespace {

using codec::CodecType;
using codec::PictureNumbers;

constexpr Timestamp Start{10s};
constexpr int None = -1;

enum class Do : uint8_t {
  Begin,    // the first packet of another encoding, forwarded
  Forward,  // one that is forwarded
  Skip,     // one that is not
};

// The packet's own numbers, then those that it is to leave with. Of packets that are skipped, `out` is the index that
// an empty packet is to fill. None: there is no such number, or nothing leaves.
struct Row {
  Do what;
  int64_t sequence;
  int picture;
  int tl0;
  int frame;
  int64_t out;
  int out_picture;
  int out_tl0;
  int out_frame;
  const char* why = "";
};

class Table {
 public:
  explicit Table(CodecType codec, uint16_t first = 1000) : codec_(codec), slot_(first, 0) {}

  void run(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      SCOPED_TRACE(testing::Message() << "packet " << row.sequence << ": " << row.why);
      step(row);
    }
  }

 private:
  void step(const Row& row) {
    if (row.what == Do::Begin) ++encoding_;
    const Projection::In in{.encoding = static_cast<uint8_t>(encoding_ % 3),
                            .sequence = row.sequence,
                            .codec = codec_,
                            .picture = picture(row.picture, row.tl0),
                            .frame_number = number<uint16_t>(row.frame)};
    if (row.what == Do::Begin) slot_.start(in, Start, 90'000);
    if (row.what == Do::Skip) {
      EXPECT_EQ(slot_.skip(in), number<uint64_t>(row.out));
      return;
    }
    const auto out = slot_.project(in, Start);
    ASSERT_EQ(out.has_value(), row.out != None);
    if (!out) return;
    EXPECT_EQ(out->index, static_cast<uint64_t>(row.out));
    EXPECT_EQ(out->picture, picture(row.out_picture, row.out_tl0));
    EXPECT_EQ(out->frame_number, number<uint16_t>(row.out_frame));
    const auto again = slot_.projected(in);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->index, out->index);
    EXPECT_EQ(again->picture, out->picture);
    EXPECT_EQ(again->frame_number, out->frame_number);
    EXPECT_EQ(slot_.origin_of(out->sequence()), (Projection::Origin{in.encoding, in.sequence}));
  }

  template <typename T>
  static std::optional<T> number(int64_t value) {
    return value == None ? std::nullopt : std::optional(static_cast<T>(value));
  }
  static std::optional<PictureNumbers> picture(int id, int tl0) {
    if (id == None) return std::nullopt;
    return PictureNumbers{static_cast<uint16_t>(id), number<uint8_t>(tl0)};
  }

  CodecType codec_;
  Projection slot_;
  int encoding_ = -1;
};

// Temporal layers 0 2 1 2 0 2 1 2, without the third.
TEST(ProjectionTable, Vp8WithoutItsThirdTemporalLayer) {
  Table(CodecType::Vp8).run({
      {Do::Begin, 100, 50, 7, None, 1000, 1, 1, None, "layer 0, first of two packets"},
      {Do::Forward, 101, 50, 7, None, 1001, 1, 1, None, "second of them"},
      {Do::Skip, 102, 51, 7, None, None, None, None, None, "layer 2"},
      {Do::Skip, 103, 51, 7, None, None, None, None, None, "layer 2, the same picture"},
      {Do::Forward, 104, 52, 7, None, 1002, 2, 1, None, "layer 1: no number is missing"},
      {Do::Skip, 105, 53, 7, None, None, None, None, None, "layer 2"},
      {Do::Forward, 106, 54, 8, None, 1003, 3, 2, None, "layer 0"},
      {Do::Skip, 107, 55, 8, None, None, None, None, None, "layer 2"},
      {Do::Forward, 108, 56, 8, None, 1004, 4, 2, None, "layer 1"},
      {Do::Forward, 109, 57, 8, None, 1005, 5, 2, None, "layer 2, which is wanted from now on"},
      {Do::Forward, 110, 58, 9, None, 1006, 6, 3, None, "layer 0"},
  });
}

TEST(ProjectionTable, Vp8WithLossAndReorderingAmongSkippedPictures) {
  Table(CodecType::Vp8).run({
      {Do::Begin, 100, 50, 7, None, 1000, 1, 1, None, ""},
      {Do::Forward, 102, 51, 7, None, 1002, 2, 1, None, "101 is missing"},
      {Do::Skip, 103, 52, 7, None, None, None, None, None, ""},
      {Do::Forward, 105, 54, 8, None, 1004, 4, 2, None, "picture 53 is missing, and may have been wanted"},
      {Do::Forward, 101, 50, 7, None, 1001, 1, 1, None, "late, into its own place"},
      {Do::Skip, 104, 53, 8, None, 1003, None, None, None, "late, and not wanted: the hole is to be filled"},
      {Do::Skip, 104, 53, 8, None, None, None, None, None, "filled already"},
      {Do::Forward, 104, 53, 8, None, None, None, None, None, "its index is taken"},
      {Do::Forward, 105, 54, 8, None, None, None, None, None, "doubled"},
      {Do::Skip, 103, 52, 7, None, None, None, None, None, "doubled, and was skipped"},
      {Do::Forward, 103, 52, 7, None, None, None, None, None, "was skipped: there is no place for it"},
      {Do::Skip, 108, 57, 8, None, None, None, None, None, "106 and 107 are missing"},
      {Do::Forward, 109, 58, 9, None, 1007, 7, 3, None, "their places are kept"},
      {Do::Forward, 107, 56, 8, None, 1006, 6, 2, None, "late"},
      {Do::Forward, 106, 55, 8, None, 1005, 5, 2, None, "later"},
  });
}

TEST(ProjectionTable, Vp8OverSwitchesOfEncodings) {
  Table(CodecType::Vp8).run({
      {Do::Begin, 100, 50, 7, None, 1000, 1, 1, None, "encoding 0"},
      {Do::Forward, 101, 51, 7, None, 1001, 2, 1, None, ""},
      {Do::Forward, 103, 53, 8, None, 1003, 4, 2, None, "102 is missing"},
      {Do::Begin, 7000, 20'000, 200, None, 1004, 5, 3, None, "encoding 1"},
      {Do::Skip, 7001, 20'001, 200, None, None, None, None, None, ""},
      {Do::Forward, 7002, 20'002, 201, None, 1005, 6, 4, None, ""},
      {Do::Forward, 7001, 20'001, 200, None, None, None, None, None, "was skipped"},
      {Do::Begin, 30, 4, 0, None, 1006, 7, 5, None, "encoding 2"},
      {Do::Forward, 29, 3, 255, None, None, None, None, None, "from before it was carried"},
      {Do::Forward, 31, 5, 0, None, 1007, 8, 5, None, ""},
  });
}

TEST(ProjectionTable, Vp8OverItsWraps) {
  Table(CodecType::Vp8, 0x7fff).run({
      {Do::Begin, 0xfffe, 0x7ffd, 254, None, 0x7fff, 1, 1, None, ""},
      {Do::Skip, 0xffff, 0x7ffe, 254, None, None, None, None, None, ""},
      {Do::Forward, 0x10000, 0x7fff, 255, None, 0x8000, 2, 2, None, "past the wrap of the sequence number"},
      {Do::Skip, 0x10001, 0, 255, None, None, None, None, None, "the wrap of the picture id"},
      {Do::Forward, 0x10002, 1, 0, None, 0x8001, 3, 3, None, "of TL0PICIDX"},
      {Do::Forward, 0x10003, 2, 0, None, 0x8002, 4, 3, None, ""},
  });
}

// Dependencies of VP9 are distances of picture ids: those of skipped pictures stay missing.
TEST(ProjectionTable, Vp9NonFlexibleWithoutUpperLayers) {
  Table(CodecType::Vp9).run({
      {Do::Begin, 100, 50, 7, None, 1000, 1, 1, None, "spatial layer 0 of a key picture"},
      {Do::Skip, 101, 50, 7, None, None, None, None, None, "spatial layer 1"},
      {Do::Skip, 102, 51, 7, None, None, None, None, None, "temporal layer 2"},
      {Do::Skip, 103, 51, 7, None, None, None, None, None, "and its spatial layer 1"},
      {Do::Forward, 104, 52, 7, None, 1001, 3, 1, None, "temporal layer 1"},
      {Do::Forward, 106, 54, 8, None, 1003, 5, 2, None, "105 is missing"},
      {Do::Skip, 105, 52, 7, None, 1002, None, None, None, "it was of spatial layer 1"},
      {Do::Begin, 9000, 32'000, 99, None, 1004, 6, 3, None, "another encoding"},
      {Do::Forward, 9001, 32'001, 99, None, 1005, 7, 3, None, ""},
  });
}

TEST(ProjectionTable, Vp9FlexibleHasNoBaseLayerIndex) {
  Table(CodecType::Vp9).run({
      {Do::Begin, 100, 0x7ffe, None, None, 1000, 1, None, None, ""},
      {Do::Skip, 101, 0x7ffe, None, None, None, None, None, None, "spatial layer 1"},
      {Do::Forward, 102, 0x7fff, None, None, 1001, 2, None, None, ""},
      {Do::Skip, 103, 0x7fff, None, None, None, None, None, None, ""},
      {Do::Forward, 104, 0, None, None, 1002, 3, None, None, "over the wrap"},
      {Do::Skip, 105, 0, None, None, None, None, None, None, ""},
      {Do::Forward, 106, 1, None, None, 1003, 4, None, None, ""},
  });
}

TEST(ProjectionTable, Av1ByFrameNumbers) {
  Table(CodecType::Av1).run({
      {Do::Begin, 100, None, None, 65'533, 1000, None, None, 1, "spatial layers 0 to 2 of a key picture"},
      {Do::Forward, 101, None, None, 65'534, 1001, None, None, 2, ""},
      {Do::Skip, 102, None, None, 65'535, None, None, None, None, "layer 2 is not wanted"},
      {Do::Forward, 103, None, None, 0, 1002, None, None, 4, "distances stay, over the wrap"},
      {Do::Forward, 105, None, None, 3, 1004, None, None, 7, "104 is missing: the last one of layer 1"},
      {Do::Forward, 104, None, None, 1, 1003, None, None, 5, "late"},
      {Do::Begin, 9000, None, None, 17, 1005, None, None, 8, "another encoding goes on"},
      {Do::Forward, 9001, None, None, 18, 1006, None, None, 9, ""},
  });
}

TEST(ProjectionTable, H264Simulcast) {
  Table(CodecType::H264).run({
      {Do::Begin, 100, None, None, None, 1000, None, None, None, "encoding 0"},
      {Do::Forward, 102, None, None, None, 1002, None, None, None, ""},
      {Do::Begin, 500, None, None, None, 1003, None, None, None, "encoding 1"},
      {Do::Skip, 501, None, None, None, None, None, None, None, "padding"},
      {Do::Skip, 502, None, None, None, None, None, None, None, "padding"},
      {Do::Forward, 503, None, None, None, 1004, None, None, None, ""},
      {Do::Forward, 502, None, None, None, None, None, None, None, "was skipped"},
      {Do::Skip, 600, None, None, None, None, None, None, None, "after a burst of losses"},
      {Do::Forward, 601, None, None, None, 1101, None, None, None, "whose holes stay"},
  });
}

TEST(ProjectionTable, FillsAHoleOfTheEncodingBeforeASwitch) {
  Projection slot(1000, 0);
  const auto packet = [](uint8_t encoding, int64_t sequence) {
    return Projection::In{.encoding = encoding, .sequence = sequence, .codec = CodecType::H264};
  };
  slot.start(packet(2, 100), Start, 90'000);
  slot.project(packet(2, 100), Start);
  slot.project(packet(2, 102), Start);
  slot.start(packet(1, 800), Start, 90'000);
  slot.project(packet(1, 800), Start);
  EXPECT_EQ(slot.skip(packet(2, 101)), 1001u);
  EXPECT_FALSE(slot.skip(packet(2, 103))) << "it never had a place";
  EXPECT_FALSE(slot.skip(packet(0, 50))) << "an encoding that was not carried";
  EXPECT_EQ(slot.project(packet(1, 801), Start)->index, 1004u);
}

// 60 pictures a second, of which every other one is skipped.
TEST(ProjectionTable, RemembersASecondOfSkippedPictures) {
  Projection slot(1000, 0);
  const auto packet = [](int64_t sequence) {
    return Projection::In{.sequence = sequence, .codec = CodecType::Vp8,
                          .picture = PictureNumbers{static_cast<uint16_t>(sequence & 0x7fff), uint8_t{0}}};
  };
  slot.start(packet(0), Start, 90'000);
  for (int64_t i = 0; i < 1000; ++i) {
    if (i % 2 == 1) {
      EXPECT_FALSE(slot.skip(packet(i)));
      continue;
    }
    const auto out = slot.project(packet(i), Start);
    ASSERT_TRUE(out);
    EXPECT_EQ(out->index, static_cast<uint64_t>(1000 + i / 2));
    EXPECT_EQ(out->picture->picture_id, 1 + i / 2);
    if (i < 60) continue;
    EXPECT_EQ(slot.origin_of(static_cast<uint16_t>(out->index - 30)), (Projection::Origin{0, i - 60}));
    EXPECT_EQ(slot.projected(packet(i - 60))->picture->picture_id, 1 + (i - 60) / 2);
  }
}

}  // namespace
}  // namespace viaduct::conference
