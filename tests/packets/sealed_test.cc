// What the path does with packets of conferences that are encrypted end to end: bodies go on byte
// for byte, and headers say all that must be known.
#include "protocol/codec/vp8.h"
#include "protocol/rtp/dependency_descriptor.h"
#include "protocol/rtp/rtx.h"
#include "tests/packets/path_fixture.h"
#include "tests/support/encrypted_frames.h"

namespace viaduct::testing {
namespace {

using codec::CodecType;
using path::Drop;
using rtp::ExtensionType;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr conference::E2eePolicy SealedPolicy{.wanted = true};

class Sealed : public PathFixture {
 protected:
  static TestClient::Options sealed(TestClient::Options options) {
    options.e2ee = SealedPolicy;
    return options;
  }
  // A packet of the camera whose body is noise, beside a dependency descriptor. That of a key frame
  // brings a structure of `structure` bytes.
  Rtp described(const TestClient& client, uint16_t sequence, uint16_t frame, bool key,
                size_t structure = 12) {
    std::vector<uint8_t> descriptor = {0xc0, 0, 0};
    store_be16(&descriptor[1], frame);
    if (key) {
      descriptor.push_back(0x80);
      const auto rest = pattern(structure, frame);
      descriptor.insert(descriptor.end(), rest.begin(), rest.end());
    }
    Rtp packet = encrypted(client, sequence);
    packet.extensions = {{ExtensionType::DependencyDescriptor, descriptor}};
    return packet;
  }
  // The same without one.
  Rtp encrypted(const TestClient& client, uint16_t sequence, size_t bytes = 200) {
    Rtp packet = client.cam(sequence);
    packet.payload.clear();
    append_noise(packet.payload, bytes, noise);
    return packet;
  }
  std::vector<ReceivedRtp> pictures(const TestClient& client) const {
    return client.received_on(client.ssrc(0x20));
  }
  static rtp::DependencyDescriptor descriptor_of(const ReceivedRtp& packet,
                                                 const TestClient& client) {
    const uint8_t id = client.options.slot_extensions.id(ExtensionType::DependencyDescriptor);
    return rtp::parse_dependency_descriptor(packet.extension(id)).value();
  }
  size_t key_frame_requests(const TestClient& client) {
    size_t count = 0;
    for_each_rtcp(client, [&](const rtcp::Packet& p) { count += rtcp::parse_pli(p).has_value(); });
    return count;
  }

