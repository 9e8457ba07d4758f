// Sound with redundancy (RED, RFC 2198): as it came for those who take it, its primary block alone for the others, and
// added for those who lose much.
#include "protocol/rtp/red.h"

#include "protocol/rtp/red_writer.h"
#include "tests/packets/path_fixture.h"
#include "tests/support/encrypted_frames.h"
#include "tests/support/hex.h"

namespace viaduct::testing {
namespace {

using audio::MixRequest;
using codec::MediaKind;
using path::Drop;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint8_t Opus = 111, Red = 63;
constexpr uint32_t Step = 960;

TestClient::Options takes_red(TestClient::Options options, uint8_t red_payload_type = Red) {
  options.formats[0].red_payload_type = red_payload_type;
  for (auto& slot : options.slots) slot.takes_red = slot.kind == MediaKind::Audio;
  return options;
}

class Redundancy : public PathFixture {
 protected:
  // A packet of the microphone with the one before it.
  static Rtp red(const TestClient& client, uint16_t sequence) {
    Rtp packet = client.mic(sequence);
    const auto former = client.mic(static_cast<uint16_t>(sequence - 1)).payload;
    std::vector<uint8_t> payload(rtp::red_front_bytes(former.size()));
    rtp::write_red_front(payload, Opus, Step, former);
    payload.insert(payload.end(), packet.payload.begin(), packet.payload.end());
    packet.payload = payload;
    packet.payload_type = Red;
    return packet;
  }
  static std::vector<ReceivedRtp> sounds(const TestClient& client) { return client.received_on(client.ssrc(0x10)); }
  // The client's next report says that so much was lost.
  void report_loss(TestClient& client, double fraction, uint32_t slot = 0x10) {
    const rtcp::ReportBlock block{.ssrc = client.ssrc(slot), .fraction_lost = static_cast<uint8_t>(fraction * 256)};
    send_rtcp(client, [&](rtcp::CompoundWriter& w) { w.receiver_report(client.ssrc(1), {&block, 1}); });
    turn();
  }
  // Speaks from `first` on, a packet every 20 ms. Returns the number that follows.
  uint16_t speak(TestClient& client, uint16_t first, int packets) {
    for (int i = 0; i < packets; ++i) {
      send(client, client.mic(first++));
      run_for(20ms);
    }
    return first;
  }
  // That it is RED under `red_payload_type` which says `former` and then `own`.
  static void expect_red(const ReceivedRtp& packet, const Rtp& former, const Rtp& own, uint8_t red_payload_type = Red) {
    EXPECT_EQ(packet.header.payload_type, red_payload_type);
    const auto read = rtp::parse_red(packet.payload(), Opus);
    ASSERT_TRUE(read);
    EXPECT_THAT(read->primary, ElementsAreArray(own.payload));
    ASSERT_THAT(read->redundant(), SizeIs(1));
    EXPECT_EQ(read->redundant()[0].timestamp_offset, own.timestamp - former.timestamp);
    EXPECT_THAT(read->redundant()[0].bytes, ElementsAreArray(former.payload));
  }
  static void expect_plain(const ReceivedRtp& packet, const Rtp& own, uint8_t payload_type = Opus) {
    EXPECT_EQ(packet.header.payload_type, payload_type);
    EXPECT_THAT(packet.payload(), ElementsAreArray(own.payload));
  }
};

// What senders add.

TEST_F(Redundancy, GoesOnAsItCameUnderTheReceiversOwnNumber) {
  TestClient& bob = join(takes_red(TestClient::like_chromium(2)));
  TestClient& eve = join(takes_red(TestClient::like_chromium(3), 70));
  TestClient& ada = join_sender(takes_red(TestClient::like_chromium(1)));
  const Rtp packet = red(ada, 101);
  send_now(ada, packet);
  ASSERT_THAT(sounds(bob), SizeIs(1));
  ASSERT_THAT(sounds(eve), SizeIs(1));
  EXPECT_EQ(sounds(bob)[0].header.payload_type, Red);
  EXPECT_EQ(sounds(eve)[0].header.payload_type, 70);
  EXPECT_THAT(sounds(bob)[0].payload(), ElementsAreArray(packet.payload));
  EXPECT_THAT(sounds(eve)[0].payload(), ElementsAreArray(packet.payload));
}

TEST_F(Redundancy, IsStrippedForReceiversWithoutIt) {
  TestClient& chromium = join(2);
  TestClient& firefox = join(TestClient::like_firefox(3));
  TestClient& ada = join_sender(takes_red(TestClient::like_chromium(1)));
  send_now(ada, red(ada, 101));
  ASSERT_THAT(sounds(chromium), SizeIs(1));
  ASSERT_THAT(sounds(firefox), SizeIs(1));
  expect_plain(sounds(chromium)[0], ada.mic(101));
  expect_plain(sounds(firefox)[0], ada.mic(101), 109);
}

// The number stands in the payload.
TEST_F(Redundancy, IsStrippedForReceiversThatNumberOpusOtherwise) {
  TestClient& bob = join(takes_red(TestClient::like_firefox(2)));
  TestClient& ada = join_sender(takes_red(TestClient::like_chromium(1)));
  send_now(ada, red(ada, 101));
  ASSERT_THAT(sounds(bob), SizeIs(1));
  expect_plain(sounds(bob)[0], ada.mic(101), 109);
}

TEST_F(Redundancy, IsStrippedInSlotsThatWereAgreedOnWithoutIt) {
  auto options = takes_red(TestClient::like_chromium(2));
  for (auto& slot : options.slots) slot.takes_red = false;
  TestClient& bob = join(options);
  TestClient& ada = join_sender(takes_red(TestClient::like_chromium(1)));
  send_now(ada, red(ada, 101));
  ASSERT_THAT(sounds(bob), SizeIs(1));
  expect_plain(sounds(bob)[0], ada.mic(101));
}

TEST_F(Redundancy, MayComeAndGoWithinAStream) {
  TestClient& bob = join(2);
  TestClient& eve = join(takes_red(TestClient::like_chromium(3)));
  TestClient& ada = join_sender(takes_red(TestClient::like_chromium(1)));
  for (uint16_t s = 101; s < 111; ++s) send_now(ada, s % 2 == 0 ? red(ada, s) : ada.mic(s));
  ASSERT_THAT(sounds(bob), SizeIs(10));
  ASSERT_THAT(sounds(eve), SizeIs(10));
  for (size_t i = 0; i < 10; ++i) {
    const auto sequence = static_cast<uint16_t>(101 + i);
    expect_plain(sounds(bob)[i], ada.mic(sequence));
    if (sequence % 2 == 0) expect_red(sounds(eve)[i], ada.mic(static_cast<uint16_t>(sequence - 1)), ada.mic(sequence));
    if (i == 0) continue;
    for (TestClient* c : {&bob, &eve}) {
      EXPECT_EQ(sounds(*c)[i].header.sequence, sounds(*c)[i - 1].header.sequence + 1);
      EXPECT_EQ(sounds(*c)[i].header.timestamp, sounds(*c)[i - 1].header.timestamp + Step);
    }
  }
}

TEST_F(Redundancy, IsStrippedOfManyBlocksAndOfPadding) {
  TestClient& bob = join(2);
  TestClient& ada = join_sender(takes_red(TestClient::like_chromium(1)));
  Rtp packet = ada.mic(101);
  packet.payload_type = Red;
  packet.padding = true;
  packet.payload = from_hex("ef1e0002 ef0f0003 6f a1a2 b1b2b3 c1c2c3c4 000003");
  send_now(ada, packet);
  ASSERT_THAT(sounds(bob), SizeIs(1));
  EXPECT_THAT(sounds(bob)[0].payload(), ElementsAreArray({0xc1, 0xc2, 0xc3, 0xc4}));
}

TEST_F(Redundancy, WhenMalformedHasNothingForReceiversWithoutIt) {
  TestClient& bob = join(2);
  TestClient& ada = join_sender(takes_red(TestClient::like_chromium(1)));
  uint64_t malformed = 0;
  for (const char* payload : {"6f", "ef0f0014 6f", "ef0f0002 6f a1", "ee0f0001 6f a1 c1", "80ffffff"}) {
    Rtp packet = ada.mic(static_cast<uint16_t>(101 + malformed));
    packet.payload_type = Red;
    packet.payload = from_hex(payload);
    send_now(ada, packet);
    EXPECT_EQ(drops(Drop::RedUnreadable), ++malformed) << payload;
  }
  EXPECT_THAT(sounds(bob), IsEmpty());
  send_now(ada, red(ada, 120));
  EXPECT_THAT(sounds(bob), SizeIs(1));
}

TEST_F(Redundancy, IsOfNoUseToWhoHasNotAgreedOnIt) {
  join(takes_red(TestClient::like_chromium(2)));
  TestClient& ada = join_sender(1);
  send_now(ada, red(ada, 101));
  EXPECT_EQ(drops(Drop::UnknownPayloadType), 1u);
}

// Encrypted as a whole: nothing of it can be taken off, even where it looks as if.
TEST_F(Redundancy, OfSealedConferencesGoesWholeToThoseWhoTakeItAndNotToOthers) {
  const auto sealed = [](TestClient::Options options) {
    options.e2ee = {.wanted = true};
    return options;
  };
  TestClient& bob = join(sealed(takes_red(TestClient::like_chromium(2))));
  TestClient& eve = join(sealed(TestClient::like_chromium(3)));
  TestClient& ada = join_sender(sealed(takes_red(TestClient::like_chromium(1))));
  SeededRandom noise(3);
  Rtp encrypted = red(ada, 101);
  encrypted.payload.clear();
  append_noise(encrypted.payload, 90, noise);
  const Rtp packets[] = {encrypted, red(ada, 102)};
  for (const Rtp& packet : packets) send_now(ada, packet);
  ASSERT_THAT(sounds(bob), SizeIs(2));
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(sounds(bob)[i].header.payload_type, Red);
    EXPECT_THAT(sounds(bob)[i].payload(), ElementsAreArray(packets[i].payload));
  }
  EXPECT_THAT(sounds(eve), IsEmpty());
  EXPECT_EQ(drops(Drop::RedUnreadable), 2u);
}

TEST_F(Redundancy, IsNotMixedTwice) {
  auto options = TestClient::like_chromium(2);
  options.mixed = true;
  join(options);
  TestClient& ada = join_sender(takes_red(TestClient::like_chromium(1)));
  const auto handed_over = [&] {
    std::vector<MixRequest> found;
    for (; const MixRequest* r = mix_port->front_request(); mix_port->pop_request()) {
      if (r->kind == MixRequest::Kind::Sound) found.push_back(*r);
    }
    return found;
  };
  handed_over();
  send_now(ada, red(ada, 101));
  const auto sound = handed_over();
  ASSERT_THAT(sound, SizeIs(1));
  EXPECT_TRUE(std::ranges::equal(sound[0].sound(), ada.mic(101).payload));
  Rtp malformed = red(ada, 102);
  malformed.payload.resize(5);
  send_now(ada, malformed);
  EXPECT_THAT(handed_over(), IsEmpty());
  EXPECT_EQ(drops(Drop::RedUnreadable), 1u);
}

// What the bridge adds.

class AddedRedundancy : public Redundancy {
 protected:
  // Bob loses much, and has got so many packets since, to whom `next` is the one that follows.
  void lose_much() {
    report_loss(bob, 0.1);
    next = speak(ada, next, 3);
    forget_received();
  }
  // Its browser says when each packet arrived.
  static TestClient::Options measured(uint32_t number) {
    auto options = takes_red(TestClient::like_chromium(number));
    options.reporting = congestion::Reporting::TransportWide;
    for (auto& slot : options.slots) slot.transport_wide = true;
    return options;
  }
  // Says so of the packets received so far, but for `lost` of them after the first.
  void report_sounds(TestClient& client, size_t lost) {
    auto heard = sounds(client);
    ASSERT_GT(heard.size(), lost + 1);
    heard.erase(heard.begin() + 1, heard.begin() + 1 + static_cast<ptrdiff_t>(lost));
    report_arrivals(client, heard);
  }

