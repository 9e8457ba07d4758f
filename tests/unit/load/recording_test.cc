// Recordings, made here: rtpdump and pcap, whole, cut and spoiled.
#include "tests/load/recording.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "tests/load/media_source.h"

namespace viaduct::load {
namespace {

using ::testing::HasSubstr;

std::vector<uint8_t> rtp(uint16_t sequence, uint32_t timestamp, uint32_t ssrc, size_t payload,
                         bool marker = false) {
  std::vector<uint8_t> out(12 + payload, 0xab);
  out[0] = 0x80;
  out[1] = static_cast<uint8_t>(96 | (marker ? 0x80 : 0));
  store_be16(&out[2], sequence);
  store_be32(&out[4], timestamp);
  store_be32(&out[8], ssrc);
  return out;
}

// Little by little, in either byte order.
class FileWriter {
 public:
  explicit FileWriter(bool little_endian = false) : little_(little_endian) {}
  void u16(uint16_t v) { put(v, 2, little_); }
  void u32(uint32_t v) { put(v, 4, little_); }
  void net16(uint16_t v) { put(v, 2, false); }
  void bytes(Bytes b) { file.insert(file.end(), b.begin(), b.end()); }
  void zeros(size_t n) { file.resize(file.size() + n); }
  std::vector<uint8_t> file;

