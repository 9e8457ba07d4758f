#include "conference/projection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "base/random.h"

namespace viaduct::conference {
namespace {

using codec::CodecType;
using codec::PictureNumbers;
using Origin = Projection::Origin;

constexpr Timestamp Start{10s};
constexpr uint32_t VideoRate = 90'000;

Projection::In packet(int64_t sequence, uint32_t timestamp = 0) {
  return {.sequence = sequence, .timestamp = timestamp, .codec = CodecType::H264};
}
Projection::In vp8_packet(int64_t sequence, uint16_t picture_id, uint8_t tl0) {
  return {.sequence = sequence, .codec = CodecType::Vp8, .picture = PictureNumbers{picture_id, tl0}};
}

// A slot whose stream has begun with the source's packet `first`.
Projection started_at(int64_t first, uint16_t slot_sequence = 1000) {
  Projection slot(slot_sequence, 70'000);
  slot.start(packet(first), Start, VideoRate);
  return slot;
}

TEST(Projection, BeginsWithTheSlotsOwnNumbers) {
  Projection slot(1000, 70'000);
  slot.start(packet(500, 123), Start, VideoRate);
  const auto out = slot.project(packet(500, 123), Start);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->index, 1000u);
  EXPECT_EQ(out->timestamp, 70'001u);
  EXPECT_FALSE(out->picture);
}

TEST(Projection, KeepsTheDistancesOfAStream) {
  Projection slot = started_at(500);
  for (int64_t ahead : {0, 1, 2, 5}) {
    const auto out = slot.project(packet(500 + ahead, static_cast<uint32_t>(ahead * 3000)), Start);
    ASSERT_TRUE(out);
    EXPECT_EQ(out->index, static_cast<uint64_t>(1000 + ahead)) << "a lost packet leaves its hole";
    EXPECT_EQ(out->timestamp, static_cast<uint32_t>(70'001 + ahead * 3000));
  }
}

TEST(Projection, JoinsTheNextSourceOnToTheLast) {
  Projection slot = started_at(500);
  const auto last = slot.project(packet(500, 0), Start);
  slot.stop();
  slot.start(packet(9000, 4'000'000'000u), Start + 40ms, VideoRate);
  const auto next = slot.project(packet(9000, 4'000'000'000u), Start + 40ms);
  ASSERT_TRUE(last && next);
  EXPECT_EQ(next->index, last->index + 1);
  EXPECT_EQ(next->timestamp, last->timestamp + 3600) << "40 ms of a 90 kHz clock";
}

TEST(Projection, MovesTheTimestampOnEvenWhenNoTimePassesOverASwitch) {
  for (const Duration passed : {0ms, -5ms}) {
    Projection slot = started_at(500);
    const auto last = slot.project(packet(500), Start);
    slot.start(packet(9000, 77), Start + passed, VideoRate);
    const auto next = slot.project(packet(9000, 77), Start + passed);
    ASSERT_TRUE(last && next);
    EXPECT_EQ(next->timestamp, last->timestamp + 1);
  }
}

TEST(Projection, ContinuesOverManySwitchesWithoutAHole) {
  Projection slot(1000, 70'000);
  uint64_t expected = 1000;
  for (int64_t source = 1; source <= 20; ++source) {
    slot.start(packet(source * 10'000), Start, VideoRate);
    for (int64_t i = 0; i < 3; ++i) {
      const auto out = slot.project(packet(source * 10'000 + i), Start);
      ASSERT_TRUE(out);
      EXPECT_EQ(out->index, expected++);
    }
    slot.stop();
  }
}

TEST(Projection, ClosesTheGapThatTheBridgeMadeItself) {
  Projection slot = started_at(500);
  EXPECT_EQ(slot.project(packet(500), Start)->index, 1000u);
  slot.close_gap(504);  // 501 to 503 were withheld
  EXPECT_EQ(slot.project(packet(504), Start)->index, 1001u);
  slot.close_gap(505);  // nothing was withheld
  EXPECT_EQ(slot.project(packet(505), Start)->index, 1002u);
}

TEST(Projection, TakesALatePacketIntoItsOwnPlace) {
  Projection slot = started_at(500);
  slot.project(packet(500), Start);
  EXPECT_EQ(slot.project(packet(502), Start)->index, 1002u);
  EXPECT_EQ(slot.project(packet(501), Start)->index, 1001u);
  EXPECT_EQ(slot.project(packet(503), Start)->index, 1003u);
}

TEST(Projection, TakesALatePacketFromBeforeAGapIntoItsOwnPlace) {
  Projection slot = started_at(500);
  slot.project(packet(500), Start);
  slot.project(packet(502), Start);
  slot.close_gap(510);
  EXPECT_EQ(slot.project(packet(510), Start)->index, 1003u);
  EXPECT_EQ(slot.project(packet(501), Start)->index, 1001u);
}

TEST(Projection, RefusesAWithheldPacketWhoseNumberIsTaken) {
  Projection slot = started_at(500);
  slot.project(packet(500), Start);
  slot.close_gap(503);
  slot.project(packet(503), Start);
  EXPECT_FALSE(slot.project(packet(501), Start));
  EXPECT_FALSE(slot.project(packet(502), Start));
}

TEST(Projection, RefusesALatePacketFromBeforeTheStreamBegan) {
  Projection slot = started_at(500);
  slot.project(packet(500), Start);
  EXPECT_FALSE(slot.project(packet(499), Start));
  slot.stop();
  slot.start(packet(9000), Start, VideoRate);
  EXPECT_FALSE(slot.project(packet(8999), Start));
  EXPECT_FALSE(slot.project(packet(501), Start)) << "the source before the switch is over";
}

TEST(Projection, GivesNothingWhileItIsStopped) {
  Projection slot = started_at(500);
  slot.project(packet(500), Start);
  slot.stop();
  EXPECT_FALSE(slot.started());
  EXPECT_FALSE(slot.project(packet(501), Start));
  EXPECT_FALSE(slot.projected(packet(500)));
  EXPECT_FALSE(slot.origin_of(1000));
}

TEST(Projection, SendsAPacketOnce) {
  Projection slot = started_at(500);
  EXPECT_TRUE(slot.project(packet(500), Start));
  EXPECT_FALSE(slot.project(packet(500), Start));
}

// Whatever order packets come in, whatever is withheld, however often the source changes.
class AnyHistory : public ::testing::TestWithParam<uint64_t> {};

TEST_P(AnyHistory, GivesAnIndexOnceAndInverts) {
  SeededRandom random(GetParam());
  Projection slot(static_cast<uint16_t>(random.below(0x8000)), random.u32());
  std::set<uint64_t> given;
  int64_t next = 100'000;
  for (int step = 0; step < 20'000; ++step) {
    if (!slot.started() || random.chance(0.002)) {
      slot.stop();
      next = 100'000 + static_cast<int64_t>(random.below(1'000'000));
      slot.start(packet(next), Start, VideoRate);
    }
    if (random.chance(0.02)) slot.close_gap(next += static_cast<int64_t>(random.below(5)));
    const bool late = random.chance(0.2);
    const int64_t sequence = late ? next - static_cast<int64_t>(random.below(300)) : next++;
    if (random.chance(0.1)) {
      if (const auto fill = slot.skip(packet(sequence))) {
        EXPECT_TRUE(given.insert(*fill).second) << "index " << *fill << " was given twice";
      }
      continue;
    }
    const auto out = slot.project(packet(sequence), Start);
    if (!out) continue;
    EXPECT_TRUE(given.insert(out->index).second) << "index " << out->index << " was given twice";
    EXPECT_EQ(slot.origin_of(out->sequence()), (Origin{0, sequence}));
    EXPECT_EQ(slot.projected(packet(sequence))->index, out->index);
  }
  EXPECT_GT(given.size(), 14'000u);
}

INSTANTIATE_TEST_SUITE_P(Projection, AnyHistory, ::testing::Values(1, 2, 3, 4, 5));

TEST(Projection, CountsRolloversWhileTheSequenceNumberWraps) {
  Projection slot = started_at(500, 65'534);
  const uint16_t sequences[] = {65'534, 65'535, 0, 1};
  for (size_t i = 0; i < std::size(sequences); ++i) {
    const auto out = slot.project(packet(500 + static_cast<int64_t>(i)), Start);
    ASSERT_TRUE(out);
    EXPECT_EQ(out->sequence(), sequences[i]);
    EXPECT_EQ(out->index, 65'534 + i);
    EXPECT_EQ(slot.origin_of(sequences[i]), (Origin{0, 500 + static_cast<int64_t>(i)}));
  }
  EXPECT_EQ(slot.origin_of(65'535), (Origin{0, 501})) << "from before the wrap";
}

TEST(Projection, WrapsTheTimestamp) {
  Projection slot(1000, 0xffff'fff0u);
  slot.start(packet(1, 5), Start, VideoRate);
  EXPECT_EQ(slot.project(packet(1, 5), Start)->timestamp, 0xffff'fff1u);
  EXPECT_EQ(slot.project(packet(2, 5 + 3000), Start)->timestamp, 0xffff'fff1u + 3000u);
  EXPECT_EQ(slot.timestamp_of(5 + 3000), 0xffff'fff1u + 3000u);
}

TEST(Projection, CountsPictureIdsOnAcrossASwitch) {
  Projection slot(1000, 70'000);
  slot.start(vp8_packet(500, 300, 20), Start, VideoRate);
  const auto first = slot.project(vp8_packet(500, 300, 20), Start);
  const auto second = slot.project(vp8_packet(501, 301, 21), Start);
  slot.start(vp8_packet(9000, 5, 200), Start, VideoRate);
  const auto third = slot.project(vp8_packet(9000, 5, 200), Start);
  ASSERT_TRUE(first->picture && second->picture && third->picture);
  EXPECT_EQ(second->picture->picture_id, first->picture->picture_id + 1);
  EXPECT_EQ(third->picture->picture_id, second->picture->picture_id + 1);
  EXPECT_EQ(third->picture->tl0_picture_index, *second->picture->tl0_picture_index + 1);
}

TEST(Projection, WrapsPictureIdsAt15BitsAndTheirBaseLayerIndexAt8) {
  Projection slot(1000, 70'000);
  slot.start(vp8_packet(0, 0, 0), Start, VideoRate);
  std::vector<PictureNumbers> out;
  for (int64_t i = 0; i < 0x8002; ++i) {
    const auto picture_id = static_cast<uint16_t>(i & 0x7fff);
    out.push_back(*slot.project(vp8_packet(i, picture_id, static_cast<uint8_t>(i)), Start)->picture);
  }
  for (size_t i = 1; i < out.size(); ++i) {
    ASSERT_EQ(out[i].picture_id, (out[i - 1].picture_id + 1) & 0x7fff);
    ASSERT_EQ(out[i].tl0_picture_index, static_cast<uint8_t>(*out[i - 1].tl0_picture_index + 1));
  }
}

TEST(Projection, RemembersThePictureIdOverASourceWithoutOne) {
  Projection slot(1000, 70'000);
  slot.start(vp8_packet(500, 300, 20), Start, VideoRate);
  const auto before = slot.project(vp8_packet(500, 300, 20), Start);
  slot.start(packet(700), Start, VideoRate);
  EXPECT_FALSE(slot.project(packet(700), Start)->picture);
  slot.start(vp8_packet(900, 8000, 9), Start, VideoRate);
  EXPECT_EQ(slot.project(vp8_packet(900, 8000, 9), Start)->picture->picture_id,
            before->picture->picture_id + 1);
}

Projection::In frame_packet(int64_t sequence, uint16_t frame_number) {
  return {.sequence = sequence, .codec = CodecType::Av1, .frame_number = frame_number};
}

TEST(Projection, CountsFrameNumbersOnAcrossASwitchAndTheirWrap) {
  Projection slot(1000, 70'000);
  uint16_t last = 0;
  int64_t sequence = 500;
  for (const uint16_t first : std::vector<uint16_t>{65'534, 5, 40'000, 39'990}) {
    slot.start(frame_packet(sequence, first), Start, VideoRate);
    for (uint16_t i = 0; i < 4; ++i, ++sequence) {
      const auto number = static_cast<uint16_t>(first + i);
      const auto out = slot.project(frame_packet(sequence, number), Start);
      ASSERT_TRUE(out && out->frame_number);
      EXPECT_EQ(*out->frame_number, static_cast<uint16_t>(last + 1));
      EXPECT_EQ(slot.projected(frame_packet(sequence, number))->frame_number, out->frame_number);
      last = *out->frame_number;
    }
  }
}

TEST(Projection, CountsFrameNumbersOnOverASourceWithoutThemAndOneThatBeginsLate) {
  Projection slot(1000, 70'000);
  slot.start(frame_packet(500, 300), Start, VideoRate);
  const auto before = slot.project(frame_packet(500, 300), Start);
  slot.start(packet(700), Start, VideoRate);
  EXPECT_FALSE(slot.project(packet(700), Start)->frame_number);
  slot.start(packet(900), Start, VideoRate);
  slot.project(packet(900), Start);
  EXPECT_EQ(slot.project(frame_packet(901, 8000), Start)->frame_number, *before->frame_number + 1);
}

TEST(Projection, FindsTheSourcesNumberBehindItsOwnOverGaps) {
  Projection slot = started_at(500);
  slot.project(packet(500), Start);
  slot.project(packet(501), Start);
  slot.close_gap(510);
  slot.project(packet(510), Start);
  slot.close_gap(520);
  slot.project(packet(520), Start);
  EXPECT_EQ(slot.origin_of(1000), (Origin{0, 500}));
  EXPECT_EQ(slot.origin_of(1001), (Origin{0, 501}));
  EXPECT_EQ(slot.origin_of(1002), (Origin{0, 510}));
  EXPECT_EQ(slot.origin_of(1003), (Origin{0, 520}));
}

TEST(Projection, KnowsNoSourceBehindANumberItHasNotGiven) {
  Projection slot = started_at(500);
  slot.project(packet(500), Start);
  EXPECT_FALSE(slot.origin_of(999));
  EXPECT_FALSE(slot.origin_of(1001)) << "ahead of what was sent";
}

TEST(Projection, ForgetsNumbersFromBeforeAnotherSourceAndBeforeManyGaps) {
  Projection slot = started_at(500);
  for (int64_t gap = 0; gap < 129; ++gap) {
    slot.close_gap(500 + 10 * gap);
    slot.project(packet(500 + 10 * gap), Start);
  }
  EXPECT_FALSE(slot.origin_of(1000)) << "its segment has fallen out";
  EXPECT_EQ(slot.origin_of(1001), (Origin{0, 510}));
  EXPECT_EQ(slot.origin_of(1128), (Origin{0, 1780}));
  slot.stop();
  slot.start(packet(9000), Start, VideoRate);
  slot.project(packet(9000), Start);
  EXPECT_FALSE(slot.origin_of(1128)) << "the source that is carried now has no such packet";
  EXPECT_EQ(slot.origin_of(1129), (Origin{0, 9000}));
}

Projection::In of_encoding(uint8_t encoding, int64_t sequence, uint32_t timestamp = 0) {
  Projection::In in = packet(sequence, timestamp);
  in.encoding = encoding;
  return in;
}

TEST(Projection, KnowsThePacketsOfTheEncodingsBeforeASwitch) {
  Projection slot(1000, 70'000);
  slot.start(of_encoding(2, 500), Start, VideoRate);
  slot.project(of_encoding(2, 500), Start);
  slot.project(of_encoding(2, 502), Start);
  slot.start(of_encoding(0, 80), Start, VideoRate);
  slot.project(of_encoding(0, 80), Start);
  EXPECT_EQ(slot.origin_of(1001), (Origin{2, 501}));
  EXPECT_EQ(slot.origin_of(1003), (Origin{0, 80}));
  EXPECT_EQ(slot.projected(of_encoding(2, 501))->index, 1001u);
  EXPECT_EQ(slot.project(of_encoding(2, 501), Start)->index, 1001u) << "late, into its own place";
  EXPECT_FALSE(slot.projected(of_encoding(2, 503))) << "the encoding was left before it came";
  EXPECT_FALSE(slot.projected(of_encoding(0, 81))) << "it has not come";
  slot.start(of_encoding(2, 900), Start, VideoRate);
  slot.project(of_encoding(2, 900), Start);
  EXPECT_EQ(slot.origin_of(1002), (Origin{2, 502})) << "from the first time";
  EXPECT_EQ(slot.origin_of(1004), (Origin{2, 900}));
  EXPECT_EQ(slot.projected(of_encoding(2, 502))->index, 1002u);
}

TEST(Projection, ForgetsAnEncodingAfterFourSwitches) {
  Projection slot(1000, 70'000);
  for (int64_t i = 0; i < 5; ++i) {
    slot.start(of_encoding(static_cast<uint8_t>(i % 3), 100 * i), Start, VideoRate);
    slot.project(of_encoding(static_cast<uint8_t>(i % 3), 100 * i), Start);
  }
  EXPECT_FALSE(slot.origin_of(1000));
  EXPECT_EQ(slot.origin_of(1001), (Origin{1, 100}));
}

TEST(Projection, TakesTheTimestampOfAnEncodingFromItsFormerOneWhereTheRelationIsKnown) {
  struct Row {
    std::optional<uint32_t> in_former;
    uint32_t ahead;
    const char* what;
  };
  const Row rows[] = {
      {std::nullopt, 3600, "40 ms have passed"},
      {5'000u + 3000, 3000, "the next picture"},
      {5'000u, 1, "the same picture: its time must not be told twice"},
      {5'000u - 3000, 1, "an earlier one"},
      {5'000u + 90'000 * 3, 3600, "the clocks are seconds apart, so that one of them is wrong"},
  };
  for (const Row& row : rows) {
    Projection slot(1000, 0xffff'ff00u);
    slot.start(of_encoding(2, 500, 5'000), Start, VideoRate);
    const auto last = slot.project(of_encoding(2, 500, 5'000), Start);
    const auto first = of_encoding(0, 80, 777'777);
    slot.start(first, Start + 40ms, VideoRate, row.in_former);
    EXPECT_EQ(slot.project(first, Start + 40ms)->timestamp, last->timestamp + row.ahead) << row.what;
    EXPECT_EQ(slot.timestamp_of(777'777 + 50), last->timestamp + row.ahead + 50) << row.what;
  }
}

}  // namespace
}  // namespace viaduct::conference
