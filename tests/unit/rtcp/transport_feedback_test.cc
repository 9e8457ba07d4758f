#include "protocol/rtcp/transport_feedback.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/support/exact_bytes.h"
#include "tests/support/hex.h"

namespace viaduct::rtcp {
namespace {

using ::testing::ElementsAre;
using testing::ExactBytes;
using testing::from_hex;
using testing::to_hex;

// Views point into the bytes they were read from: these live as long as the program.
Bytes keep(Bytes bytes) {
  static std::deque<ExactBytes> kept;
  return kept.emplace_back(bytes);
}

std::optional<TransportFeedback> parse(Bytes bytes) {
  CompoundReader reader(keep(bytes));
  Packet packet;
  return reader.next(packet) && reader.at_end() ? parse_transport_feedback(packet) : std::nullopt;
}

// "sequence@milliseconds", or "sequence lost".
std::vector<std::string> statuses_of(const TransportFeedback& feedback) {
  std::vector<std::string> out;
  feedback.for_each([&](const PacketStatus& s) {
    out.push_back(std::to_string(s.sequence) +
                  (s.arrival ? "@" + std::to_string(to_us(*s.arrival)) + "us" : std::string(" lost")));
  });
  return out;
}

struct Message {
  std::string hex;
  TransportFeedback feedback;
  std::vector<std::string> statuses;
};

// The next message of a builder, read back.
Message write(TransportFeedbackBuilder& builder, size_t room = 1200, Timestamp now = Timestamp{1s}) {
  std::vector<uint8_t> out(room, 0xee);
  out.resize(builder.write(out, 0x11111111, 0x22222222, now));
  const auto feedback = parse(out);
  EXPECT_TRUE(feedback) << to_hex(out);
  EXPECT_EQ(out.size() % 4, 0u);
  if (!feedback) return {};
  return {to_hex(out), *feedback, statuses_of(*feedback)};
}

TEST(TransportFeedbackParse, ReadsARunOfSmallDeltas) {
  // Base 65535, 3 packets, reference 2 x 64 ms, feedback 5; a run of 3 small deltas: 0, 4 and 8 ticks.
  const auto feedback = parse(from_hex("af cd 0006 11111111 22222222 ffff 0003 000002 05 2003 00 04 08 000003"));
  ASSERT_TRUE(feedback);
  EXPECT_EQ(feedback->sender, 0x11111111u);
  EXPECT_EQ(feedback->media, 0x22222222u);
  EXPECT_EQ(feedback->feedback_count, 5);
  EXPECT_THAT(statuses_of(*feedback), ElementsAre("65535@128000us", "0@129000us", "1@131000us"));
}

TEST(TransportFeedbackParse, ReadsVectorsAndNegativeDeltas) {
  // Two-bit vector: small, none, large, none ... ; large delta -2 ticks.
  const auto two_bit = parse(from_hex("8f cd 0006 00000001 00000002 0010 0003 000000 00 d200 04 fffe 000000"));
  ASSERT_TRUE(two_bit);
  EXPECT_THAT(statuses_of(*two_bit), ElementsAre("16@1000us", "17 lost", "18@500us"));
  // One-bit vector: 1 0 1 of 14.
  const auto one_bit = parse(from_hex("8f cd 0005 00000001 00000002 0010 0003 000000 00 a800 01 01"));
  ASSERT_TRUE(one_bit);
  EXPECT_THAT(statuses_of(*one_bit), ElementsAre("16@250us", "17 lost", "18@500us"));
  // The reference time is signed.
  const auto negative = parse(from_hex("af cd 0005 00000001 00000002 0010 0001 ffffff 00 2001 00 01"));
  ASSERT_TRUE(negative);
  EXPECT_THAT(statuses_of(*negative), ElementsAre("16@-64000us"));
}

TEST(TransportFeedbackParse, RejectsWhatEndsTooEarlyOrIsReserved) {
  const char* malformed[] = {
      "8f cd 0003 00000001 00000002 00100001",                      // no room for the fixed part
      "8f cd 0004 00000001 00000002 0010 0001 000000 00",           // no chunk
      "8f cd 0005 00000001 00000002 0010 0002 000000 00 2001 0000", // statuses missing
      "8f cd 0005 00000001 00000002 0010 0003 000000 00 2003 0000", // deltas missing
      "8f cd 0005 00000001 00000002 0010 0001 000000 00 6001 0000", // reserved symbol in a run
      "8f cd 0005 00000001 00000002 0010 0001 000000 00 f000 0000", // and in a vector
      "8f cd 0005 00000001 00000002 0010 0001 000000 00 0000 0000", // empty runs only
  };
  for (const char* hex : malformed) EXPECT_FALSE(parse(from_hex(hex))) << hex;
}

TEST(TransportFeedbackParse, IsBoundedByTheStatusCount) {
  // 65,535 packets, none arrived: eight runs of 8191 and one of 7.
  std::string hex = "8f cd 0009 00000001 00000002 0000 ffff 000000 00";
  for (int i = 0; i < 8; ++i) hex += "1fff";
  hex += "0007 0000";
  const auto feedback = parse(from_hex(hex));
  ASSERT_TRUE(feedback);
  size_t lost = 0;
  feedback->for_each([&](const PacketStatus& s) { lost += !s.arrival; });
  EXPECT_EQ(lost, 65'535u);
}

TEST(TransportFeedbackParse, SurvivesRandomMessages) {
  SeededRandom random(51);
  int parsed = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::vector<uint8_t> bytes(20 + 4 * random.below(10));
    random.fill(bytes);
    const auto start = from_hex("8fcd");
    std::ranges::copy(start, bytes.begin());
    store_be16(&bytes[2], static_cast<uint16_t>(bytes.size() / 4 - 1));
    store_be16(&bytes[14], static_cast<uint16_t>(random.below(60)));
    if (const auto feedback = parse(bytes)) {
      EXPECT_EQ(statuses_of(*feedback).size(), feedback->status_count);
      ++parsed;
    }
  }
  EXPECT_GT(parsed, 100);
}

TEST(TransportFeedbackBuilder, WritesWhatTheDraftSays) {
  TransportFeedbackBuilder builder;
  builder.on_packet(65'535, Timestamp{128ms});
  builder.on_packet(0, Timestamp{129ms});
  builder.on_packet(1, Timestamp{131ms});
  EXPECT_EQ(write(builder).hex, "afcd0006" "11111111" "22222222" "ffff0003" "00000200" "2003" "000408" "000003");
  EXPECT_FALSE(builder.has_pending());
}

TEST(TransportFeedbackBuilder, HasNothingToWriteBeforeAnythingArrives) {
  TransportFeedbackBuilder builder;
  std::vector<uint8_t> out(1200);
  EXPECT_EQ(builder.write(out, 1, 2, Timestamp{}), 0u);
  EXPECT_FALSE(builder.has_pending());
  EXPECT_EQ(builder.next_deadline(), Never);
  EXPECT_FALSE(builder.due(Timestamp{1h}));
}

TEST(TransportFeedbackBuilder, IsDueAtOnceAndThenEveryInterval) {
  TransportFeedbackBuilder builder;
  builder.on_packet(1, Timestamp{1s});
  EXPECT_TRUE(builder.due(Timestamp{1s}));
  write(builder, 1200, Timestamp{1s});
  builder.on_packet(2, Timestamp{1010ms});
  EXPECT_FALSE(builder.due(Timestamp{1099ms}));
  EXPECT_EQ(builder.next_deadline(), Timestamp{1s + TransportFeedbackBuilder::Interval});
  EXPECT_TRUE(builder.due(Timestamp{1100ms}));
}

TEST(TransportFeedbackBuilder, ReportsGapsBetweenAndWithinMessages) {
  TransportFeedbackBuilder builder;
  builder.on_packet(10, Timestamp{64ms});
  builder.on_packet(12, Timestamp{65ms});
  EXPECT_THAT(write(builder).statuses, ElementsAre("10@64000us", "11 lost", "12@65000us"));
  builder.on_packet(15, Timestamp{70ms});
  EXPECT_THAT(write(builder).statuses, ElementsAre("13 lost", "14 lost", "15@70000us"));
}

TEST(TransportFeedbackBuilder, CountsItsMessages) {
  TransportFeedbackBuilder builder;
  for (int i = 0; i < 300; ++i) {
    builder.on_packet(static_cast<uint16_t>(i), Timestamp{i * 1ms});
    EXPECT_EQ(write(builder).feedback.feedback_count, i % 256);
  }
}

TEST(TransportFeedbackBuilder, ReportsReorderedArrivalsWithNegativeDeltas) {
  TransportFeedbackBuilder builder;
  builder.on_packet(1, Timestamp{64ms});
  builder.on_packet(3, Timestamp{65ms});
  builder.on_packet(2, Timestamp{66ms});
  EXPECT_THAT(write(builder).statuses, ElementsAre("1@64000us", "2@66000us", "3@65000us"));
}

TEST(TransportFeedbackBuilder, KeepsTheFirstArrivalOfARepeatedNumber) {
  TransportFeedbackBuilder builder;
  builder.on_packet(1, Timestamp{64ms});
  builder.on_packet(1, Timestamp{90ms});
  EXPECT_THAT(write(builder).statuses, ElementsAre("1@64000us"));
}

TEST(TransportFeedbackBuilder, ReportsALateArrivalAloneAndSaysNothingElseOfItsNeighbours) {
  TransportFeedbackBuilder builder;
  builder.on_packet(1, Timestamp{64ms});
  builder.on_packet(6, Timestamp{65ms});
  write(builder);
  builder.on_packet(7, Timestamp{70ms});
  builder.on_packet(2, Timestamp{71ms});
  builder.on_packet(3, Timestamp{72ms});
  builder.on_packet(5, Timestamp{73ms});
  EXPECT_THAT(write(builder).statuses, ElementsAre("2@71000us", "3@72000us"));
  EXPECT_THAT(write(builder).statuses, ElementsAre("5@73000us"));
  EXPECT_THAT(write(builder).statuses, ElementsAre("7@70000us"));
  EXPECT_FALSE(builder.has_pending());
}

TEST(TransportFeedbackBuilder, BeginsAMessageAnewAfterALongPause) {
  TransportFeedbackBuilder builder;
  builder.on_packet(1, Timestamp{64ms});
  builder.on_packet(2, Timestamp{64ms + 8191ms});
  builder.on_packet(3, Timestamp{64ms + 8191ms + 8192ms});
  EXPECT_THAT(write(builder).statuses, ElementsAre("1@64000us", "2@8255000us"));
  EXPECT_THAT(write(builder).statuses, ElementsAre("3@16447000us"));
}

TEST(TransportFeedbackBuilder, AHostileJumpCostsABoundedMessage) {
  TransportFeedbackBuilder builder;
  builder.on_packet(0, Timestamp{64ms});
  write(builder);
  builder.on_packet(TransportFeedbackBuilder::WindowPackets, Timestamp{65ms});
  const Message within = write(builder);
  EXPECT_EQ(within.statuses.size(), TransportFeedbackBuilder::WindowPackets);
  EXPECT_LE(within.hex.size() / 2, 32u);
  for (const int jump : {30'000, -30'000}) {
    const auto to = static_cast<uint16_t>(TransportFeedbackBuilder::WindowPackets + jump);
    builder.on_packet(to, Timestamp{66ms});
    EXPECT_THAT(write(builder).statuses, ElementsAre(std::to_string(to) + "@66000us")) << "begins anew";
    builder.on_packet(TransportFeedbackBuilder::WindowPackets, Timestamp{66ms});
    write(builder);
  }
}

TEST(TransportFeedbackBuilder, HoldsABoundedNumberOfArrivals) {
  TransportFeedbackBuilder builder;
  constexpr size_t Sent = TransportFeedbackBuilder::MaxPending + 100;
  for (size_t i = 0; i < Sent; ++i) builder.on_packet(static_cast<uint16_t>(i), Timestamp{64ms});
  size_t reported = 0;
  while (builder.has_pending()) reported += write(builder).statuses.size();
  EXPECT_EQ(reported, TransportFeedbackBuilder::MaxPending);
}

TEST(TransportFeedbackBuilder, RefusesABufferThatIsTooSmallAndLosesNothing) {
  TransportFeedbackBuilder builder;
  builder.on_packet(1, Timestamp{64ms});
  std::vector<uint8_t> out(TransportFeedbackBuilder::MinMessageBytes - 1);
  EXPECT_EQ(builder.write(out, 1, 2, Timestamp{}), 0u);
  EXPECT_THAT(write(builder, TransportFeedbackBuilder::MinMessageBytes).statuses, ElementsAre("1@64000us"));
}

// Whatever arrives in whatever order, into buffers of whatever size: each arrival is reported once, to within a tick,
// and every number between the first and the last is spoken of.
TEST(TransportFeedbackBuilder, ReportsEachArrivalOnceUnderLossAndReordering) {
  SeededRandom random(61);
  for (int round = 0; round < 40; ++round) {
    TransportFeedbackBuilder builder;
    std::map<uint16_t, Timestamp> arrived;
    std::map<uint16_t, int> reported;
    std::map<uint16_t, int> spoken_of;
    const double loss = 0.5 * static_cast<double>(round) / 40;
    auto next = static_cast<uint16_t>(65'000 + random.below(1000));
    const uint16_t first = next;
    std::vector<uint16_t> held;
    Timestamp now{10s};
    for (int i = 0; i < 2'000; ++i) {
      now += Duration(static_cast<int64_t>(random.below(random.chance(0.01) ? 9'000'000'000 : 20'000'000)));
      const auto arrive = [&](uint16_t s) {
        builder.on_packet(s, now);
        arrived[s] = now;
      };
      const bool fate_of_first = i == 0;
      if (fate_of_first || !random.chance(loss)) {
        if (!fate_of_first && random.chance(0.05)) held.push_back(next);
        else arrive(next);
      }
      ++next;
      if (!held.empty() && random.chance(0.1)) {
        arrive(held.back());
        held.pop_back();
      }
      if (i % 50 != 49) continue;
      while (builder.has_pending()) {
        std::vector<uint8_t> out(TransportFeedbackBuilder::MinMessageBytes + random.below(200), 0xee);
        const size_t size = builder.write(out, 1, 2, now);
        ASSERT_GT(size, 0u);
        const auto feedback = parse(Bytes(out).first(size));
        ASSERT_TRUE(feedback);
        feedback->for_each([&](const PacketStatus& s) {
          ++spoken_of[s.sequence];
          if (!s.arrival) return;
          ++reported[s.sequence];
          ASSERT_TRUE(arrived.contains(s.sequence));
          const Duration error = arrived[s.sequence].time_since_epoch() - *s.arrival;
          ASSERT_GE(error, 0ns);
          ASSERT_LT(error, FeedbackTick);
        });
      }
    }
    ASSERT_EQ(reported.size(), arrived.size());
    for (const auto& [s, times] : reported) ASSERT_EQ(times, 1) << s;
    const uint16_t last = arrived.rbegin()->first;
    ASSERT_TRUE(spoken_of.contains(first) && spoken_of.contains(last));
  }
}

}  // namespace
}  // namespace viaduct::rtcp