 private:
  void put(uint32_t v, int size, bool little) {
    for (int i = 0; i < size; ++i)
      file.push_back(static_cast<uint8_t>(v >> 8 * (little ? i : size - 1 - i)));
  }
  const bool little_;
};

void begin_rtpdump(FileWriter& out) {
  out.bytes(as_bytes("#!rtpplay1.0 127.0.0.1/5004\n"));
  out.zeros(16);
}

void add_to_rtpdump(FileWriter& out, Bytes packet, uint16_t rtp_bytes, uint32_t milliseconds) {
  out.u16(static_cast<uint16_t>(8 + packet.size()));
  out.u16(rtp_bytes);
  out.u32(milliseconds);
  out.bytes(packet);
}

std::vector<uint8_t> rtpdump_of_three() {
  FileWriter out;
  begin_rtpdump(out);
  for (uint16_t i = 0; i < 3; ++i) {
    const auto packet = rtp(i, i / 2 * 3000u, 7, 100, i == 1);
    add_to_rtpdump(out, packet, static_cast<uint16_t>(packet.size()), 50 + 20u * i);
  }
  return out.file;
}

std::vector<uint8_t> udp(Bytes payload) {
  FileWriter out;
  out.net16(5000);
  out.net16(5004);
  out.net16(static_cast<uint16_t>(8 + payload.size()));
  out.net16(0);
  out.bytes(payload);
  return out.file;
}

std::vector<uint8_t> ipv4(Bytes udp_datagram, uint16_t fragment = 0) {
  FileWriter out;
  out.net16(0x4500);
  out.net16(static_cast<uint16_t>(20 + udp_datagram.size()));
  out.net16(1);
  out.net16(fragment);
  out.net16(64 << 8 | 17);
  out.zeros(10);
  out.bytes(udp_datagram);
  return out.file;
}

std::vector<uint8_t> ethernet(Bytes ip, bool vlan = false) {
  FileWriter out;
  out.zeros(12);
  if (vlan) {
    out.net16(0x8100);
    out.net16(5);
  }
  out.net16(ip[0] >> 4 == 6 ? 0x86dd : 0x0800);
  out.bytes(ip);
  return out.file;
}

FileWriter begin_pcap(bool little_endian, bool nanoseconds, uint32_t link_type) {
  FileWriter out(little_endian);
  out.u32(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4);
  out.u16(2);
  out.u16(4);
  out.zeros(8);
  out.u32(65535);
  out.u32(link_type);
  return out;
}

void add_to_pcap(FileWriter& out, Bytes frame, uint32_t seconds, uint32_t fraction,
                 size_t captured = 65535) {
  const size_t kept = std::min(captured, frame.size());
  out.u32(seconds);
  out.u32(fraction);
  out.u32(static_cast<uint32_t>(kept));
  out.u32(static_cast<uint32_t>(frame.size()));
  out.bytes(frame.first(kept));
}

std::vector<RecordedPacket> packets_in(Bytes file) {
  const auto recording = Recording::parse(file);
  EXPECT_TRUE(recording.ok()) << (recording.ok() ? "" : recording.error().text);
  return recording.ok() ? recording->packets() : std::vector<RecordedPacket>{};
}

TEST(Recording, IsReadFromAnRtpdumpFile) {
  const auto packets = packets_in(rtpdump_of_three());
  ASSERT_EQ(packets.size(), 3u);
  EXPECT_EQ(packets[0].at, 0ms);
  EXPECT_EQ(packets[2].at, 40ms);
  EXPECT_EQ(packets[2].timestamp, 3000u);
  EXPECT_EQ(packets[1].packet_bytes, 112u);
  EXPECT_TRUE(packets[1].marker);
  EXPECT_EQ(packets[1].payload.size(), 100u);
}

TEST(Recording, OfHeadersOnlyKnowsTheSizesAndHasNoBodies) {
  FileWriter out;
  begin_rtpdump(out);
  add_to_rtpdump(out, Bytes(rtp(1, 0, 7, 100)).first(12), 112, 0);
  const auto recording = Recording::parse(out.file);
  ASSERT_TRUE(recording.ok());
  EXPECT_EQ(recording->packets()[0].packet_bytes, 112u);
  EXPECT_FALSE(recording->has_bodies());
}

TEST(Recording, LeavesOutRtcp) {
  FileWriter out;
  begin_rtpdump(out);
  add_to_rtpdump(out, rtp(1, 0, 7, 20), 0, 0);
  std::vector<uint8_t> sender_report = rtp(1, 0, 7, 20);
  sender_report[1] = 200;
  add_to_rtpdump(out, sender_report, 32, 1);
  add_to_rtpdump(out, rtp(2, 0, 7, 20), 32, 2);
  EXPECT_EQ(packets_in(out.file).size(), 1u);
}

TEST(Recording, IsReadFromPcapFilesOfEitherByteOrderAndPrecision) {
  for (const bool little : {false, true}) {
    for (const bool nano : {false, true}) {
      FileWriter out = begin_pcap(little, nano, 1);
      add_to_pcap(out, ethernet(ipv4(udp(rtp(1, 0, 7, 50)))), 10, 999'000);
      add_to_pcap(out, ethernet(ipv4(udp(rtp(2, 0, 7, 60))), true), 11, 999'000);
      const auto packets = packets_in(out.file);
      ASSERT_EQ(packets.size(), 2u);
      EXPECT_EQ(packets[1].at, 1s);
      EXPECT_EQ(packets[1].payload.size(), 60u);
    }
  }
}

TEST(Recording, IsReadFromOtherLinkTypesAndIpv6) {
  std::vector<uint8_t> ipv6(40);
  ipv6[0] = 0x60;
  ipv6[6] = 17;
  const auto datagram = udp(rtp(1, 0, 7, 50));
  ipv6.insert(ipv6.end(), datagram.begin(), datagram.end());
  for (const auto& [link_type, head] : std::vector<std::pair<uint32_t, std::vector<uint8_t>>>{
           {1, std::vector<uint8_t>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x86, 0xdd}},
           {101, {}},
           {0, std::vector<uint8_t>(4)},
           {113, std::vector<uint8_t>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x86, 0xdd}},
           {276, std::vector<uint8_t>{0x86, 0xdd, 0, 0, 0, 0, 0, 0, 0, 0,
                                      0,    0,    0, 0, 0, 0, 0, 0, 0, 0}}}) {
    FileWriter out = begin_pcap(true, false, link_type);
    std::vector<uint8_t> frame = head;
    frame.insert(frame.end(), ipv6.begin(), ipv6.end());
    add_to_pcap(out, frame, 1, 0);
    EXPECT_EQ(packets_in(out.file).size(), 1u) << "link type " << link_type;
  }
}

TEST(Recording, OfACutCaptureKnowsTheSizes) {
  FileWriter out = begin_pcap(true, false, 1);
  add_to_pcap(out, ethernet(ipv4(udp(rtp(1, 0, 7, 1000)))), 1, 0, 14 + 20 + 8 + 20);
  const auto packets = packets_in(out.file);
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].packet_bytes, 1012u);
  EXPECT_TRUE(packets[0].payload.empty());
}

TEST(Recording, LeavesOutFragmentsAndWhatIsNoRtp) {
  FileWriter out = begin_pcap(true, false, 1);
  add_to_pcap(out, ethernet(ipv4(udp(rtp(1, 0, 7, 50)), 0x2000)), 1, 0);
  std::vector<uint8_t> tcp = ipv4(udp(rtp(1, 0, 7, 50)));
  tcp[9] = 6;
  add_to_pcap(out, ethernet(tcp), 1, 0);
  add_to_pcap(out, ethernet(ipv4(udp(as_bytes("a query of the DNS")))), 1, 0);
  const auto recording = Recording::parse(out.file);
  ASSERT_FALSE(recording.ok());
  EXPECT_THAT(recording.error().text, HasSubstr("no RTP packets"));
}

