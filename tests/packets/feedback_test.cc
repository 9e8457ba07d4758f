// Step 7: what clients say by RTCP, and what is done about it.
#include "protocol/rtp/rtx.h"
#include "tests/packets/path_fixture.h"

namespace viaduct::testing {
namespace {

using path::Drop;
using path::TxKind;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Feedback : public PathFixture {
 protected:
  TestClient& receiver = join(2);
  TestClient& sender = join_sender(1);
  const uint32_t slot = receiver.ssrc(0x20);
  const uint32_t slot_rtx = receiver.ssrc(0x30);

  std::vector<ReceivedRtp> pictures() const { return receiver.received_on(slot); }
  std::vector<ReceivedRtp> resent() const { return receiver.received_on(slot_rtx); }
  // Key-frame requests that have reached the sender, by the SSRC that they ask for.
  std::vector<uint32_t> requests_for_key_frames() const {
    std::vector<uint32_t> asked;
    for_each_rtcp(sender, [&](const rtcp::Packet& p) {
      if (const auto pli = rtcp::parse_pli(p)) asked.push_back(pli->media);
    });
    return asked;
  }
  uint64_t bytes_sent(TxKind kind) const {
    return counters.sent[static_cast<size_t>(kind)].bytes.value();
  }
};

TEST_F(Feedback, AnswersANackWithThePacketAsItWasSent) {
  for (uint16_t s = 201; s <= 203; ++s) send_now(sender, sender.cam(s, s == 201));
  const auto seen = pictures();
  ASSERT_THAT(seen, SizeIs(3));
  nack(receiver, slot, {seen[1].header.sequence});
  ASSERT_THAT(resent(), SizeIs(1));
  const ReceivedRtp again = resent()[0];
  EXPECT_EQ(again.header.payload_type, 97);
  EXPECT_EQ(again.header.timestamp, seen[1].header.timestamp);
  EXPECT_EQ(again.header.marker, seen[1].header.marker);
  EXPECT_EQ(rtp::read_original_sequence(again.payload()), seen[1].header.sequence);
  EXPECT_THAT(again.payload().subspan(2), ElementsAreArray(seen[1].payload()));
  EXPECT_EQ(rtp::read_mid(again.extension(4)), "v0");
}

TEST_F(Feedback, NumbersResentPacketsWithoutAHole) {
  for (uint16_t s = 201; s <= 220; ++s) send_now(sender, sender.cam(s, s == 201));
  std::vector<uint16_t> all;
  for (const ReceivedRtp& r : pictures()) all.push_back(r.header.sequence);
  nack(receiver, slot, all);
  ASSERT_THAT(resent(), SizeIs(20));
  for (size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(resent()[i].header.sequence, resent()[0].header.sequence + i);
    EXPECT_EQ(rtp::read_original_sequence(resent()[i].payload()), all[i]);
  }
  EXPECT_EQ(counters.nacks_received.value(), 20u);
}

TEST_F(Feedback, FindsThePacketBehindANumberFromBeforeAGapItClosed) {
  send_now(sender, sender.cam(201, true));
  Rtp padding = sender.cam(202);
  padding.padding = true;
  padding.payload = {0, 0, 3};
  send_now(sender, padding);
  send_now(sender, sender.cam(203));
  const auto seen = pictures();
  ASSERT_THAT(seen, SizeIs(2));
  nack(receiver, slot, {seen[0].header.sequence, seen[1].header.sequence});
  ASSERT_THAT(resent(), SizeIs(2));
  for (size_t i = 0; i < 2; ++i)
    EXPECT_THAT(resent()[i].payload().subspan(2), ElementsAreArray(seen[i].payload()));
}

TEST_F(Feedback, ResendsAPacketNoSoonerThanItsAnswerCouldHaveCome) {
  send_now(sender, sender.cam(201, true));
  const uint16_t number = pictures().at(0).header.sequence;
  nack(receiver, slot, {number});
  now_ += 17ms;
  nack(receiver, slot, {number});
  EXPECT_THAT(resent(), SizeIs(1));
  EXPECT_EQ(drops(Drop::ResendTooSoon), 1u);
  now_ += 1ms;  // 0.9 of the 20 ms taken for the round trip as long as none is known
  nack(receiver, slot, {number});
  EXPECT_THAT(resent(), SizeIs(2));
}

TEST_F(Feedback, ResendsNothingThatItNeverSent) {
  send_now(sender, sender.cam(201, true));
  const uint16_t number = pictures().at(0).header.sequence;
  nack(receiver, slot, {static_cast<uint16_t>(number - 1)});
  nack(receiver, slot, {static_cast<uint16_t>(number + 1)});
  nack(receiver, slot, {static_cast<uint16_t>(number + 0x8000)});
  EXPECT_EQ(drops(Drop::ResendUnknown), 3u);
  nack(receiver, slot_rtx, {number});
  nack(receiver, 0xdead, {number});
  nack(receiver, receiver.ssrc(0x10), {number});
  EXPECT_THAT(resent(), IsEmpty());
}

TEST_F(Feedback, ResendsNothingOfASourceThatTheSlotNoLongerCarries) {
  send_now(sender, sender.cam(201, true));
  const uint16_t number = pictures().at(0).header.sequence;
  leave(sender);
  nack(receiver, slot, {number});
  TestClient& next = join_sender(3);
  send_now(next, next.cam(201, true));
  nack(receiver, slot, {number});
  EXPECT_THAT(resent(), IsEmpty());
  EXPECT_EQ(drops(Drop::ResendUnknown), 2u);
}

TEST_F(Feedback, ResendsNothingOlderThanThreeSeconds) {
  send_now(sender, sender.cam(201, true));
  run_for(limits::ResendMaxAge + 600ms);
  nack(receiver, slot, {pictures().at(0).header.sequence});
  EXPECT_THAT(resent(), IsEmpty());
}

// What a full network has lost would fill it again.
TEST_F(Feedback, ResendsNoMoreThanTheNetworkTakesInHalfASecond) {
  auto options = TestClient::like_chromium(3);
  options.reporting = congestion::Reporting::TransportWide;
  for (auto& wide : options.slots) wide.transport_wide = true;
  TestClient& kim = join(options);
  for (uint16_t i = 0; i < 700; ++i) {  // of which her browser says nothing: the rate falls to its least
    send(sender, sender.cam(static_cast<uint16_t>(201 + i), i == 0));
    run_for(20ms);
  }
  const int64_t available = snapshot_of(kim).available->bits_per_second;
  std::vector<uint16_t> lost;
  for (const ReceivedRtp& packet : kim.received_on(kim.ssrc(0x20))) lost.push_back(packet.header.sequence);
  ASSERT_GT(lost.size(), 100u);
  lost.erase(lost.begin(), lost.end() - 100);
  kim.media.clear();
  nack(kim, kim.ssrc(0x20), lost);
  size_t bytes = 0;
  for (const ReceivedRtp& packet : kim.received_on(kim.ssrc(0x30))) bytes += packet.payload().size();
  EXPECT_GT(bytes, 0u);
  EXPECT_LT(static_cast<int64_t>(bytes), available / 8 / 2);
  EXPECT_GT(drops(Drop::ResendBudget), 0u);
}

TEST_F(Feedback, ResendsNoMoreThanAFifthOfTheMediaWhateverIsAskedFor) {
  std::vector<uint16_t> recent;
  for (uint16_t i = 0; i < 1200; ++i) {
    Rtp packet = sender.cam(static_cast<uint16_t>(201 + i), i == 0);
    packet.payload.resize(1100);
    send_now(sender, packet);
    recent.push_back(pictures().back().header.sequence);
    if (recent.size() > 16) recent.erase(recent.begin());
    receiver.media.clear();
    nack(receiver, slot, recent);
    now_ += 20ms;
  }
  constexpr double Credit = 64 * 1024;
  const double allowed = Credit + 0.2 * static_cast<double>(bytes_sent(TxKind::Media));
  const double spent = static_cast<double>(bytes_sent(TxKind::Resent));
  EXPECT_LE(spent, 1.05 * allowed) << "five per cent for what RTX itself adds";
  EXPECT_GE(spent, 0.8 * allowed) << "and the allowance is there to be used";
  EXPECT_GT(drops(Drop::ResendBudget), 5000u);
}

// Ten thousand requests in one second, each answered by the camera at once.
TEST_F(Feedback, AsksForFiveKeyFramesASecondAtMost) {
  send_now(sender, sender.cam(201, true));
  run_for(1s);
  forget_received();
  uint16_t sequence = 202;
  for (int step = 0; step < 100; ++step) {
    for (int i = 0; i < 100; ++i) pli(receiver, slot);
    if (!requests_for_key_frames().empty()) send_now(sender, sender.cam(sequence++, true));
    now_ += 10ms;
  }
  EXPECT_EQ(counters.key_frames_asked_of_us.value(), 10'000u);
  EXPECT_THAT(requests_for_key_frames(),
              ElementsAreArray(std::vector<uint32_t>(5, sender.ssrc(0x02))));
}

TEST_F(Feedback, RepeatsARequestUntilAKeyFrameComes) {
  send_now(sender, sender.cam(201, true));
  run_for(1s);
  forget_received();
  pli(receiver, slot);
  run_for(1990ms);
  EXPECT_THAT(requests_for_key_frames(), SizeIs(4));
  forget_received();
  send_now(sender, sender.cam(202, true));
  run_for(2s);
  EXPECT_THAT(requests_for_key_frames(), IsEmpty());
}

TEST_F(Feedback, TakesAFullIntraRequestForTheSame) {
  send_now(sender, sender.cam(201, true));
  run_for(1s);
  forget_received();
  send_rtcp(receiver, [&](rtcp::CompoundWriter& w) { w.fir(receiver.ssrc(1), slot, 7); });
  run_for(20ms);
  EXPECT_THAT(requests_for_key_frames(), ElementsAre(sender.ssrc(0x02)));
}

TEST_F(Feedback, AsksForNoKeyFrameOfWhatHasNone) {
  send_now(sender, sender.cam(201, true));
  run_for(1s);
  forget_received();
  const uint32_t not_pictures[] = {receiver.ssrc(0x10), receiver.ssrc(0x21), sender.ssrc(0x02), 0};
  for (const uint32_t ssrc : not_pictures) pli(receiver, ssrc);
  run_for(1s);
  EXPECT_THAT(requests_for_key_frames(), IsEmpty());
  EXPECT_EQ(counters.key_frames_asked_of_us.value(), 0u);
}

TEST_F(Feedback, LearnsLossAndRoundTripFromAReceiversReport) {
  // Sent by the bridge 70 ms ago, and held by the receiver for 30 ms of them.
  rtcp::ReportBlock block{.ssrc = slot, .fraction_lost = 64};
  block.last_sender_report = ntp.at(now_ - 70ms).middle();
  block.delay_since_last_sender_report = to_compact_ntp(30ms);
  send_rtcp(receiver, [&](rtcp::CompoundWriter& w) { w.receiver_report(1, {{block}}); });
  turn();
  const auto snapshot = snapshot_of(receiver);
  ASSERT_TRUE(snapshot.round_trip);
  EXPECT_NEAR(to_seconds(*snapshot.round_trip), 0.040, 0.001);
  EXPECT_EQ(snapshot.slots[1].ssrc, slot);
  EXPECT_DOUBLE_EQ(snapshot.slots[1].fraction_lost, 0.25);
}

TEST_F(Feedback, TakesReportBlocksOfASenderReportToo) {
  const rtcp::ReportBlock block{.ssrc = receiver.ssrc(0x10), .fraction_lost = 128};
  send_rtcp(receiver, [&](rtcp::CompoundWriter& w) {
    w.sender_report({.ssrc = receiver.ssrc(1)}, {{block}});
  });
  turn();
  EXPECT_DOUBLE_EQ(snapshot_of(receiver).slots[0].fraction_lost, 0.5);
  EXPECT_FALSE(snapshot_of(receiver).round_trip) << "it has seen no report of the bridge's yet";
}

TEST_F(Feedback, BelievesNoNegativeRoundTrip) {
  rtcp::ReportBlock block{.ssrc = slot};
  block.last_sender_report = ntp.at(now_).middle();
  block.delay_since_last_sender_report = to_compact_ntp(1s);
  send_rtcp(receiver, [&](rtcp::CompoundWriter& w) { w.receiver_report(1, {{block}}); });
  turn();
  EXPECT_FALSE(snapshot_of(receiver).round_trip);
}

TEST_F(Feedback, EndsASourceThatSaysByeUntilItSendsAgain) {
  send_rtcp(sender, [&](rtcp::CompoundWriter& w) { w.bye({{sender.ssrc(0x01)}}); });
  run_for(20ms);
  EXPECT_FALSE(snapshot_of(receiver).slots[0].carries);
  EXPECT_EQ(snapshot_of(receiver).slots[1].carries, sender.id()) << "its camera goes on";
  send(sender, sender.mic(101));
  run_for(20ms);
  EXPECT_EQ(snapshot_of(receiver).slots[0].carries, sender.id());
}

TEST_F(Feedback, EndsNothingForAByeOfSomebodyElse) {
  send_rtcp(receiver, [&](rtcp::CompoundWriter& w) { w.bye({{sender.ssrc(0x01)}}); });
  send_rtcp(sender, [&](rtcp::CompoundWriter& w) { w.bye({{sender.ssrc(0x03)}}); });
  run_for(20ms);
  EXPECT_EQ(snapshot_of(receiver).slots[0].carries, sender.id());
  EXPECT_EQ(snapshot_of(receiver).slots[1].carries, sender.id()) << "RTX alone has ended";
}

TEST_F(Feedback, ActsOnNoPartOfAMalformedCompound) {
  uint8_t space[100] = {};
  rtcp::CompoundWriter writer(space);
  writer.pli(receiver.ssrc(1), slot);
  store_be32(space + writer.size(), 0x80c90009);  // a report of ten words, of which there is one
  send(receiver, receiver.srtp->protect_rtcp(Bytes(space).first(writer.size() + 4)));
  turn();
  EXPECT_EQ(drops(Drop::RtcpMalformed), 1u);
  EXPECT_EQ(counters.key_frames_asked_of_us.value(), 0u);
}

}  // namespace
}  // namespace viaduct::testing
