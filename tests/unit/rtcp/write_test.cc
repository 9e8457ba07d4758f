#include "protocol/rtcp/write.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/support/hex.h"

namespace viaduct::rtcp {
namespace {

using ::testing::ElementsAreArray;
using testing::to_hex;

constexpr ReportBlock Block{.ssrc = 0x22222222,
                            .fraction_lost = 64,
                            .cumulative_lost = -2,
                            .extended_highest_sequence = 65'541,
                            .jitter = 30,
                            .last_sender_report = 0xc0ffee80,
                            .delay_since_last_sender_report = 65'536};
constexpr SenderInfo Sender{
    .ssrc = 0x11111111, .ntp = {0xe7c0ffee80000000}, .rtp_timestamp = 90'000, .packets = 10, .octets = 3000};

struct Written {
  std::array<uint8_t, 1500> out{};
  CompoundWriter writer{out};
  std::string hex() const { return to_hex(writer.written()); }
};

TEST(RtcpWriter, WritesTheLayoutsOfTheRfcs) {
  struct Row {
    std::function<bool(CompoundWriter&)> write;
    const char* expected;
  };
  const std::array<ReportBlock, 1> blocks{Block};
  const std::array<uint32_t, 2> ssrcs{1, 2};
  const std::array<uint16_t, 5> lost{65'534, 65'535, 0, 14, 16};
  const Row rows[] = {
      {[&](auto& w) { return w.sender_report(Sender, blocks); },
       "81c8000c11111111e7c0ffee8000000000015f900000000a00000bb8"
       "2222222240fffffe000100050000001ec0ffee8000010000"},
      {[&](auto& w) { return w.sender_report(Sender); }, "80c8000611111111e7c0ffee8000000000015f900000000a00000bb8"},
      {[&](auto& w) { return w.receiver_report(9); }, "80c9000100000009"},
      {[&](auto& w) { return w.sdes_cname(1, "abc"); }, "81ca000300000001" "0103616263" "000000"},
      {[&](auto& w) { return w.sdes_cname(1, "ab"); }, "81ca000300000001" "01026162" "00000000"},
      {[&](auto& w) { return w.sdes_cname(1, ""); }, "81ca000200000001" "0100" "0000"},
      {[&](auto& w) { return w.bye(ssrcs); }, "82cb00020000000100000002"},
      {[&](auto& w) { return w.pli(1, 2); }, "81ce00020000000100000002"},
      {[&](auto& w) { return w.fir(1, 2, 7); }, "84ce000400000001000000000000000207000000"},
      {[&](auto& w) { return w.nack(1, 2, lost); }, "81cd00040000000100000002" "fffe8003" "00100000"},
  };
  for (const Row& row : rows) {
    Written to;
    EXPECT_TRUE(row.write(to.writer));
    EXPECT_EQ(to.hex(), row.expected);
    EXPECT_TRUE(is_well_formed(to.writer.written()));
  }
}

TEST(RtcpWriter, AppendsPacketAfterPacket) {
  Written to;
  EXPECT_TRUE(to.writer.empty());
  EXPECT_TRUE(to.writer.receiver_report(9));
  EXPECT_TRUE(to.writer.sdes_cname(9, "name"));
  EXPECT_TRUE(to.writer.pli(9, 2));
  std::vector<Kind> kinds;
  EXPECT_TRUE(for_each_packet(to.writer.written(), [&](const Packet& p) {
    kinds.push_back(p.kind);
    EXPECT_TRUE(p.kind != Kind::Sdes || is_valid_sdes(p));
  }));
  EXPECT_THAT(kinds, ::testing::ElementsAre(Kind::ReceiverReport, Kind::Sdes, Kind::Pli));
}

TEST(RtcpWriter, IsReadBackByTheParser) {
  Written to;
  const std::array<ReportBlock, 2> blocks{Block, ReportBlock{.ssrc = 7, .cumulative_lost = 0x7fffff}};
  ASSERT_TRUE(to.writer.receiver_report(9, blocks));
  for_each_packet(to.writer.written(), [&](const Packet& packet) {
    const auto report = parse_receiver_report(packet);
    ASSERT_TRUE(report);
    ASSERT_EQ(report->blocks.size(), 2u);
    EXPECT_EQ(report->blocks[0], blocks[0]);
    EXPECT_EQ(report->blocks[1], blocks[1]);
  });
}

TEST(RtcpWriter, SaturatesTheCumulativeLoss) {
  for (const auto& [lost, expected] : {std::pair{0x800000, 0x7fffff}, std::pair{-0x800001, -0x800000}}) {
    Written to;
    const std::array<ReportBlock, 1> blocks{ReportBlock{.cumulative_lost = lost}};
    ASSERT_TRUE(to.writer.receiver_report(9, blocks));
    for_each_packet(to.writer.written(), [&, most = expected](const Packet& packet) {
      EXPECT_EQ(parse_receiver_report(packet)->blocks[0].cumulative_lost, most);
    });
  }
}

TEST(RtcpWriter, LeavesOutWhatDoesNotFitAndKeepsTheRest) {
  const std::array<ReportBlock, 1> blocks{Block};
  const std::array<uint32_t, 1> ssrcs{1};
  const std::array<uint16_t, 2> lost{1, 100};
  const std::function<bool(CompoundWriter&)> writes[] = {
      [&](auto& w) { return w.sender_report(Sender, blocks); },
      [&](auto& w) { return w.receiver_report(1, blocks); },
      [&](auto& w) { return w.sdes_cname(1, "abcdef"); },
      [&](auto& w) { return w.bye(ssrcs); },
      [&](auto& w) { return w.pli(1, 2); },
      [&](auto& w) { return w.fir(1, 2, 3); },
      [&](auto& w) { return w.nack(1, 2, lost); },
  };
  for (const auto& write : writes) {
    Written whole;
    ASSERT_TRUE(write(whole.writer));
    for (size_t room = 0; room < whole.writer.size(); ++room) {
      std::vector<uint8_t> out(8 + room);
      CompoundWriter writer(out);
      ASSERT_TRUE(writer.receiver_report(9));
      EXPECT_FALSE(write(writer)) << room;
      EXPECT_EQ(to_hex(writer.written()), "80c9000100000009");
    }
  }
}

TEST(RtcpWriter, RefusesMoreThanTheFieldsCanCount) {
  Written to;
  EXPECT_FALSE(to.writer.receiver_report(1, std::vector<ReportBlock>(MaxReportBlocks + 1)));
  EXPECT_FALSE(to.writer.sender_report(Sender, std::vector<ReportBlock>(MaxReportBlocks + 1)));
  EXPECT_FALSE(to.writer.bye(std::vector<uint32_t>(32)));
  EXPECT_FALSE(to.writer.sdes_cname(1, std::string(256, 'x')));
  EXPECT_FALSE(to.writer.nack(1, 2, {}));
  EXPECT_TRUE(to.writer.empty());
  EXPECT_TRUE(to.writer.receiver_report(1, std::vector<ReportBlock>(MaxReportBlocks)));
  EXPECT_TRUE(to.writer.sdes_cname(1, std::string(255, 'x')));
  EXPECT_TRUE(is_well_formed(to.writer.written()));
}

TEST(RtcpWriter, ANackNamesExactlyTheSequencesGiven) {
  SeededRandom random(41);
  for (int round = 0; round < 2'000; ++round) {
    std::vector<uint16_t> sequences;
    auto sequence = static_cast<uint16_t>(random.next());
    for (uint64_t n = 1 + random.below(60); n > 0; --n) {
      sequences.push_back(sequence);
      sequence = static_cast<uint16_t>(sequence + 1 + random.below(random.chance(0.8) ? 3 : 200));
    }
    Written to;
    ASSERT_TRUE(to.writer.nack(1, 2, sequences));
    std::vector<uint16_t> read;
    for_each_packet(to.writer.written(), [&](const Packet& packet) {
      parse_nack(packet)->for_each_lost([&](uint16_t s) { read.push_back(s); });
    });
    ASSERT_THAT(read, ElementsAreArray(sequences));
  }
}

}  // namespace
}  // namespace viaduct::rtcp
