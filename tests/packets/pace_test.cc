// Pictures that would burst wait, in order; sound does not; reports can find what was sent.
#include "tests/packets/path_fixture.h"

namespace viaduct::testing {
namespace {

using path::Drop;
using path::TxKind;
using rtp::ExtensionType;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Paced : public PathFixture {
 protected:
  static TestClient::Options measured(uint32_t number,
                                      congestion::Reporting reporting = congestion::Reporting::TransportWide) {
    auto options = TestClient::like_chromium(number);
    options.reporting = reporting;
    for (auto& slot : options.slots) slot.transport_wide = true;
    return options;
  }
  Rtp picture(TestClient& sender, uint16_t sequence, bool key = false) {
    Rtp packet = sender.cam(sequence, key);
    packet.payload = write_vp8({.key = key,
                                .picture_id = static_cast<uint16_t>(sequence & 0x7fff),
                                .tl0 = static_cast<uint8_t>(sequence),
                                .body_bytes = 1000});
    return packet;
  }
  void burst(TestClient& sender, uint16_t first, int count) {
    for (int i = 0; i < count; ++i) send(sender, picture(sender, static_cast<uint16_t>(first + i), i == 0));
  }
  std::vector<ReceivedRtp> pictures(const TestClient& client) const { return client.received_on(client.ssrc(0x20)); }
  static uint16_t transport_sequence(const ReceivedRtp& packet, const TestClient& client) {
    const uint8_t id = client.options.slot_extensions.id(ExtensionType::TransportSequence);
    return rtp::read_transport_sequence(packet.extension(id)).value();
  }
};

TEST_F(Paced, LeaveSpreadOverTimeAndInOrder) {
  TestClient& receiver = join(measured(2));
  TestClient& sender = join_sender(1);
  burst(sender, 201, 40);
  turn();
  const size_t at_once = pictures(receiver).size();
  EXPECT_GT(at_once, 0u);
  EXPECT_LT(at_once, 40u);
  run_for(10ms);
  EXPECT_GT(pictures(receiver).size(), at_once);
  EXPECT_LT(pictures(receiver).size(), 40u);
  run_for(300ms);
  const auto seen = pictures(receiver);
  ASSERT_THAT(seen, SizeIs(40));
  for (size_t i = 1; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].header.sequence, seen[i - 1].header.sequence + 1);
    EXPECT_EQ(seen[i].payload().size(), seen[0].payload().size());
  }
  EXPECT_GT(counters.paced.packets.value(), 0u);
  EXPECT_THAT(dropped(), IsEmpty());
}

TEST_F(Paced, LetSoundGoFirst) {
  TestClient& receiver = join(measured(2));
  TestClient& sender = join_sender(1);
  burst(sender, 201, 40);
  turn();
  ASSERT_LT(pictures(receiver).size(), 40u);
  send_now(sender, sender.mic(101));
  EXPECT_THAT(receiver.received_on(receiver.ssrc(0x10)), SizeIs(1));
  EXPECT_LT(pictures(receiver).size(), 40u);
}

TEST_F(Paced, AreNumberedAsTheyLeave) {
  TestClient& receiver = join(measured(2));
  TestClient& sender = join_sender(1);
  for (uint16_t i = 0; i < 20; ++i) {
    burst(sender, static_cast<uint16_t>(201 + 12 * i), 12);
    send(sender, sender.mic(static_cast<uint16_t>(101 + i)));
    run_for(20ms);
  }
  run_for(1s);
  std::vector<ReceivedRtp> all = receiver.media;
  ASSERT_GT(all.size(), 260u);
  for (size_t i = 1; i < all.size(); ++i) {
    EXPECT_EQ(transport_sequence(all[i], receiver),
              static_cast<uint16_t>(transport_sequence(all[i - 1], receiver) + 1));
  }
}

TEST_F(Paced, DoNotWaitForWhoseNetworkNobodyMeasures) {
  TestClient& receiver = join(2);
  TestClient& sender = join_sender(1);
  burst(sender, 201, 60);
  turn();
  EXPECT_THAT(pictures(receiver), SizeIs(60));
  const uint8_t id = receiver.options.slot_extensions.id(ExtensionType::TransportSequence);
  EXPECT_THAT(pictures(receiver)[0].extension(id), IsEmpty());
}