TEST(Recording, OfAnotherFormatIsRefusedWithAHint) {
  for (const char* text : {"", "#!", "\n\r\r\n pcapng begins like this, and goes on for a while"}) {
    const auto recording = Recording::parse(as_bytes(text));
    ASSERT_FALSE(recording.ok());
    EXPECT_THAT(recording.error().text, HasSubstr("neither an rtpdump file"));
  }
}

TEST(Recording, EndsWhereItsFileIsCutAndNeverReadsBeyond) {
  FileWriter pcap = begin_pcap(false, false, 1);
  for (uint16_t i = 0; i < 3; ++i) add_to_pcap(pcap, ethernet(ipv4(udp(rtp(i, 0, 7, 30)))), i, 0);
  for (const std::vector<uint8_t>& whole : {rtpdump_of_three(), pcap.file}) {
    for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
      const std::vector<uint8_t> cut(whole.begin(),
                                     whole.begin() + static_cast<std::ptrdiff_t>(bytes));
      const auto recording = Recording::parse(cut);
      const size_t packets = recording.ok() ? recording->packets().size() : 0;
      EXPECT_LT(packets, 3u);
    }
  }
}

TEST(Recording, SurvivesAnyBytes) {
  SeededRandom random(1);
  FileWriter pcap = begin_pcap(true, false, 1);
  for (uint16_t i = 0; i < 3; ++i) add_to_pcap(pcap, ethernet(ipv4(udp(rtp(i, 0, 7, 30)))), i, 0);
  for (const std::vector<uint8_t>& whole : {rtpdump_of_three(), pcap.file}) {
    for (int round = 0; round < 20'000; ++round) {
      std::vector<uint8_t> bad = whole;
      for (uint64_t flips = 1 + random.below(4); flips > 0; --flips)
        bad[random.below(bad.size())] = static_cast<uint8_t>(random.next());
      const auto recording = Recording::parse(bad);
      const size_t packets = recording.ok() ? recording->packets().size() : 0;
      EXPECT_LE(packets, 4u);
    }
  }
}

TEST(Recording, GivesTheStreamThatIsAskedForOrTheLongest) {
  FileWriter out;
  begin_rtpdump(out);
  for (uint16_t i = 0; i < 5; ++i) {
    const auto packet = rtp(i, 0, i == 2 ? 9 : 7, 20);
    add_to_rtpdump(out, packet, static_cast<uint16_t>(packet.size()), i * 10u);
  }
  const auto recording = Recording::parse(out.file);
  ASSERT_TRUE(recording.ok());
  EXPECT_EQ(recording->stream(0).packets().size(), 4u);
  EXPECT_EQ(recording->stream(9).packets().size(), 1u);
  EXPECT_EQ(recording->stream(9).packets()[0].at, 0ms);
  EXPECT_TRUE(recording->stream(1).packets().empty());
}

TEST(Replay, SendsTheRecordedPacketsAtTheirTimesOverAndOver) {
  const auto recording = Recording::parse(rtpdump_of_three());
  ASSERT_TRUE(recording.ok());
  const auto shared = std::make_shared<const Recording>(*recording);
  const auto replay = make_replay({.recording = shared, .random_bodies = false});
  const std::vector<Duration> due = {0ms, 20ms, 40ms, 60ms, 80ms, 100ms};
  const std::vector<uint32_t> times = {0, 0, 3000, 4500, 4500, 7500};
  for (size_t i = 0; i < due.size(); ++i) {
    EXPECT_EQ(replay->next_due(), due[i]);
    const Frame& frame = replay->take();
    EXPECT_EQ(frame.rtp_time, times[i]) << i;
    EXPECT_EQ(frame.packet_bytes, std::vector<uint16_t>{112});
    EXPECT_EQ(frame.payload.size(), 100u);
    EXPECT_EQ(frame.first, i % 3 != 1) << i;
    EXPECT_EQ(frame.last, i % 3 == 1) << i;
  }
  EXPECT_TRUE(make_replay({.recording = shared})->take().payload.empty());
}

}  // namespace
}  // namespace viaduct::load
