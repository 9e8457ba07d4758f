// RTP packets in clear, as a participant sends them.
#include "tests/load/send_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "limits.h"
#include "protocol/codec/vp8.h"
#include "protocol/rtp/packet.h"
#include "tests/support/client/session_description.h"

namespace viaduct::load {
namespace {

using codec::MediaKind;

constexpr uint64_t RunSeed = 77;

std::unique_ptr<MediaSource> source_of(MediaKind kind) {
  if (kind == MediaKind::Audio) return make_microphone({.talk_share = 1}, 5);
  const VideoPlan plan{.layers = {{640, 360, 30, DataRate::kbps(3000)}}};
  return make_camera(plan.layers[0], plan, 5);
}

std::vector<std::vector<uint8_t>> packets_of(MediaKind kind, BodyShape shape, uint64_t seed,
                                             size_t frames) {
  const BodyMaker bodies(RunSeed);
  SendStream stream({.number = 3, .kind = kind, .shape = shape, .mid = "x"}, source_of(kind),
                    bodies, seed);
  std::vector<std::vector<uint8_t>> out;
  uint16_t transport_sequence = 0;
  for (size_t n = 0; n < frames; ++n) {
    const Frame& frame = stream.source().take();
    for (size_t i = 0; i < frame.packet_bytes.size(); ++i) {
      std::vector<uint8_t> packet(limits::MaxPacketBytes);
      packet.resize(stream.write(frame, i, transport_sequence++, packet).packet_bytes);
      out.push_back(std::move(packet));
    }
  }
  return out;
}

TEST(SendStream, WritesTheSameBytesForTheSameSeed) {
  for (const auto kind : {MediaKind::Audio, MediaKind::Video}) {
    EXPECT_EQ(packets_of(kind, BodyShape::Plain, 1, 60), packets_of(kind, BodyShape::Plain, 1, 60));
    EXPECT_NE(packets_of(kind, BodyShape::Plain, 1, 60), packets_of(kind, BodyShape::Plain, 2, 60));
  }
}

TEST(SendStream, NumbersItsPacketsWithoutAHoleAndMarksTheLastOfAFrame) {
  const auto packets = packets_of(MediaKind::Video, BodyShape::Plain, 1, 30);
  ASSERT_GT(packets.size(), 60u);
  auto before = rtp::parse_header(packets[0]);
  for (size_t i = 1; i < packets.size(); ++i) {
    const auto header = rtp::parse_header(packets[i]);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->sequence, static_cast<uint16_t>(before->sequence + 1));
    EXPECT_EQ(header->ssrc, before->ssrc);
    EXPECT_EQ(before->marker, header->timestamp != before->timestamp) << "packet " << i - 1;
    before = header;
  }
}

TEST(SendStream, WritesPacketsOfTheSizeThatTheirFrameAsksFor) {
  const BodyMaker bodies(RunSeed);
  SendStream stream({.kind = MediaKind::Video, .mid = "cam"},
                    make_fixed_rate({.packet_bytes = 1200}), bodies, 1);
  for (int i = 0; i < 500; ++i) {  // with and without MID
    const Frame& frame = stream.source().take();
    std::vector<uint8_t> packet(limits::MaxPacketBytes);
    EXPECT_EQ(stream.write(frame, 0, 0, packet).packet_bytes, 1200);
  }
}

TEST(SendStream, HidesAStampInEachBodyThatAReceiverFinds) {
  const BodyMaker bodies(RunSeed);
  for (const auto shape : {BodyShape::Plain, BodyShape::Sealed}) {
    uint32_t number = 0;
    for (const auto& packet : packets_of(MediaKind::Video, shape, 1, 20)) {
      const auto header = rtp::parse_header(packet);
      const Bytes payload = Bytes(packet).subspan(header->header_bytes);
      const auto vp8 = codec::parse_vp8(payload);
      ASSERT_TRUE(vp8);
      size_t head = vp8->descriptor_bytes;
      if (vp8->starts_frame())
        head += prefix_bytes(shape, MediaKind::Video, (payload[head] & 1) == 0);
      const auto stamp = bodies.read(payload.subspan(head));
      ASSERT_TRUE(stamp) << "packet " << number;
      EXPECT_EQ(stamp->stream, 3u);
      EXPECT_EQ(stamp->packet, number++);
    }
  }
}

TEST(SendStream, NamesItsLevelInAudioOnly) {
  const auto audio = packets_of(MediaKind::Audio, BodyShape::Plain, 1, 1)[0];
  const auto video = packets_of(MediaKind::Video, BodyShape::Plain, 1, 1)[0];
  const auto level = [](Bytes packet) {
    return rtp::read_audio_level(
        rtp::find_extension(packet, *rtp::parse_header(packet), client::AudioLevelId));
  };
  ASSERT_TRUE(level(audio));
  EXPECT_TRUE(level(audio)->voice);
  EXPECT_LT(level(audio)->level, 60);
  EXPECT_FALSE(level(video));
}

TEST(SentPackets, RemembersTheFateOfTheLastPacketsAndOfNoOthers) {
  SentPackets sent(16);
  constexpr Timestamp When{5s};
  EXPECT_EQ(sent.fate(0), Fate::Unknown);
  for (uint32_t i = 0; i < 40; ++i)
    sent.record(i, i % 2 ? Fate::Sent : Fate::Impaired, When + i * 1ms);
  EXPECT_EQ(sent.fate(39), Fate::Sent);
  EXPECT_EQ(sent.fate(38), Fate::Impaired);
  EXPECT_EQ(sent.sent_at(39), When + 39ms);
  EXPECT_EQ(sent.sent_at(38), std::nullopt);
  EXPECT_EQ(sent.fate(23), Fate::Unknown);
  EXPECT_EQ(sent.fate(40), Fate::Unknown);
}

}  // namespace
}  // namespace viaduct::load
