#include "protocol/rtcp/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "protocol/rtcp/transport_feedback.h"
#include "tests/support/exact_bytes.h"
#include "tests/support/hex.h"

namespace viaduct::rtcp {
namespace {

using ::testing::ElementsAre;
using testing::ExactBytes;
using testing::from_hex;

// RFC 3550 section 6.4.1, with two report blocks; section 6.5, a CNAME; section 6.6, two SSRCs and a reason.
constexpr const char* SenderReportHex =
    "82 c8 0012 11111111 e7c0ffee 80000000 00015f90 0000000a 00000bb8"
    "22222222 40fffffe 00010005 0000001e c0ffee80 00010000"
    "33333333 ff000007 00000006 00000000 00000000 00000000";
constexpr const char* SdesHex = "81 ca 0003 11111111 01 04 61626364 00 00";
constexpr const char* ByeHex = "82 cb 0004 11111111 22222222 05 62796521 21 0000";

std::vector<uint8_t> join(std::initializer_list<const char*> parts) {
  std::string text;
  for (const char* part : parts) text += part;
  return from_hex(text);
}

// Views point into the bytes they were read from: these live as long as the program.
Bytes keep(Bytes bytes) {
  static std::deque<ExactBytes> kept;
  return kept.emplace_back(bytes);
}

Packet only(const std::vector<uint8_t>& bytes) {
  Packet found;
  int count = 0;
  EXPECT_TRUE(for_each_packet(keep(bytes), [&](const Packet& p) { found = p, ++count; }));
  EXPECT_EQ(count, 1);
  return found;
}

// Reads all there is to read of a packet, whatever its kind.
uint64_t read_everything(const Packet& packet) {
  uint64_t sum = is_valid_sdes(packet);
  const auto add_blocks = [&](const ReportBlocks& blocks) {
    for (size_t i = 0; i < blocks.size(); ++i) sum += blocks[i].ssrc;
  };
  const auto add_ssrcs = [&](const SsrcList& ssrcs) {
    for (size_t i = 0; i < ssrcs.size(); ++i) sum += ssrcs[i];
  };
  if (const auto p = parse_sender_report(packet)) add_blocks(p->blocks);
  if (const auto p = parse_receiver_report(packet)) add_blocks(p->blocks);
  if (const auto p = parse_bye(packet)) add_ssrcs(p->ssrcs);
  if (const auto p = parse_nack(packet)) p->for_each_lost([&](uint16_t s) { sum += s; });
  if (const auto p = parse_pli(packet)) sum += p->media;
  if (const auto p = parse_fir(packet)) p->for_each([&](uint32_t ssrc, uint8_t n) { sum += ssrc + n; });
  if (const auto p = parse_remb(packet)) add_ssrcs(p->ssrcs);
  if (const auto p = parse_transport_feedback(packet)) {
    p->for_each([&](const PacketStatus& s) { sum += s.sequence + (s.arrival ? 1u : 0u); });
  }
  return sum;
}

TEST(IsRtcp, GoesByThePacketType) {  // RFC 5761 section 4
  EXPECT_TRUE(is_rtcp(from_hex("80c8")));
  EXPECT_TRUE(is_rtcp(from_hex("80c0")));
  EXPECT_TRUE(is_rtcp(from_hex("80df")));
  EXPECT_FALSE(is_rtcp(from_hex("80bf")));
  EXPECT_FALSE(is_rtcp(from_hex("80e0"))) << "RTP payload type 96 with the marker";
  EXPECT_FALSE(is_rtcp(from_hex("8060")));
  EXPECT_FALSE(is_rtcp(from_hex("80")));
}

TEST(RtcpCompound, HandsOutEachPacketInOrder) {
  std::vector<Kind> kinds;
  const auto compound = join({SenderReportHex, SdesHex, ByeHex});
  EXPECT_TRUE(for_each_packet(compound, [&](const Packet& p) { kinds.push_back(p.kind); }));
  EXPECT_THAT(kinds, ElementsAre(Kind::SenderReport, Kind::Sdes, Kind::Bye));
}

TEST(RtcpCompound, MayBeginWithAnyType) {  // RFC 5506
  EXPECT_EQ(only(from_hex("81 ce 0002 00000001 00000002")).kind, Kind::Pli);
}

TEST(RtcpCompound, SkipsWhatItDoesNotKnow) {
  EXPECT_EQ(only(from_hex("81 cc 0002 00000001 41424344")).kind, Kind::Unknown) << "APP";
  EXPECT_EQ(only(from_hex("80 cf 0001 00000001")).kind, Kind::Unknown) << "extended reports";
  EXPECT_EQ(only(from_hex("83 cd 0002 00000001 00000002")).kind, Kind::Unknown) << "TMMBR";
  EXPECT_EQ(only(from_hex("8f ce 0003 00000001 00000000 41424344")).kind, Kind::Unknown) << "not REMB";
  EXPECT_EQ(only(from_hex("82 ce 0002 00000001 00000002")).kind, Kind::Unknown) << "SLI";
}

TEST(RtcpCompound, GivesNothingOfAMalformedOne) {
  const char* malformed[] = {
      "",
      "80",
      "80 c9 00",
      "80 c9 0001 000000",                                        // cut short
      "80 c9 0002 00000001",                                      // a word too long
      "40 c9 0001 00000001",                                      // version 1
      "80 60 0001 00000001",                                      // RTP
      "80 c9 ffff 00000001",
      "81 ce 0002 00000001 00000002 80",                          // a good packet, then a rest
      "81 ce 0002 00000001 00000002 80 c9 0001",
      "a0 c9 0000",                                               // padding without room
      "a0 c9 0001 00000000",                                      // padding of nothing
      "a0 c9 0001 00000005",                                      // padding longer than the body
  };
  for (const char* hex : malformed) {
    EXPECT_FALSE(for_each_packet(ExactBytes(from_hex(hex)), [](const Packet&) { FAIL(); })) << hex;
  }
}

TEST(RtcpCompound, TakesPaddingOff) {
  EXPECT_EQ(only(from_hex("a0 c9 0002 00000001 00000004")).body.size(), 4u);
  EXPECT_EQ(only(from_hex("a0 c9 0001 00000004")).body.size(), 0u);
  EXPECT_EQ(only(from_hex("af cd 0001 00000003")).body.size(), 1u) << "feedback is padded by the byte";
}

TEST(RtcpParse, ReadsASenderReport) {
  const auto report = parse_sender_report(only(join({SenderReportHex})));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->ssrc, 0x11111111u);
  EXPECT_EQ(report->ntp.value, 0xe7c0ffee80000000u);
  EXPECT_EQ(report->ntp.middle(), 0xffee8000u);
  EXPECT_EQ(report->rtp_timestamp, 90'000u);
  EXPECT_EQ(report->packets, 10u);
  EXPECT_EQ(report->octets, 3000u);
  ASSERT_EQ(report->blocks.size(), 2u);
  EXPECT_EQ(report->blocks[0], (ReportBlock{.ssrc = 0x22222222,
                                            .fraction_lost = 64,
                                            .cumulative_lost = -2,
                                            .extended_highest_sequence = 65'541,
                                            .jitter = 30,
                                            .last_sender_report = 0xc0ffee80,
                                            .delay_since_last_sender_report = 65'536}));
  EXPECT_EQ(report->blocks[1].cumulative_lost, 7);
}

TEST(RtcpParse, ReadsAReceiverReportWithAndWithoutBlocks) {
  const auto empty = parse_receiver_report(only(from_hex("80 c9 0001 00000009")));
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->ssrc, 9u);
  EXPECT_EQ(empty->blocks.size(), 0u);
  const auto one = parse_receiver_report(
      only(from_hex("81 c9 0008 00000009 00000007 00800000 00000000 00000000 00000000 00000000 deadbeef")));
  ASSERT_TRUE(one) << "a profile-specific extension may follow";
  ASSERT_EQ(one->blocks.size(), 1u);
  EXPECT_EQ(one->blocks[0].ssrc, 7u);
  EXPECT_EQ(one->blocks[0].cumulative_lost, -0x800000);
}

TEST(RtcpParse, ReadsAByeAndValidatesSdes) {
  const auto bye = parse_bye(only(join({ByeHex})));
  ASSERT_TRUE(bye);
  ASSERT_EQ(bye->ssrcs.size(), 2u);
  EXPECT_EQ(bye->ssrcs[1], 0x22222222u);

  EXPECT_TRUE(is_valid_sdes(only(join({SdesHex}))));
  EXPECT_TRUE(is_valid_sdes(only(from_hex("80 ca 0000"))));
  EXPECT_TRUE(is_valid_sdes(only(from_hex("82 ca 0004 00000001 00000000 00000002 00000000"))));
  EXPECT_FALSE(is_valid_sdes(only(from_hex("82 ca 0002 00000001 00000000")))) << "one chunk too few";
  EXPECT_FALSE(is_valid_sdes(only(from_hex("81 ca 0002 00000001 01ff6162")))) << "an item too long";
  EXPECT_FALSE(is_valid_sdes(only(from_hex("81 ca 0002 00000001 01026162")))) << "no end of the items";
}

TEST(RtcpParse, ReadsANack) {  // RFC 4585 section 6.2.1
  const auto nack = parse_nack(only(from_hex("81 cd 0004 00000001 00000002 fffe 8003 0010 0000")));
  ASSERT_TRUE(nack);
  EXPECT_EQ(nack->sender, 1u);
  EXPECT_EQ(nack->media, 2u);
  std::vector<uint16_t> lost;
  nack->for_each_lost([&](uint16_t s) { lost.push_back(s); });
  EXPECT_THAT(lost, ElementsAre(65'534, 65'535, 0, 14, 16));
}

TEST(RtcpParse, ReadsKeyFrameRequests) {
  const auto pli = parse_pli(only(from_hex("81 ce 0002 00000001 00000002")));
  ASSERT_TRUE(pli);
  EXPECT_EQ(pli->sender, 1u);
  EXPECT_EQ(pli->media, 2u);

  const auto fir = parse_fir(only(from_hex("84 ce 0006 00000001 00000000 00000002 07000000 00000003 ff000000")));
  ASSERT_TRUE(fir);
  EXPECT_EQ(fir->size(), 2u);
  std::vector<std::pair<uint32_t, uint8_t>> entries;
  fir->for_each([&](uint32_t ssrc, uint8_t n) { entries.emplace_back(ssrc, n); });
  EXPECT_THAT(entries, ElementsAre(std::pair{2u, 7}, std::pair{3u, 255}));
}

TEST(RtcpParse, ReadsRembAndSaturatesIt) {  // draft-alvestrand-rmcat-remb-03 section 2.2
  const auto remb = parse_remb(only(from_hex("8f ce 0005 00000001 00000000 52454d42 01 0bd090 00000002")));
  ASSERT_TRUE(remb);
  EXPECT_EQ(remb->bitrate.bits_per_second, int64_t{0x3d090} << 2) << "1 Mbit/s";
  ASSERT_EQ(remb->ssrcs.size(), 1u);
  EXPECT_EQ(remb->ssrcs[0], 2u);
  const auto most = parse_remb(only(from_hex("8f ce 0004 00000001 00000000 52454d42 00 ffffff")));
  ASSERT_TRUE(most);
  EXPECT_EQ(most->bitrate.bits_per_second, std::numeric_limits<int64_t>::max());
  const auto none = parse_remb(only(from_hex("8f ce 0004 00000001 00000000 52454d42 00 fc0000")));
  ASSERT_TRUE(none);
  EXPECT_EQ(none->bitrate.bits_per_second, 0);
}

TEST(RtcpParse, RejectsBodiesThatDoNotHoldWhatTheyAnnounce) {
  EXPECT_FALSE(parse_sender_report(only(from_hex("80 c8 0005 00000001 00000000 00000000 00000000 00000000"))));
  EXPECT_FALSE(parse_sender_report(
      only(from_hex("81 c8 0006 00000001 00000000 00000000 00000000 00000000 00000000"))));
  EXPECT_FALSE(parse_receiver_report(only(from_hex("81 c9 0001 00000009"))));
  EXPECT_FALSE(parse_receiver_report(only(from_hex("80 c9 0000"))));
  EXPECT_FALSE(parse_bye(only(from_hex("82 cb 0001 00000001"))));
  EXPECT_FALSE(parse_nack(only(from_hex("81 cd 0002 00000001 00000002")))) << "asks for nothing";
  EXPECT_FALSE(parse_pli(only(from_hex("81 ce 0001 00000001"))));
  EXPECT_FALSE(parse_fir(only(from_hex("84 ce 0002 00000001 00000000"))));
  EXPECT_FALSE(parse_fir(only(from_hex("84 ce 0005 00000001 00000000 00000002 07000000 00000003"))));
  EXPECT_FALSE(parse_remb(only(from_hex("8f ce 0003 00000001 00000000 52454d42"))));
  EXPECT_FALSE(parse_remb(only(from_hex("8f ce 0004 00000001 00000000 52454d42 01 0bd090"))));
}

TEST(RtcpParse, ReadsOnlyPacketsOfItsKind) {
  const Packet pli = only(from_hex("81 ce 0002 00000001 00000002"));
  EXPECT_FALSE(parse_receiver_report(pli) || parse_sender_report(pli) || parse_bye(pli) || parse_nack(pli));
  EXPECT_FALSE(parse_fir(pli) || parse_remb(pli) || is_valid_sdes(pli) || parse_transport_feedback(pli));
  EXPECT_FALSE(parse_pli(only(join({ByeHex}))));
}

TEST(RtcpParse, SurvivesTruncationAtEveryLength) {
  const auto whole = join({SenderReportHex, SdesHex, ByeHex});
  size_t good = 0;
  for (size_t size = 0; size <= whole.size(); ++size) {
    good += for_each_packet(ExactBytes(Bytes(whole).first(size)), [](const Packet& p) { read_everything(p); });
  }
  EXPECT_EQ(good, 3u) << "only where a packet ends";
}

TEST(RtcpParse, SurvivesBodiesOfEveryLengthAndRandomContent) {
  SeededRandom random(31);
  uint64_t sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::vector<uint8_t> bytes(4 * (1 + random.below(14)));
    random.fill(bytes);
    bytes[0] = static_cast<uint8_t>(0x80 | random.below(64));
    bytes[1] = static_cast<uint8_t>(200 + random.below(8));
    store_be16(&bytes[2], static_cast<uint16_t>(bytes.size() / 4 - 1));
    if (bytes.size() >= 16 && random.chance(0.3)) store_be32(&bytes[12], 0x52454d42);
    for_each_packet(ExactBytes(bytes), [&](const Packet& p) { sum += read_everything(p); });
  }
  EXPECT_NE(sum, 0u);
}

}  // namespace
}  // namespace viaduct::rtcp