TEST_F(Paced, AreResentNoSoonerThanTheQueuesOfNowLetAnAnswerCome) {
  TestClient& receiver = join(measured(2));
  TestClient& sender = join_sender(1);
  send_now(sender, picture(sender, 201, true));
  const auto first = pictures(receiver);
  ASSERT_THAT(first, SizeIs(1));
  now_ += 200ms;
  report_arrivals(receiver, first);
  const auto resent_after = [&](Duration wait) {
    now_ += wait;
    nack(receiver, receiver.ssrc(0x20), {first[0].header.sequence});
    return receiver.received_on(receiver.ssrc(0x30)).size();
  };
  EXPECT_EQ(resent_after(0ms), 1u);
  EXPECT_EQ(resent_after(179ms), 1u);
  EXPECT_EQ(resent_after(1ms), 2u);
}

TEST_F(Paced, AreResentToProbeWhatTheNetworkTakes) {
  TestClient& receiver = join(measured(2));
  TestClient& sender = join_sender(1);
  for (uint16_t i = 0; i < 100; ++i) {  // 3.2 Mbit/s, more than is thought possible at first
    burst(sender, static_cast<uint16_t>(201 + 12 * i), 12);
    run_for(30ms);
  }
  EXPECT_GT(counters.probes.value(), 0u);
  EXPECT_GT(counters.sent[static_cast<size_t>(TxKind::Probe)].packets.value(), 0u);
  std::map<uint16_t, ReceivedRtp> sent;
  for (const ReceivedRtp& p : pictures(receiver)) sent.emplace(p.header.sequence, p);
  size_t repeated = 0;
  for (const ReceivedRtp& probe : receiver.received_on(receiver.ssrc(0x30))) {
    if (probe.payload().empty()) continue;  // padding alone
    const auto original = sent.find(load_be16(probe.payload().data()));
    ASSERT_NE(original, sent.end()) << "a probe is a packet that was sent before";
    EXPECT_TRUE(std::ranges::equal(original->second.payload(), probe.payload().subspan(2)));
    ++repeated;
  }
  EXPECT_GT(repeated, 0u);
}

// Otherwise a picture that needs more than is thought possible at first would never come.
TEST_F(Paced, NeedNotHaveBeenSentForAProbe) {
  TestClient& receiver = join(measured(2));
  TestClient& sender = join_sender(1);
  for (uint16_t i = 0; i < 50; ++i) {
    for (uint16_t k = 0; k < 12; ++k) send(sender, picture(sender, static_cast<uint16_t>(201 + 12 * i + k)));
    run_for(30ms);
  }
  EXPECT_THAT(pictures(receiver), IsEmpty()) << "no key frame has come";
  const auto probes = receiver.received_on(receiver.ssrc(0x30));
  EXPECT_GT(probes.size(), 5u);
  for (const ReceivedRtp& probe : probes) EXPECT_THAT(probe.payload(), IsEmpty());
}

TEST_F(Paced, AreForgottenWhenTheirSourceIsGone) {
  TestClient& receiver = join(measured(2));
  TestClient& sender = join_sender(1);
  burst(sender, 201, 40);
  turn();
  const size_t before = pictures(receiver).size();
  leave(sender);
  run_for(1s);
  EXPECT_EQ(pictures(receiver).size(), before);
  EXPECT_EQ(drops(Drop::PacedTooLong), 40 - before);
}

TEST_F(Paced, GoToNobodyOnceTheirSourceIsHeldBackOrMuted) {
  for (const bool muted : {false, true}) {
    TestClient& receiver = join(measured(muted ? 4 : 2));
    TestClient& sender = join_sender(muted ? 3 : 1);
    burst(sender, 201, 40);
    turn();
    const auto seen = [&] { return receiver.media.size(); };
    const size_t before = seen();
    ASSERT_LT(before, 40u);
    if (muted) {
      path.set_muted({.endpoint = sender.id(), .kind = codec::MediaKind::Video, .muted = true});
    } else {
      path.set_e2ee_policy({conference::ConferenceId{1}, {.wanted = true, .required = true}});
    }
    run_for(1s);
    EXPECT_EQ(seen(), before) << (muted ? "muted" : "held back");
    leave(sender);
    leave(receiver);
    path.set_e2ee_policy({conference::ConferenceId{1}, {}});
  }
}

TEST_F(Paced, SendTimesToWhoEstimatesByItself) {
  TestClient& receiver = join(measured(2, congestion::Reporting::Remb));
  TestClient& sender = join_sender(1);
  send_now(sender, picture(sender, 201, true));
  ASSERT_THAT(pictures(receiver), SizeIs(1));
  const auto& ids = receiver.options.slot_extensions;
  EXPECT_THAT(pictures(receiver)[0].extension(ids.id(ExtensionType::AbsSendTime)), SizeIs(3));
  EXPECT_THAT(pictures(receiver)[0].extension(ids.id(ExtensionType::TransportSequence)), IsEmpty());
}

}  // namespace
}  // namespace viaduct::testing