  SeededRandom noise{6};
  TestClient& receiver = join(sealed(TestClient::like_chromium(2)));
  TestClient& sender = join_sender(sealed(TestClient::like_chromium(1)));
};

TEST_F(Sealed, ChangesNoByteOfABodyOfAnyLength) {
  send_now(sender, described(sender, 201, 1, true));
  for (uint16_t length = 1; length <= 1200; ++length) {
    forget_received();
    Rtp sound = sender.mic(static_cast<uint16_t>(100 + length));
    sound.payload.clear();
    append_noise(sound.payload, length, noise);
    Rtp picture = described(sender, static_cast<uint16_t>(201 + length), length, false);
    picture.payload.clear();
    append_noise(picture.payload, length, noise);
    send(sender, sound);
    send(sender, picture);
    turn();
    ASSERT_THAT(receiver.media, SizeIs(2)) << length;
    for (const ReceivedRtp& r : receiver.media) {
      const bool is_sound = r.header.ssrc == receiver.ssrc(0x10);
      ASSERT_THAT(r.payload(), ElementsAreArray(is_sound ? sound.payload : picture.payload));
    }
  }
}

// In clear each of these would be rewritten, or held for a key frame.
TEST_F(Sealed, LeavesPayloadDescriptorsAsTheyAre) {
  uint16_t sequence = 201;
  for (const CodecType codec : {CodecType::Vp8, CodecType::Vp9, CodecType::H264, CodecType::Av1}) {
    for (const char* front :
         {"90f080c9c963", "908080c9", "908049", "90e0ffffff00", "8c8102", "10", "28"}) {
      Rtp packet = encrypted(sender, sequence++);
      packet.payload_type = sender.payload_type(codec);
      const auto bytes = from_hex(front);
      std::ranges::copy(bytes, packet.payload.begin());
      forget_received();
      send_now(sender, packet);
      ASSERT_THAT(pictures(receiver), SizeIs(1)) << front;
      EXPECT_THAT(pictures(receiver)[0].payload(), ElementsAreArray(packet.payload));
    }
  }
}

TEST_F(Sealed, BeginsWhereTheDescriptorSaysThatAKeyFrameBegins) {
  Rtp looks_like_a_key_frame = described(sender, 201, 1, false);
  looks_like_a_key_frame.payload = sender.cam(201, true).payload;
  send_now(sender, looks_like_a_key_frame);
  EXPECT_THAT(pictures(receiver), IsEmpty());
  EXPECT_EQ(drops(Drop::AwaitsKeyFrame), 1u);
  send_now(sender, described(sender, 202, 2, true));
  send_now(sender, described(sender, 203, 3, false));
  EXPECT_THAT(pictures(receiver), SizeIs(2));
}

TEST_F(Sealed, AsksSendersThatDescribeTheirFramesUntilAKeyFrameComes) {
  send_now(sender, described(sender, 201, 1, false));
  sender.rtcp.clear();
  run_for(3s);
  EXPECT_GE(key_frame_requests(sender), 5u);
  send_now(sender, described(sender, 202, 2, true));
  sender.rtcp.clear();
  run_for(3s);
  EXPECT_EQ(key_frame_requests(sender), 0u);
}

TEST_F(Sealed, ForwardsAtOnceWhatDescribesNoFramesAndAsksOnce) {
  TestClient& firefox = join_sender(sealed(TestClient::like_firefox(3)));
  send_now(firefox, encrypted(firefox, 201));
  EXPECT_THAT(receiver.received_on(receiver.ssrc(0x21)), SizeIs(1));
  run_for(1s);
  const uint64_t asked = counters.key_frames_asked.value();
  EXPECT_GE(asked, 1u) << "at the switch";
  run_for(5s);
  EXPECT_EQ(counters.key_frames_asked.value(), asked);

  pli(receiver, receiver.ssrc(0x21));
  run_for(5s);
  EXPECT_EQ(counters.key_frames_asked.value(), asked + 1) << "once more, when a receiver asks";
}

TEST_F(Sealed, CountsFrameNumbersOnOverSwitchesAndWraps) {
  auto options = sealed(TestClient::listener(9));
  options.slots.resize(2);  // one for sound, one for pictures
  TestClient& viewer = join(options);
  uint16_t sequence = 201;
  for (uint16_t i = 0; i < 5; ++i)
    send_now(sender, described(sender, sequence++, static_cast<uint16_t>(65'533 + i), i == 0));
  auto seen = viewer.received_on(viewer.ssrc(0x20));
  ASSERT_THAT(seen, SizeIs(5));
  TestClient& bob = join_sender(sealed(TestClient::like_chromium(3)));
  leave(sender);
  run_for(20ms);
  send(bob, encrypted(bob, 201));  // its picture moves into the slot
  run_for(20ms);
  forget_received();
  send_now(bob, described(bob, 300, 17, true, 40));
  send_now(bob, described(bob, 301, 18, false));
  const auto after = viewer.received_on(viewer.ssrc(0x20));
  ASSERT_THAT(after, SizeIs(2));
  seen.insert(seen.end(), after.begin(), after.end());
  std::vector<uint16_t> numbers;
  for (const ReceivedRtp& r : seen) numbers.push_back(descriptor_of(r, viewer).frame_number);
  for (size_t i = 1; i < numbers.size(); ++i) EXPECT_EQ(numbers[i], numbers[i - 1] + 1);
  const Bytes structure = after[0].extension(7);
  EXPECT_TRUE(descriptor_of(after[0], viewer).begins_key_frame());
  EXPECT_THAT(structure.subspan(4), ElementsAreArray(pattern(40, 17)));
}

TEST_F(Sealed, LeavesTheDescriptorOutWhereTheReceiverDidNotAgreeToIt) {
  TestClient& firefox = join(sealed(TestClient::like_firefox(3)));
  send_now(sender, described(sender, 201, 1, true, 60));
  send_now(sender, described(sender, 202, 2, false));
  ASSERT_THAT(pictures(firefox), SizeIs(2));
  for (const ReceivedRtp& r : pictures(firefox)) {
    EXPECT_EQ(r.header.extension_profile, rtp::OneByteProfile);
    EXPECT_EQ(r.header.header_bytes, rtp::FixedHeaderBytes + 4 + 4) << "the MID alone";
  }
  EXPECT_THAT(pictures(firefox)[0].payload(), ElementsAreArray(pictures(receiver)[0].payload()));
}

// A descriptor as long as one can be, in the longest packet that a client may send.
TEST_F(Sealed, CarriesTheLongestDescriptorInTheLongestPacket) {
  Rtp packet = described(sender, 201, 1, true, 251);
  const size_t tag = 16;
  packet.payload.clear();
  const size_t head = write_rtp(packet, sender.options.extensions).size();
  append_noise(packet.payload, limits::MaxPacketBytes - tag - head, noise);
  send_now(sender, packet);
  ASSERT_THAT(pictures(receiver), SizeIs(1)) << ::testing::PrintToString(dropped());
  EXPECT_THAT(pictures(receiver)[0].payload(), ElementsAreArray(packet.payload));
  EXPECT_THAT(pictures(receiver)[0].extension(7), SizeIs(255));
}

TEST_F(Sealed, TakesADescriptorThatIsCutShortForNone) {
  Rtp packet = encrypted(sender, 201);
  packet.extensions = {{ExtensionType::DependencyDescriptor, {0xc0, 0}}};
  send_now(sender, packet);
  ASSERT_THAT(pictures(receiver), SizeIs(1));
  EXPECT_THAT(pictures(receiver)[0].extension(7), IsEmpty());
}

TEST_F(Sealed, ResendsBodiesAsTheyWere) {
  for (uint16_t i = 0; i < 3; ++i)
    send_now(sender, described(sender, static_cast<uint16_t>(201 + i), i, i == 0));
  const auto seen = pictures(receiver);
  ASSERT_THAT(seen, SizeIs(3));
  nack(receiver, receiver.ssrc(0x20), {seen[1].header.sequence});
  const auto again = receiver.received_on(receiver.ssrc(0x30));
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(rtp::read_original_sequence(again[0].payload()), seen[1].header.sequence);
  EXPECT_THAT(again[0].payload().subspan(2), ElementsAreArray(seen[1].payload()));
  EXPECT_EQ(descriptor_of(again[0], receiver), descriptor_of(seen[1], receiver));
}

TEST_F(Sealed, RestoresWhatASenderResends) {
  const Rtp lost = described(sender, 202, 2, false);
  send_now(sender, described(sender, 201, 1, true));
  send_now(sender, described(sender, 203, 3, false));
  send_now(sender, sender.rtx(9, lost));
  const auto seen = pictures(receiver);
  ASSERT_THAT(seen, SizeIs(3));
  EXPECT_THAT(seen[2].payload(), ElementsAreArray(lost.payload));
  EXPECT_EQ(seen[2].header.sequence, seen[0].header.sequence + 1);
  EXPECT_EQ(descriptor_of(seen[2], receiver).frame_number,
            descriptor_of(seen[0], receiver).frame_number + 1);
}

TEST_F(Sealed, TakesPaddingOffBodies) {
  Rtp packet = encrypted(sender, 201, 100);
  packet.padding = true;
  auto expected = packet.payload;
  packet.payload.insert(packet.payload.end(), {0, 0, 3});
  send_now(sender, packet);
  ASSERT_THAT(pictures(receiver), SizeIs(1));
  EXPECT_THAT(pictures(receiver)[0].payload(), ElementsAreArray(expected));
}

// In mid-call, without and with descriptors, there and back: one stream of pictures each time, and
// no sound is missing.
TEST_F(Sealed, IsOpenedAndSealedInMidCallWithoutASeam) {
  uint16_t mic = 101, cam = 201, frame = 1;
  const auto set = [&](bool wanted) {
    path.set_e2ee_policy({conference::ConferenceId{1}, {.wanted = wanted}});
  };
  const auto talk = [&] {
    for (int i = 0; i < 10; ++i) {
      send(sender, sender.mic(mic++));
      run_for(20ms);
    }
  };
  send_now(sender, described(sender, cam++, frame++, true));
  talk();
  set(false);
  talk();
  Rtp delta = sender.cam(cam++), key = sender.cam(cam++, true), next = sender.cam(cam++);
  for (Rtp* p : {&delta, &key, &next}) send_now(sender, *p);
  ASSERT_THAT(pictures(receiver), SizeIs(3))
      << "in clear the payload tells what no descriptor does";
  set(true);
  talk();
  send_now(sender, described(sender, cam++, frame++, false));
  send_now(sender, described(sender, cam++, frame++, true));
  send_now(sender, described(sender, cam++, frame++, false));

  const auto seen = pictures(receiver);
  for (size_t i = 1; i < seen.size(); ++i)
    EXPECT_EQ(seen[i].header.sequence, seen[i - 1].header.sequence + 1);
  EXPECT_EQ(descriptor_of(seen.back(), receiver).frame_number,
            descriptor_of(seen[0], receiver).frame_number + 2);
  const auto heard = receiver.received_on(receiver.ssrc(0x10));
  ASSERT_THAT(heard, SizeIs(30));
  for (size_t i = 1; i < heard.size(); ++i) {
    EXPECT_EQ(heard[i].header.sequence, heard[i - 1].header.sequence + 1);
    EXPECT_EQ(heard[i].header.timestamp, heard[i - 1].header.timestamp + 960);
  }
}

TEST_F(Sealed, ReadsNoCodecDataOfOneConferenceBecauseAnotherIsInClear) {
  auto in_clear = TestClient::like_chromium(4);
  in_clear.conference = 2;
  TestClient& other = join_sender(in_clear);
  auto viewer_options = TestClient::like_chromium(5);
  viewer_options.conference = 2;
  TestClient& viewer = join(viewer_options);
  run_for(20ms);
  Rtp sealed_packet = described(sender, 201, 1, true);
  sealed_packet.payload = sender.cam(500, true).payload;
  send(sender, sealed_packet);
  send(other, other.cam(201, true));
  turn();
  ASSERT_THAT(pictures(receiver), SizeIs(1));
  EXPECT_THAT(pictures(receiver)[0].payload(), ElementsAreArray(sealed_packet.payload));
  ASSERT_THAT(pictures(viewer), SizeIs(1));
  EXPECT_EQ(codec::parse_vp8(pictures(viewer)[0].payload())->picture_id, 1) << "rewritten";
}

}  // namespace
}  // namespace viaduct::testing
