#include "protocol/rtcp/congestion_feedback.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/exact_bytes.h"
#include "tests/support/hex.h"

namespace viaduct::rtcp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::ExactBytes;
using testing::from_hex;

// Views point into the bytes they were read from: these live as long as the program.
Bytes keep(Bytes bytes) {
  static std::deque<ExactBytes> kept;
  return kept.emplace_back(bytes);
}

std::optional<CongestionFeedback> parse(const std::vector<uint8_t>& bytes) {
  CompoundReader reader(keep(bytes));
  Packet packet;
  return reader.next(packet) && reader.at_end() ? parse_congestion_feedback(packet) : std::nullopt;
}

// "ssrc/sequence", and "@microseconds before the report", "arrived" or "lost", and "ecn" where there is some.
std::vector<std::string> reports_of(const CongestionFeedback& feedback) {
  std::vector<std::string> out;
  feedback.for_each([&](const PacketReport& r) {
    std::string text = std::to_string(r.ssrc) + "/" + std::to_string(r.sequence);
    text += r.arrival ? "@" + std::to_string(to_us(*r.arrival)) : r.received ? " arrived" : " lost";
    if (r.ecn != 0) text += " ecn " + std::to_string(r.ecn);
    out.push_back(text);
  });
  return out;
}

TEST(CongestionFeedbackParse, ReadsTheStreamsInOrder) {
  const auto feedback = parse(from_hex("8b cd 0009 11111111"
                                       "00000001 0010 0002 8400 8200"
                                       "00000002 ffff 0003 0000 a001 ffff 0000"
                                       "12345678"));
  ASSERT_TRUE(feedback);
  EXPECT_EQ(feedback->sender, 0x11111111u);
  EXPECT_EQ(feedback->timestamp, 0x12345678u);
  EXPECT_THAT(reports_of(*feedback), ElementsAre("1/16@1000000", "1/17@500000", "2/65535 lost", "2/0@976 ecn 1",
                                                 "2/1 arrived ecn 3"));
}

TEST(CongestionFeedbackParse, TakesNoTimeFromTheOffsetsThatAreNone) {
  const auto feedback = parse(from_hex("8b cd 0005 11111111 00000001 0000 0002 9ffe 9ffd 00000000"));
  ASSERT_TRUE(feedback);
  EXPECT_THAT(reports_of(*feedback), ElementsAre("1/0 arrived", "1/1@7997070"));
}

TEST(CongestionFeedbackParse, IgnoresTheTimeOfAPacketThatHasNotArrived) {
  const auto feedback = parse(from_hex("8b cd 0005 11111111 00000001 0000 0001 7fff 0000 00000000"));
  ASSERT_TRUE(feedback);
  EXPECT_THAT(reports_of(*feedback), ElementsAre("1/0 lost"));
}

TEST(CongestionFeedbackParse, ReadsAReportWithoutStreamsAndAStreamWithoutPackets) {
  const auto none = parse(from_hex("8b cd 0002 11111111 00000007"));
  ASSERT_TRUE(none);
  EXPECT_THAT(reports_of(*none), IsEmpty());
  const auto empty = parse(from_hex("8b cd 0004 11111111 00000001 0010 0000 00000007"));
  ASSERT_TRUE(empty);
  EXPECT_THAT(reports_of(*empty), IsEmpty());
}

TEST(CongestionFeedbackParse, RefusesBlocksThatDoNotFillTheReport) {
  EXPECT_FALSE(parse(from_hex("8b cd 0001 11111111"))) << "no report timestamp";
  EXPECT_FALSE(parse(from_hex("8b cd 0003 11111111 00000001 00000007"))) << "half a block";
  EXPECT_FALSE(parse(from_hex("8b cd 0005 11111111 00000001 0000 0003 8000 8000 00000007"))) << "a packet too many";
  EXPECT_FALSE(parse(from_hex("8b cd 0005 11111111 00000001 0000 ffff 8000 8000 00000007"))) << "far too many";
  EXPECT_FALSE(parse(from_hex("8b cd 0005 11111111 00000001 0000 0000 8000 8000 00000007"))) << "bytes left over";
}

TEST(CongestionFeedbackParse, IsOneKindOfTransportLayerFeedbackAmongOthers) {
  CompoundReader reader(keep(from_hex("8b cd 0002 11111111 00000007 8c cd 0002 11111111 00000007")));
  Packet packet;
  ASSERT_TRUE(reader.next(packet));
  EXPECT_EQ(packet.kind, Kind::CongestionFeedback);
  ASSERT_TRUE(reader.next(packet));
  EXPECT_EQ(packet.kind, Kind::Unknown);
  EXPECT_FALSE(parse_congestion_feedback(packet));
}

}  // namespace
}  // namespace viaduct::rtcp
