// Steps 10 and 11: sealed packets leave, if their receivers still want them; everything goes back to
// where it came from.
#include "tests/packets/path_fixture.h"

namespace viaduct::testing {
namespace {

using path::Drop;
using path::PacketKind;
using path::TxKind;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Transmit : public PathFixture {
 protected:
  TestClient& receiver = join(2);
  TestClient& sender = join_sender(1);

  uint64_t sent(TxKind kind) const {
    return counters.sent[static_cast<size_t>(kind)].packets.value();
  }
  uint64_t received(PacketKind kind) const {
    return counters.received[static_cast<size_t>(kind)].packets.value();
  }
};

TEST_F(Transmit, FallsSilentThirtySecondsAfterTheLastCheck) {
  Timestamp last_check = now_, last_sent;
  network.add_tap([&](const Datagram& d) {
    if (d.from == receiver.address) last_check = d.sent;
    if (d.to == receiver.address) last_sent = d.sent;
  });
  run_for(10s);
  receiver.checks = false;
  for (uint16_t s = 101; s < 501; ++s) {
    send(sender, sender.mic(s));
    run_for(100ms);
  }
  EXPECT_GT(last_sent - last_check, 29s) << "until then it may";
  EXPECT_LE(last_sent - last_check, 30s);
  const auto gone = reports_of<conference::EndpointGone>();
  ASSERT_THAT(gone, SizeIs(1));
  EXPECT_EQ(gone[0].endpoint, receiver.id());
  EXPECT_EQ(gone[0].reason, conference::GoneReason::ConsentLost);
  EXPECT_EQ(counters.consent_lost.value(), 1u);
}

TEST_F(Transmit, WipesTheKeysOfWhoLeavesAndKnowsItsPacketsNoMore) {
  EXPECT_THAT(opener.keys, SizeIs(2));
  EXPECT_THAT(sealer.keys, SizeIs(2));
  leave(sender);
  EXPECT_THAT(opener.keys, SizeIs(1));
  EXPECT_THAT(sealer.keys, SizeIs(1));
  send_now(sender, sender.mic(101));
  EXPECT_THAT(receiver.media, IsEmpty());
  EXPECT_EQ(drops(Drop::UnknownAddress), 1u);
  ASSERT_THAT(requests, SizeIs(1));
  EXPECT_EQ(std::get<path::CloseSession>(requests[0]).endpoint, handles.at(1));
}

TEST_F(Transmit, SendsNothingToWhoLeftWhileThePacketWasWithTheCipher) {
  sealer.held = true;
  send_now(sender, sender.mic(101));
  leave(receiver);
  sealer.held = false;
  turn();
  EXPECT_THAT(receiver.media, IsEmpty());
  EXPECT_EQ(receiver.undecryptable, 0u);
  EXPECT_GE(drops(Drop::NoConsent), 1u);
}

TEST_F(Transmit, ForwardsNothingOfWhoLeftWhileThePacketWasWithTheCipher) {
  opener.held = true;
  send_now(sender, sender.mic(101));
  leave(sender);
  opener.held = false;
  turn();
  EXPECT_THAT(receiver.media, IsEmpty());
  EXPECT_EQ(drops(Drop::UnknownAddress), 1u);
}

TEST_F(Transmit, KeepsPayloadsInPlaceForACipherThatFinishesLater) {
  opener.held = sealer.held = true;
  for (uint16_t s = 201; s <= 206; ++s) {
    send(sender, sender.cam(s, s == 201));  // kept for resending
    send(sender, sender.mic(s));            // and not
    turn();
    if (s == 203) opener.held = false;
  }
  EXPECT_THAT(receiver.media, IsEmpty());
  sealer.held = false;
  turn();
  const auto seen = receiver.received_on(receiver.ssrc(0x20));
  const auto heard = receiver.received_on(receiver.ssrc(0x10));
  ASSERT_THAT(seen, SizeIs(6));
  ASSERT_THAT(heard, SizeIs(6));
  for (size_t i = 0; i < 6; ++i) {
    const auto number = static_cast<uint32_t>(201 + i);
    EXPECT_EQ(seen[i].header.sequence, seen[0].header.sequence + i);
    EXPECT_THAT(seen[i].payload().last(40), ElementsAreArray(pattern(40, number)));
    EXPECT_THAT(heard[i].payload(), ElementsAreArray(pattern(20, number)));
  }
}

TEST_F(Transmit, LeavesPacketsInTheNetworkWhileTheCipherHoldsEveryBatch) {
  opener.held = true;
  const uint64_t before = received(PacketKind::Rtp);
  for (uint16_t s = 101; s <= 120; ++s) send_now(sender, sender.mic(s));
  EXPECT_EQ(received(PacketKind::Rtp) - before, limits::RxBatchesInFlight);
  opener.held = false;
  for (int i = 0; i < 3; ++i) turn();
  EXPECT_THAT(receiver.media, SizeIs(20));
}

TEST_F(Transmit, DropsWhatCannotBeSealed) {
  sealer.failing = true;
  send_now(sender, sender.mic(101));
  EXPECT_THAT(receiver.media, IsEmpty());
  EXPECT_EQ(receiver.undecryptable, 0u) << "nothing half done goes out";
  sealer.failing = false;
  send_now(sender, sender.mic(102));
  EXPECT_THAT(receiver.media, SizeIs(1));
}

TEST_F(Transmit, GoesOnAfterThePoolRanDry) {
  leave_free(5);
  for (uint16_t s = 101; s <= 150; ++s) send(sender, sender.mic(s));
  for (int i = 0; i < 20; ++i) turn();
  EXPECT_GT(drops(Drop::NoPacket), 0u);
  give_packets_back();
  forget_received();
  send_now(sender, sender.mic(151));
  EXPECT_THAT(receiver.media, SizeIs(1));
}

TEST_F(Transmit, KeepsNoPacketLongerThanThreeSeconds) {
  for (uint16_t s = 201; s <= 300; ++s) send_now(sender, sender.cam(s, s == 201));
  EXPECT_EQ(io.pool_size() - io.free_packets(), 100u) << "for resending";
  run_for(limits::ResendMaxAge - 100ms);
  EXPECT_EQ(io.pool_size() - io.free_packets(), 100u);
  run_for(700ms);
  EXPECT_EQ(io.free_packets(), io.pool_size());
}

TEST_F(Transmit, GivesBackWhatItKeepsBeforeItEnds) {
  for (uint16_t s = 201; s <= 300; ++s) send_now(sender, sender.cam(s, s == 201));
  ASSERT_LT(io.free_packets(), io.pool_size());
  path.release_kept();
  EXPECT_EQ(io.free_packets(), io.pool_size());
}

TEST_F(Transmit, KeepsABoundedNumberOfPacketsOfASource) {
  for (uint16_t i = 0; i < 2 * limits::ResendPacketsPerSource; ++i) {
    send_now(sender, sender.cam(static_cast<uint16_t>(201 + i), i == 0));
  }
  EXPECT_EQ(io.pool_size() - io.free_packets(), limits::ResendPacketsPerSource);
}

TEST_F(Transmit, KeepsNoSoundAndNoPictureThatNobodyReceives) {
  for (uint16_t s = 101; s <= 120; ++s) send_now(sender, sender.mic(s));
  EXPECT_EQ(io.free_packets(), io.pool_size());
  leave(receiver);
  for (uint16_t s = 201; s <= 220; ++s) send_now(sender, sender.cam(s, true));
  EXPECT_EQ(io.free_packets(), io.pool_size());
}

TEST_F(Transmit, CountsWhatLeavesByItsKind) {
  const uint64_t media = sent(TxKind::Media), resent = sent(TxKind::Resent);
  send_now(sender, sender.mic(101));
  send_now(sender, sender.cam(201, true));
  nack(receiver, receiver.ssrc(0x20),
       {receiver.received_on(receiver.ssrc(0x20)).at(0).header.sequence});
  EXPECT_EQ(sent(TxKind::Media), media + 2);
  EXPECT_EQ(sent(TxKind::Resent), resent + 1);
}

TEST_F(Transmit, MeasuresHowLongAPacketStayed) {
  const auto& histogram = counters.forwarding_latency;
  send(sender, sender.mic(101));
  now_ += 3ms;
  turn();
  for (size_t i = 0; i <= path::LatencyBounds.size(); ++i) {
    const bool holds_3_ms = i < path::LatencyBounds.size() && path::LatencyBounds[i] == 5e-3;
    EXPECT_EQ(histogram.bucket(i), holds_3_ms ? 1u : 0u) << i;
  }
  EXPECT_NEAR(histogram.sum(), 0.003, 1e-9);
}

TEST_F(Transmit, EndsAClientWhoseHandshakeFailsOrWhoSaysGoodbye) {
  ASSERT_TRUE(port.reply(path::SessionClosed{handles.at(1)}));
  ASSERT_TRUE(port.reply(path::SessionFailed{handles.at(2), "a test", true}));
  turn();
  const auto gone = reports_of<conference::EndpointGone>();
  ASSERT_THAT(gone, SizeIs(2));
  EXPECT_EQ(gone[0].endpoint, sender.id());
  EXPECT_EQ(gone[0].reason, conference::GoneReason::PeerClosed);
  EXPECT_EQ(gone[1].reason, conference::GoneReason::HandshakeTimeout);
  EXPECT_THAT(sealer.keys, IsEmpty());
}

TEST_F(Transmit, RefusesAClientWhoseIdIsTaken) {
  path.add(sender.describe(), now_);
  turn();
  const auto gone = reports_of<conference::EndpointGone>();
  ASSERT_THAT(gone, SizeIs(1));
  EXPECT_EQ(gone[0].reason, conference::GoneReason::Refused);
  send_now(sender, sender.mic(101));
  EXPECT_THAT(receiver.media, SizeIs(1)) << "the first goes on";
}

}  // namespace
}  // namespace viaduct::testing