  TestClient& bob = join(takes_red(TestClient::like_chromium(2)));
  TestClient& eve = join(takes_red(TestClient::like_chromium(3)));
  TestClient& ada = join_sender(1);
  uint16_t next = 101;
};

TEST_F(AddedRedundancy, IsThePacketBeforeForWhoLosesMuchAndForNobodyElse) {
  lose_much();
  const uint16_t first = next;
  next = speak(ada, next, 5);
  ASSERT_THAT(sounds(bob), SizeIs(5));
  ASSERT_THAT(sounds(eve), SizeIs(5));
  for (uint16_t i = 0; i < 5; ++i) {
    const auto sequence = static_cast<uint16_t>(first + i);
    expect_red(sounds(bob)[i], ada.mic(static_cast<uint16_t>(sequence - 1)), ada.mic(sequence));
    expect_plain(sounds(eve)[i], ada.mic(sequence));
  }
}

TEST_F(AddedRedundancy, IsFoundAmongPacketsThatComeTogether) {
  lose_much();
  const uint16_t first = next;
  for (int i = 0; i < 3; ++i) send(ada, ada.mic(next++));
  turn();
  ASSERT_THAT(sounds(bob), SizeIs(3));
  for (uint16_t i = 0; i < 3; ++i)
    expect_red(sounds(bob)[i], ada.mic(static_cast<uint16_t>(first + i - 1)),
               ada.mic(static_cast<uint16_t>(first + i)));
}

TEST_F(AddedRedundancy, EndsTenSecondsAfterTheLoss) {
  lose_much();
  const auto is_added = [&] {
    forget_received();
    next = speak(ada, next, 1);
    return sounds(bob).at(0).header.payload_type == Red;
  };
  for (int second = 0; second < 9; ++second) {
    report_loss(bob, 0);
    next = speak(ada, next, 50);
  }
  EXPECT_TRUE(is_added());
  next = speak(ada, next, 50);
  report_loss(bob, 0);
  EXPECT_FALSE(is_added());
}

TEST_F(AddedRedundancy, IsNotThereForReceiversWithoutRed) {
  TestClient& plain = join(4);
  report_loss(plain, 0.5);
  lose_much();
  next = speak(ada, next, 2);
  ASSERT_THAT(sounds(plain), SizeIs(2));
  for (const ReceivedRtp& r : sounds(plain)) EXPECT_EQ(r.header.payload_type, Opus);
}

// Receiver reports of sound are seconds apart; of what congestion control sees, loss is known at once.
TEST_F(AddedRedundancy, BeginsInTheFirstSecondOfLossWhereArrivalsAreReported) {
  TestClient& kim = join(measured(4));
  constexpr int PacketsInASecond = 50;
  next = speak(ada, next, PacketsInASecond);
  report_sounds(kim, 0);
  for (int i = 0; i < PacketsInASecond; i += 5) {
    forget_received();
    next = speak(ada, next, 5);
    for (const ReceivedRtp& packet : sounds(kim)) EXPECT_EQ(packet.header.payload_type, Opus) << "nothing was lost";
    report_sounds(kim, 0);
  }
  for (int i = 0; i < PacketsInASecond; i += 5) {
    forget_received();
    next = speak(ada, next, 5);
    report_sounds(kim, 1);
  }
  forget_received();
  next = speak(ada, next, 1);
  expect_red(sounds(kim).at(0), ada.mic(static_cast<uint16_t>(next - 2)), ada.mic(static_cast<uint16_t>(next - 1)));
}

// What a full network loses would only be more if sound were sent twice.
TEST_F(AddedRedundancy, IsNotThereForWhoseNetworkHasNoRoomForIt) {
  TestClient& kim = join(measured(4));
  lose_much();
  report_loss(kim, 0.1);
  next = speak(ada, next, 5);
  expect_red(sounds(kim).back(), ada.mic(static_cast<uint16_t>(next - 2)), ada.mic(static_cast<uint16_t>(next - 1)));
  // Kim's browser reports nothing of it, as when nothing came: what is thought to be available falls below the sound.
  for (int i = 0; i < 700; ++i) {
    Rtp packet = ada.mic(next++);
    packet.payload.resize(150);
    send(ada, packet);
    run_for(20ms);
  }
  report_loss(kim, 0.1);
  report_loss(kim, 0.1);
  forget_received();
  next = speak(ada, next, 5);
  ASSERT_THAT(sounds(kim), SizeIs(5));
  for (const ReceivedRtp& packet : sounds(kim)) EXPECT_EQ(packet.header.payload_type, Opus);
}

TEST_F(AddedRedundancy, LeavesRedOfSendersAlone) {
  TestClient& zoe = join_sender(takes_red(TestClient::like_chromium(5)));
  report_loss(bob, 0.4, 0x11);
  for (uint16_t s = 101; s < 106; ++s) {
    forget_received();
    send_now(zoe, red(zoe, s));
    const auto heard = bob.received_on(bob.ssrc(0x11));
    ASSERT_THAT(heard, SizeIs(1));
    EXPECT_THAT(heard[0].payload(), ElementsAreArray(red(zoe, s).payload));
  }
}

// What is missing cannot be said again, and what is long past would come too late.
TEST_F(AddedRedundancy, IsLeftOutAfterAGapAndAfterAPause) {
  lose_much();
  send_now(ada, ada.mic(++next));
  ASSERT_THAT(sounds(bob), SizeIs(1));
  expect_plain(sounds(bob)[0], ada.mic(next));
  forget_received();
  Rtp late = ada.mic(static_cast<uint16_t>(next + 1));
  late.timestamp += rtp::MaxRedTimestampOffset;
  send_now(ada, late);
  ASSERT_THAT(sounds(bob), SizeIs(1));
  expect_plain(sounds(bob)[0], late);
}

TEST_F(AddedRedundancy, IsLeftOutWhereThePacketWouldGrowTooLong) {
  lose_much();
  const auto is_added_to = [&](size_t former_bytes, size_t bytes) {
    Rtp former = ada.mic(next++), packet = ada.mic(next++);
    former.payload.resize(former_bytes);
    packet.payload.resize(bytes);
    send_now(ada, former);
    forget_received();
    send_now(ada, packet);
    return sounds(bob).at(0).header.payload_type == Red;
  };
  EXPECT_TRUE(is_added_to(500, 600));
  EXPECT_FALSE(is_added_to(500, 700)) << "for a network";
  EXPECT_FALSE(is_added_to(600, 100)) << "to be kept";
}

TEST_F(AddedRedundancy, IsNeverThereInSealedConferences) {
  lose_much();
  path.set_e2ee_policy({conference::ConferenceId{1}, {.wanted = true}});
  run_for(20ms);
  forget_received();
  next = speak(ada, next, 5);
  ASSERT_THAT(sounds(bob), SizeIs(5));
  for (const ReceivedRtp& r : sounds(bob)) EXPECT_EQ(r.header.payload_type, Opus);
}

// What a slot's receiver hears first of a source is nothing that it has missed, though others get it again.
TEST_F(AddedRedundancy, DoesNotReachBackBeyondASwitch) {
  auto options = takes_red(TestClient::listener(6));
  options.slots.resize(2);  // one for sound, one for pictures
  TestClient& narrow = join(options);
  next = speak(ada, next, 1);
  TestClient& zoe = join_sender(5);
  report_loss(narrow, 0.5);
  report_loss(eve, 0.5, 0x11);
  for (uint16_t s = 101; s < 106; ++s) {
    send(zoe, zoe.mic(s));
    next = speak(ada, next, 1);
  }
  leave(ada);
  run_for(20ms);
  forget_received();
  send_now(zoe, zoe.mic(106));
  ASSERT_THAT(sounds(narrow), SizeIs(1));
  expect_plain(sounds(narrow)[0], zoe.mic(106));
  ASSERT_THAT(eve.received_on(eve.ssrc(0x11)), SizeIs(1));
  expect_red(eve.received_on(eve.ssrc(0x11))[0], zoe.mic(105), zoe.mic(106));
  send_now(zoe, zoe.mic(107));
  ASSERT_THAT(sounds(narrow), SizeIs(2));
  expect_red(sounds(narrow)[1], zoe.mic(106), zoe.mic(107));
}

}  // namespace
}  // namespace viaduct::testing
