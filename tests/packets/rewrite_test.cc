// Step 10: the receiver's own header in front of the shared payload.
#include "protocol/codec/vp8.h"
#include "tests/packets/path_fixture.h"
#include "tests/support/hex.h"

namespace viaduct::testing {
namespace {

using codec::CodecType;
using path::Drop;
using rtp::ExtensionType;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// In clear, both as hexadecimal text. The sender is numbered like Chromium; its packets go to the
// receiver's first slot of the kind, which begins at sequence number 1010, timestamp 10101011.
struct RewriteRow {
  const char* name;
  bool to_firefox;
  const char* in;
  const char* out;
};

// clang-format off
const RewriteRow RewriteRows[] = {
    // Opus 111 becomes 109, audio level 1 becomes 3, MID 1 names the slot.
    {"Sound", true,
     "906f0065 00017ac0 00000101 bede0001 101e0000 c0ffee",
     "906d1010 10101011 00000210 bede0002 11613030 1e000000 c0ffee"},
    {"SoundWithAMarker", true,
     "90ef0065 00017ac0 00000101 bede0001 101e0000 c0ffee",
     "90ed1010 10101011 00000210 bede0002 11613030 1e000000 c0ffee"},
    {"SoundWithoutAnExtension", true,
     "806f0065 00017ac0 00000101 c0ffee",
     "906d1010 10101011 00000210 bede0001 11613000 c0ffee"},
    // Contributing sources are the sender's affair.
    {"SoundOfContributors", true,
     "826f0065 00017ac0 00000101 aaaaaaaa bbbbbbbb c0ffee",
     "906d1010 10101011 00000210 bede0001 11613000 c0ffee"},
    {"SoundWithPadding", true,
     "a06f0065 00017ac0 00000101 c0ffee 000003",
     "906d1010 10101011 00000210 bede0001 11613000 c0ffee"},
    // 2, 3 and 4 (send time, transport-wide number, MID) go from hop to hop; 9 was not negotiated.
    {"HopByHopExtensions", false,
     "906f0065 00017ac0 00000101 bede0005 22aabbcc 310007 426d6963 91d1d2 101e 00000000 c0ffee",
     "906f1010 10101011 00000210 bede0002 41613010 1e000000 c0ffee"},
    // Orientation 5 becomes 2, playout delay 6 becomes 5.
    {"ExtensionsOfVideo", true,
     "90e000c9 00093234 00000102 bede0002 5003 62aabbcc 0000 10 10000000",
     "90f81010 10101011 00000220 bede0003 11763020 0352aabb cc000000 10 10000000"},
    // A dependency descriptor (7) too long for one-byte elements: all become two-byte ones. It begins
    // a key frame, whatever the payload says; its frame number 0102 becomes the slot's 1.
    {"LongExtension", false,
     "906000c9 00093234 00000102 10000005 0711 800102830405060708090a0b0c0d0e0f10 00 10 11000000",
     "90601010 10101011 00000220 10000006 04027630 0711 800001830405060708090a0b0c0d0e0f10 00"
     "10 11000000"},
    // Firefox has no number for a dependency descriptor.
    {"ExtensionThatTheReceiverLacks", true,
     "906000c9 00093234 00000102 bede0002 73810203 80000000 10 10000000",
     "90781010 10101011 00000220 bede0001 11763000 10 10000000"},
    // Picture id 15 bits 00c9 and TL0PICIDX c9 become the slot's 1 and 1; TID, Y and KEYIDX stay.
    {"Vp8KeyFrame", true,
     "80e000c9 00093234 00000102 90f080c9c963 1000009d012a4001b400",
     "90f81010 10101011 00000220 bede0001 11763000 90f080010163 1000009d012a4001b400"},
    {"Vp8WithoutABaseLayerIndex", true,
     "80e000c9 00093234 00000102 908080c9 1000009d012a4001b400",
     "90f81010 10101011 00000220 bede0001 11763000 90808001 1000009d012a4001b400"},
    // 7 bits cannot count on over another source's 15: they are left alone.
    {"Vp8WithAShortPictureId", true,
     "80e000c9 00093234 00000102 908049 1000009d012a4001b400",
     "90f81010 10101011 00000220 bede0001 11763000 908049 1000009d012a4001b400"},
    {"Vp9KeyFrame", true,
     "80e200c9 00093234 00000102 8c0482aabbcc",
     "90f91010 10101011 00000220 bede0001 11763000 8c0482aabbcc"},
    {"H264KeyFrame", true,
     "80e600c9 00093234 00000102 6742c01f",
     "90fe1010 10101011 00000220 bede0001 11763000 6742c01f"},
    {"Av1KeyFrame", true,
     "80ad00c9 00093234 00000102 180a0b00",
     "90e41010 10101011 00000220 bede0001 11763000 180a0b00"},
};
// clang-format on

class RewriteTable : public PathFixture, public ::testing::WithParamInterface<RewriteRow> {};

TEST_P(RewriteTable, IsAWholePacketInAndAWholePacketOut) {
  TestClient& receiver =
      join(GetParam().to_firefox ? TestClient::like_firefox(2) : TestClient::like_chromium(2));
  TestClient& sender = join_sender(1);
  send(sender, sender.srtp->protect_rtp(from_hex(GetParam().in)));
  turn();
  ASSERT_THAT(receiver.media, SizeIs(1)) << ::testing::PrintToString(dropped());
  EXPECT_EQ(to_hex(receiver.media[0].bytes), to_hex(from_hex(GetParam().out)));
}

INSTANTIATE_TEST_SUITE_P(Rewrite, RewriteTable, ::testing::ValuesIn(RewriteRows),
                         [](const auto& row) { return row.param.name; });

class Rewrite : public PathFixture {
 protected:
  std::vector<ReceivedRtp> pictures(const TestClient& client) const {
    return client.received_on(client.ssrc(0x20));
  }
};

TEST_F(Rewrite, GivesEachReceiverItsOwnHeaderOverTheSamePayload) {
  TestClient& bob = join(TestClient::like_chromium(2));
  TestClient& eve = join(TestClient::like_firefox(3));
  TestClient& ada = join_sender(1);
  send_now(ada, ada.mic(101));
  ASSERT_THAT(bob.media, SizeIs(1));
  ASSERT_THAT(eve.media, SizeIs(1));
  EXPECT_EQ(bob.media[0].header.ssrc, bob.ssrc(0x10));
  EXPECT_EQ(eve.media[0].header.ssrc, eve.ssrc(0x10));
  EXPECT_EQ(bob.media[0].header.payload_type, 111);
  EXPECT_EQ(eve.media[0].header.payload_type, 109);
  EXPECT_EQ(rtp::read_audio_level(bob.media[0].extension(1))->level, 30);
  EXPECT_EQ(rtp::read_audio_level(eve.media[0].extension(3))->level, 30);
  EXPECT_THAT(bob.media[0].payload(), ElementsAreArray(eve.media[0].payload()));
}

TEST_F(Rewrite, NumbersExtensionsAsTheReceiverDoesInItsSlots) {
  auto options = TestClient::like_chromium(2);
  options.slot_extensions = {};
  options.slot_extensions.set(ExtensionType::AudioLevel, 12);
  TestClient& receiver = join(options);
  TestClient& sender = join_sender(1);
  send_now(sender, sender.mic(101));
  ASSERT_THAT(receiver.media, SizeIs(1));
  EXPECT_EQ(rtp::read_audio_level(receiver.media[0].extension(12))->level, 30);
  EXPECT_THAT(receiver.media[0].extension(1), IsEmpty());
}

TEST_F(Rewrite, NamesResentPacketsAsTheReceiverDoes) {
  TestClient& receiver = join(TestClient::like_firefox(2));
  TestClient& sender = join_sender(1);
  send_now(sender, sender.cam(201, true));
  nack(receiver, receiver.ssrc(0x20), {pictures(receiver).at(0).header.sequence});
  const auto resent = receiver.received_on(receiver.ssrc(0x30));
  ASSERT_THAT(resent, SizeIs(1));
  EXPECT_EQ(resent[0].header.payload_type, 124);
  EXPECT_EQ(resent[0].header.sequence, 0x1010);
}

TEST_F(Rewrite, ChangesNoByteOfAPayloadOfAnyLength) {
  TestClient& receiver = join(2);
  TestClient& sender = join_sender(1);
  Rtp key = sender.cam(201);
  key.payload_type = sender.payload_type(CodecType::H264);
  key.payload = {0x67, 0x42};
  send_now(sender, key);
  forget_received();
  for (uint16_t length = 1; length <= 1200; ++length) {
    Rtp sound = sender.mic(static_cast<uint16_t>(100 + length));
    sound.payload = pattern(length, length);
    Rtp picture = key;
    picture.sequence = static_cast<uint16_t>(201 + length);
    picture.payload = pattern(length, length + 1u);
    send(sender, sound);
    send(sender, picture);
    turn();
    ASSERT_THAT(receiver.media, SizeIs(2)) << length;
    for (const ReceivedRtp& r : receiver.media) {
      const bool is_sound = r.header.ssrc == receiver.ssrc(0x10);
      ASSERT_THAT(r.payload(), ElementsAreArray(is_sound ? sound.payload : picture.payload))
          << length;
    }
    forget_received();
  }
}

TEST_F(Rewrite, ContinuesOneStreamWhenASlotGoesOverToAnotherSource) {
  auto options = TestClient::listener(9);
  options.slots.resize(2);  // one for sound, one for pictures
  TestClient& viewer = join(options);
  TestClient& ada = join_sender(1);
  for (uint16_t s = 201; s <= 203; ++s) send_now(ada, ada.cam(s, s == 201));
  TestClient& bob = join(3);
  leave(ada);
  send(bob, bob.cam(40'000));
  run_for(980ms);
  send_now(bob, bob.cam(40'001));
  send_now(bob, bob.cam(40'002, true));
  send_now(bob, bob.cam(40'003));

  const auto seen = pictures(viewer);
  ASSERT_THAT(seen, SizeIs(5));
  for (size_t i = 1; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].header.sequence, seen[i - 1].header.sequence + 1);
    const auto before = codec::parse_vp8(seen[i - 1].payload());
    const auto here = codec::parse_vp8(seen[i].payload());
    ASSERT_TRUE(before && here);
    EXPECT_EQ(*here->picture_id, *before->picture_id + 1);
    EXPECT_EQ(*here->tl0_pic_idx, *before->tl0_pic_idx + 1);
  }
  EXPECT_TRUE(codec::parse_vp8(seen[3].payload())->key_frame);
  EXPECT_EQ(seen[3].header.timestamp - seen[2].header.timestamp, 90'000u) << "a second has passed";
}

TEST_F(Rewrite, SendsNothingFromBeforeTheKeyFrameThatItBeganWith) {
  TestClient& receiver = join(2);
  TestClient& sender = join_sender(1);
  for (const uint16_t s : std::vector<uint16_t>{203, 201, 202, 204}) {
    send(sender, sender.cam(s, s == 203));
  }
  turn();
  const auto seen = pictures(receiver);
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_EQ(drops(Drop::BeforeStream), 2u);
  EXPECT_EQ(seen[1].header.sequence, seen[0].header.sequence + 1);
}

TEST_F(Rewrite, CountsOnOverTheWrapOfASendersNumbers) {
  TestClient& receiver = join(2);
  TestClient& sender = join_sender(TestClient::like_chromium(1), {.mic = 65'530, .cam = 32'700});
  for (uint16_t i = 1; i <= 100; ++i) {
    send(sender, sender.mic(static_cast<uint16_t>(65'530 + i)));
    send(sender, sender.cam(static_cast<uint16_t>(32'700 + i), i == 1));
    turn();
  }
  const auto heard = receiver.received_on(receiver.ssrc(0x10)), seen = pictures(receiver);
  ASSERT_THAT(heard, SizeIs(100));
  ASSERT_THAT(seen, SizeIs(100));
  for (size_t i = 1; i < 100; ++i) {
    EXPECT_EQ(heard[i].header.sequence, heard[0].header.sequence + i);
    const auto here = codec::parse_vp8(seen[i].payload());
    EXPECT_EQ(*here->picture_id, 1 + i) << "the sender's 15 bits wrap on the way";
    EXPECT_EQ(*here->tl0_pic_idx, static_cast<uint8_t>(1 + i));
  }
}

}  // namespace
}  // namespace viaduct::testing
