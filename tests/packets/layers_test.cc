// Simulcast: two encodings of one camera, of which each receiver gets one as one continuous stream.
#include "protocol/codec/vp8.h"
#include "tests/packets/path_fixture.h"

namespace viaduct::testing {
namespace {

using codec::MediaKind;
using path::Drop;
using rtp::ExtensionType;
using ::testing::SizeIs;

constexpr uint8_t Low = 0, High = 1;
constexpr size_t BodyBytes[] = {200, 800};
constexpr const char* Rids[] = {"q", "h"};

class Layers : public PathFixture {
 protected:
  static TestClient::Options simulcast(uint32_t number) {
    auto options = TestClient::like_chromium(number);
    options.extensions.set(ExtensionType::Rid, 9);
    options.extensions.set(ExtensionType::RepairedRid, 10);
    options.sources[1] = {MediaKind::Video, "cam", {}, {}, {"q", "h"}};
    return options;
  }
  // The next frame of an encoding, 320x180 or 640x360.
  Rtp frame(TestClient& client, uint8_t encoding, bool key = false) {
    const uint16_t sequence = next[encoding]++;
    const auto text = [](std::string_view s) { return std::vector<uint8_t>(s.begin(), s.end()); };
    Rtp packet = client.cam(sequence, key);
    packet.ssrc = client.ssrc(encoding == Low ? 0x42u : 0x44u);
    packet.extensions = {{ExtensionType::Mid, text("cam")}, {ExtensionType::Rid, text(Rids[encoding])}};
    packet.payload = write_vp8({.key = key,
                                .picture_id = sequence,
                                .tl0 = static_cast<uint8_t>(sequence),
                                .body_bytes = BodyBytes[encoding]});
    if (key) {  // width and height stand behind the start code (RFC 6386 section 9.1)
      uint8_t* const size = packet.payload.data() + packet.payload.size() - BodyBytes[encoding] - 4;
      const uint16_t width = encoding == Low ? 320 : 640, height = encoding == Low ? 180 : 360;
      size[0] = static_cast<uint8_t>(width), size[1] = static_cast<uint8_t>(width >> 8);
      size[2] = static_cast<uint8_t>(height), size[3] = static_cast<uint8_t>(height >> 8);
    }
    return packet;
  }
  // Both encodings, thirty frames a second. A key frame that was asked for comes at once.
  void stream(TestClient& client, Duration time) {
    for (const Timestamp end = now_ + time; now_ < end;) {
      for (const uint8_t encoding : {Low, High}) {
        const bool asked = answers && take_request(client, client.ssrc(encoding == Low ? 0x42u : 0x44u));
        send(client, frame(client, encoding, asked));
      }
      turn();
      run_for(30ms);
    }
  }
  bool take_request(TestClient& client, uint32_t ssrc) {
    bool asked = false;
    for_each_rtcp(client, [&](const rtcp::Packet& p) {
      const auto pli = rtcp::parse_pli(p);
      asked = asked || (pli && pli->media == ssrc);
    });
    if (asked) client.rtcp.clear();
    return asked;
  }
  void wish(TestClient& client, int max_height) {
    conference::SetReceiverWishes command{client.id(), {.max_height = max_height}};
    path.set_wishes(command);
  }
  std::vector<ReceivedRtp> pictures(const TestClient& client) const { return client.received_on(client.ssrc(0x20)); }
  // Of a frame, by its size.
  static uint8_t encoding_of(const ReceivedRtp& packet) { return packet.payload().size() > 500 ? High : Low; }

