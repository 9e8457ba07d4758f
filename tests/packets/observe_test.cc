// Step 4: what an arrival teaches, and what is left of it for those who come after.
#include "tests/packets/path_fixture.h"

namespace viaduct::testing {
namespace {

using codec::CodecType;
using codec::MediaKind;
using path::Drop;
using rtp::ExtensionType;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Observe : public PathFixture {
 protected:
  TestClient& receiver = join(2);
  TestClient& sender = join_sender(1);

  std::vector<ReceivedRtp> pictures() const { return receiver.received_on(receiver.ssrc(0x20)); }
  std::vector<ReceivedRtp> sounds() const { return receiver.received_on(receiver.ssrc(0x10)); }
  Rtp under_another_ssrc(Rtp packet, const char* mid) const {
    packet.ssrc = 0x777;
    packet.extensions.push_back({ExtensionType::Mid, {mid, mid + 3}});
    return packet;
  }
};

TEST_F(Observe, TurnsAResentPacketBackIntoTheOneItRepeats) {
  const Rtp lost = sender.cam(202);
  send_now(sender, sender.cam(201, true));
  send_now(sender, sender.cam(203));
  send_now(sender, sender.rtx(9, lost));
  const auto seen = pictures();
  ASSERT_THAT(seen, SizeIs(3));
  const ReceivedRtp& restored = seen[2];
  EXPECT_EQ(restored.header.sequence, seen[0].header.sequence + 1);
  EXPECT_EQ(restored.header.timestamp, seen[0].header.timestamp + 3000);
  EXPECT_EQ(restored.header.payload_type, 96);
  EXPECT_TRUE(restored.header.marker);
  auto expected = write_vp8({.picture_id = 2, .tl0 = 2});  // the slot's numbers: 201 became 1
  const auto body = pattern(40, 202);
  std::ranges::copy(body, expected.end() - 40);
  EXPECT_THAT(restored.payload(), ElementsAreArray(expected));
  EXPECT_EQ(counters.packets_recovered.value(), 1u);
}

TEST_F(Observe, ForwardsAPacketOnceHoweverOftenItComes) {
  send_now(sender, sender.cam(201, true));
  send_now(sender, sender.rtx(9, sender.cam(201, true)));  // after the original
  send_now(sender, sender.rtx(10, sender.cam(202)));       // before it
  send_now(sender, sender.rtx(11, sender.cam(202)));
  send_now(sender, sender.cam(202));
  EXPECT_THAT(pictures(), SizeIs(2));
  EXPECT_EQ(drops(Drop::Duplicate), 3u);
}

TEST_F(Observe, TellsAnRtxStreamByItsMidAndPayloadType) {
  send_now(sender, sender.cam(201, true));
  send_now(sender, under_another_ssrc(sender.rtx(9, sender.cam(202)), "cam"));
  send_now(sender, sender.cam(203));
  EXPECT_THAT(pictures(), SizeIs(3));
}

TEST_F(Observe, TakesNoMediaFromAnRtxStream) {
  send_now(sender, sender.cam(201, true));
  Rtp packet = sender.cam(50);
  packet.ssrc = sender.ssrc(0x03);
  send_now(sender, packet);
  EXPECT_EQ(drops(Drop::UnknownPayloadType), 1u);
  EXPECT_THAT(pictures(), SizeIs(1));
}

TEST_F(Observe, TakesNoFormatOfTheOtherKindAndNoneThatWasNotNegotiated) {
  for (const uint8_t payload_type : std::vector<uint8_t>{96, 97, 0, 127}) {
    Rtp packet = sender.mic(static_cast<uint16_t>(101 + payload_type));
    packet.payload_type = payload_type;
    send_now(sender, packet);
  }
  EXPECT_EQ(drops(Drop::UnknownPayloadType), 4u);
  EXPECT_THAT(receiver.media, IsEmpty());
}

struct PaddingRow {
  const char* name;
  std::vector<uint8_t> payload;
  Drop reason;
  std::vector<uint8_t> forwarded;
};

class PaddingTable : public Observe, public ::testing::WithParamInterface<PaddingRow> {};

TEST_P(PaddingTable, IsTakenOffOrRefused) {
  Rtp packet = sender.mic(101);
  packet.padding = true;
  packet.payload = GetParam().payload;
  send_now(sender, packet);
  if (GetParam().reason != Drop::None) {
    EXPECT_EQ(drops(GetParam().reason), 1u);
    EXPECT_THAT(receiver.media, IsEmpty());
    return;
  }
  ASSERT_THAT(receiver.media, SizeIs(1));
  EXPECT_FALSE(receiver.media[0].header.padding);
  EXPECT_THAT(receiver.media[0].payload(), ElementsAreArray(GetParam().forwarded));
}

const PaddingRow PaddingRows[] = {
    {"BehindMedia", {1, 2, 3, 4, 0, 0, 3}, Drop::None, {1, 2, 3, 4}},
    {"OfOneByte", {1, 2, 1}, Drop::None, {1, 2}},
    {"Alone", {0, 0, 0, 4}, Drop::PaddingOnly, {}},
    {"AloneOfOneByte", {1}, Drop::PaddingOnly, {}},
    {"AnnouncedWithoutAPayload", {}, Drop::BadPadding, {}},
    {"OfZeroBytes", {1, 2, 3, 0}, Drop::BadPadding, {}},
    {"LongerThanThePayload", {0, 0, 0, 5}, Drop::BadPadding, {}},
    {"MuchLongerThanThePayload", {1, 255}, Drop::BadPadding, {}},
};
INSTANTIATE_TEST_SUITE_P(Observe, PaddingTable, ::testing::ValuesIn(PaddingRows),
                         [](const auto& row) { return row.param.name; });

TEST_F(Observe, LeavesNoHoleWhereAPacketWasPaddingAlone) {
  send_now(sender, sender.cam(201, true));
  for (const uint16_t sequence : std::vector<uint16_t>{202, 203}) {
    Rtp padding = sender.cam(sequence);
    padding.padding = true;
    padding.payload = std::vector<uint8_t>(255, 255);
    send_now(sender, padding);
  }
  send_now(sender, sender.cam(204));
  const auto seen = pictures();
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_EQ(seen[1].header.sequence, seen[0].header.sequence + 1);
}

TEST_F(Observe, LeavesNoHoleWhereASourceWasMuted) {
  send_now(sender, sender.mic(101));
  path.set_muted({sender.id(), MediaKind::Audio, true});
  for (uint16_t s = 102; s < 110; ++s) send_now(sender, sender.mic(s));
  path.set_muted({sender.id(), MediaKind::Audio, false});
  send_now(sender, sender.mic(110));
  const auto heard = sounds();
  ASSERT_THAT(heard, SizeIs(2));
  EXPECT_EQ(drops(Drop::Muted), 8u);
  EXPECT_EQ(heard[1].header.sequence, heard[0].header.sequence + 1);
}

TEST_F(Observe, LeavesAHoleWhereAPacketWasLostSoThatReceiversAskForIt) {
  send_now(sender, sender.cam(201, true));
  send_now(sender, sender.cam(203));
  ASSERT_THAT(pictures(), SizeIs(2));
  EXPECT_EQ(pictures()[1].header.sequence, pictures()[0].header.sequence + 2);
}

TEST_F(Observe, FollowsAMicrophoneToAnotherSsrcWithoutAHole) {
  send_now(sender, sender.mic(101));
  now_ += 20ms;
  send_now(sender, under_another_ssrc(sender.mic(40'000), "mic"));
  now_ += 20ms;
  send_now(sender, under_another_ssrc(sender.mic(40'001), "mic"));
  const auto heard = sounds();
  ASSERT_THAT(heard, SizeIs(3));
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(heard[i].header.sequence, heard[0].header.sequence + i);
    EXPECT_EQ(heard[i].header.timestamp, heard[0].header.timestamp + i * 960);
  }
}

// Wherever its numbers begin: above those of the old stream, or below.
class CameraUnderAnotherSsrc : public Observe, public ::testing::WithParamInterface<uint16_t> {};

TEST_P(CameraUnderAnotherSsrc, IsFollowedFromItsNextKeyFrameOn) {
  const uint16_t first = GetParam();
  send_now(sender, sender.cam(201, true));
  const auto last = pictures().at(0);
  now_ += 1s;
  send(sender, under_another_ssrc(sender.cam(first), "cam"));
  run_for(20ms);
  EXPECT_THAT(pictures(), SizeIs(1)) << "a picture that needs another one";
  bool asked = false;
  for_each_rtcp(sender, [&](const rtcp::Packet& p) {
    const auto pli = rtcp::parse_pli(p);
    asked |= pli && pli->media == 0x777;
  });
  EXPECT_TRUE(asked);

  send_now(sender, under_another_ssrc(sender.cam(static_cast<uint16_t>(first + 1), true), "cam"));
  ASSERT_THAT(pictures(), SizeIs(2));
  EXPECT_EQ(pictures()[1].header.sequence, last.header.sequence + 1);
  EXPECT_NEAR(pictures()[1].header.timestamp - last.header.timestamp, 90'000 * 1.02, 1800);
}

INSTANTIATE_TEST_SUITE_P(Observe, CameraUnderAnotherSsrc,
                         ::testing::Values(0, 150, 30'000, 65'534));

// A camera that is resumed has to send a whole picture first.
TEST_F(Observe, AsksForAKeyFrameWhenACameraIsUnmuted) {
  send_now(sender, sender.cam(201, true));
  path.set_muted({sender.id(), MediaKind::Video, true});
  run_for(1s);
  path.set_muted({sender.id(), MediaKind::Video, false});
  const uint64_t before = counters.key_frames_asked.value();
  run_for(20ms);
  EXPECT_EQ(counters.key_frames_asked.value(), before + 1);
  send_now(sender, sender.cam(202));
  send_now(sender, sender.cam(203, true));
  EXPECT_THAT(pictures(), SizeIs(2));
  EXPECT_EQ(drops(Drop::AwaitsKeyFrame), 1u);
}

struct FormatRow {
  CodecType codec;
  std::vector<uint8_t> delta;  // first bytes of a packet that needs others
  std::vector<uint8_t> key;    // and of one that does not
};

class FormatTable : public Observe, public ::testing::WithParamInterface<FormatRow> {};

TEST_P(FormatTable, BeginsAtAKeyFrameAndKeepsEveryByte) {
  Rtp delta = sender.cam(201), key = sender.cam(202), next = sender.cam(203);
  delta.payload = GetParam().delta;
  key.payload = GetParam().key;
  next.payload = GetParam().delta;
  for (Rtp* p : {&delta, &key, &next}) {
    p->payload_type = sender.payload_type(GetParam().codec);
    const auto rest = pattern(300, p->sequence);
    p->payload.insert(p->payload.end(), rest.begin(), rest.end());
    send_now(sender, *p);
  }
  EXPECT_EQ(drops(Drop::AwaitsKeyFrame), 1u);
  const auto seen = pictures();
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_THAT(seen[0].payload(), ElementsAreArray(key.payload));
  EXPECT_THAT(seen[1].payload(), ElementsAreArray(next.payload));
  EXPECT_EQ(seen[0].header.payload_type, receiver.payload_type(GetParam().codec));
}

const FormatRow FormatRows[] = {
    {CodecType::Vp8, {0x10, 0x11, 0, 0}, {0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 64, 1, 180, 0}},
    {CodecType::Vp9, {0xcc, 0x05, 0x82}, {0x8c, 0x04, 0x82}},   // P, not P
    {CodecType::H264, {0x41, 0x9a, 0x00}, {0x67, 0x42, 0xc0}},  // slice, parameter set
    {CodecType::Av1, {0x10, 0x32, 0x00}, {0x18, 0x0a, 0x0b}},   // frame, new sequence
};
INSTANTIATE_TEST_SUITE_P(Observe, FormatTable, ::testing::ValuesIn(FormatRows),
                         [](const auto& row) { return to_string(row.param.codec); });

}  // namespace
}  // namespace viaduct::testing