  uint16_t next[2] = {1000, 65'530};
  bool answers = true;
};

TEST_F(Layers, GoUpToTheBestAndAreOneStreamOverTheSwitch) {
  TestClient& receiver = join(2);
  TestClient& sender = join(simulcast(1));
  stream(sender, 4s);
  const auto seen = pictures(receiver);
  ASSERT_GT(seen.size(), 60u);
  EXPECT_EQ(encoding_of(seen.front()), Low) << "until it is known what there is";
  EXPECT_EQ(encoding_of(seen.back()), High);
  for (size_t i = 1; i < seen.size(); ++i) {
    const auto before = codec::parse_vp8(seen[i - 1].payload()), here = codec::parse_vp8(seen[i].payload());
    ASSERT_TRUE(before && here);
    EXPECT_EQ(seen[i].header.sequence, static_cast<uint16_t>(seen[i - 1].header.sequence + 1));
    EXPECT_EQ(*here->picture_id, (*before->picture_id + 1) & 0x7fff);
    EXPECT_TRUE(rtp::is_newer_timestamp(seen[i].header.timestamp, seen[i - 1].header.timestamp));
    const bool switches = encoding_of(seen[i]) != encoding_of(seen[i - 1]);
    EXPECT_TRUE(here->key_frame || !switches) << "a switch without a key frame";
  }
}

TEST_F(Layers, GoDownAtOnceWhenASmallPictureIsWanted) {
  TestClient& receiver = join(2);
  TestClient& sender = join(simulcast(1));
  stream(sender, 4s);
  wish(receiver, 180);
  stream(sender, 500ms);
  EXPECT_EQ(encoding_of(pictures(receiver).back()), Low);
  wish(receiver, 360);
  stream(sender, 6s);
  EXPECT_EQ(encoding_of(pictures(receiver).back()), High);
}

TEST_F(Layers, StayWhereTheyAreUntilAKeyFrameOfTheOtherEncodingComes) {
  TestClient& receiver = join(2);
  TestClient& sender = join(simulcast(1));
  send_now(sender, frame(sender, Low));  // it has begun to send
  run_for(50ms);
  send_now(sender, frame(sender, Low, true));
  answers = false;
  stream(sender, 4s);
  for (const ReceivedRtp& packet : pictures(receiver)) EXPECT_EQ(encoding_of(packet), Low);
  EXPECT_GT(pictures(receiver).size(), 100u) << ::testing::PrintToString(dropped());
  EXPECT_GT(drops(Drop::OtherLayer), 0u) << "of the one that is waited for";
}

TEST_F(Layers, AreToldApartByRidAndOnlyTheirOwnClientsMaySendThem) {
  TestClient& sender = join(simulcast(1));
  Rtp unnamed = frame(sender, Low);
  unnamed.extensions.pop_back();
  send_now(sender, unnamed);
  EXPECT_EQ(drops(Drop::UnknownSsrc), 1u) << "neither RID nor a negotiated SSRC";
  send_now(sender, frame(sender, High, true));
  const auto snapshot = snapshot_of(sender);
  ASSERT_THAT(snapshot.sources[1].encodings, SizeIs(2));
  EXPECT_EQ(snapshot.sources[1].encodings[0].packets, 0u);
  EXPECT_EQ(snapshot.sources[1].encodings[1].packets, 1u);
  EXPECT_EQ(snapshot.sources[1].encodings[1].rid, "h");
}

TEST_F(Layers, AreResentFromTheEncodingThatTheyCameOn) {
  TestClient& receiver = join(2);
  TestClient& sender = join(simulcast(1));
  stream(sender, 4s);
  const ReceivedRtp last = pictures(receiver).back();
  forget_received();
  nack(receiver, receiver.ssrc(0x20), {last.header.sequence});
  const auto resent = receiver.received_on(receiver.ssrc(0x30));
  ASSERT_THAT(resent, SizeIs(1));
  EXPECT_EQ(load_be16(resent[0].payload().data()), last.header.sequence);
  EXPECT_TRUE(std::ranges::equal(resent[0].payload().subspan(2), last.payload()));
}

TEST_F(Layers, AreNotResentOnceThePictureIsAnotherSize) {
  TestClient& receiver = join(2);
  TestClient& sender = join(simulcast(1));
  stream(sender, 4s);
  const ReceivedRtp large = pictures(receiver).back();
  ASSERT_EQ(encoding_of(large), High);
  wish(receiver, 180);
  stream(sender, 500ms);
  ASSERT_EQ(encoding_of(pictures(receiver).back()), Low);
  nack(receiver, receiver.ssrc(0x20), {large.header.sequence});
  EXPECT_THAT(receiver.received_on(receiver.ssrc(0x30)), IsEmpty());
  EXPECT_EQ(drops(Drop::ResendUnneeded), 1u);
}

TEST_F(Layers, AreNotAskedForKeyFramesMoreThanFiveTimesASecondWhateverReceiversDo) {
  TestClient& sender = join(simulcast(1));
  std::vector<TestClient*> receivers;
  for (uint32_t i = 0; i < 8; ++i) receivers.push_back(&join(10 + i));
  answers = false;
  stream(sender, 1s);
  const uint64_t before = counters.key_frames_asked.value();
  for (int i = 0; i < 50; ++i) {
    for (TestClient* r : receivers) pli(*r, r->ssrc(0x20));
    run_for(20ms);
  }
  EXPECT_LE(counters.key_frames_asked.value() - before, 2 * 5u + 2) << "of two encodings";
}

}  // namespace
}  // namespace viaduct::testing
