// RTCP that the bridge sends on its own account.
#include "protocol/rtcp/transport_feedback.h"
#include "tests/packets/path_fixture.h"

namespace viaduct::testing {
namespace {

using rtcp::Kind;
using rtp::ExtensionType;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class Reports : public PathFixture {
 protected:
  TestClient& receiver = join(2);
  TestClient& sender = join_sender(1);

  // The newest report block about `ssrc` that `client` has got.
  static std::optional<rtcp::ReportBlock> block_about(uint32_t ssrc, const TestClient& client) {
    std::optional<rtcp::ReportBlock> newest;
    for_each_rtcp(client, [&](const rtcp::Packet& p) {
      const auto report = rtcp::parse_receiver_report(p);
      for (size_t i = 0; report && i < report->blocks.size(); ++i) {
        if (report->blocks[i].ssrc == ssrc) newest = report->blocks[i];
      }
    });
    return newest;
  }
  // The newest sender report of the stream.
  static std::optional<rtcp::SenderReport> report_of(uint32_t ssrc, const TestClient& client) {
    std::optional<rtcp::SenderReport> newest;
    for_each_rtcp(client, [&](const rtcp::Packet& p) {
      const auto report = rtcp::parse_sender_report(p);
      if (report && report->ssrc == ssrc) newest = report;
    });
    return newest;
  }
  static std::vector<uint16_t> nacked(const TestClient& client) {
    std::vector<uint16_t> all;
    for_each_rtcp(client, [&](const rtcp::Packet& p) {
      const auto nack = rtcp::parse_nack(p);
      if (!nack) return;
      EXPECT_EQ(nack->sender, client.feedback_ssrc());
      EXPECT_EQ(nack->media, client.ssrc(0x02));
      nack->for_each_lost([&](uint16_t sequence) { all.push_back(sequence); });
    });
    return all;
  }
  static size_t count(Kind kind, const TestClient& client) {
    size_t found = 0;
    for_each_rtcp(client, [&](const rtcp::Packet& p) { found += p.kind == kind; });
    return found;
  }
};

TEST_F(Reports, TellsASenderHowItsPacketsArrive) {
  for (uint16_t s = 101; s <= 110; ++s) {
    if (s != 103 && s != 104 && s != 107) send_now(sender, sender.mic(s));
    run_for(20ms);
  }
  run_for(500ms);
  const auto block = block_about(sender.ssrc(0x01), sender);
  ASSERT_TRUE(block);
  EXPECT_EQ(block->cumulative_lost, 3);
  EXPECT_EQ(block->extended_highest_sequence, 110u);
  EXPECT_LT(block->jitter, 48u) << "every packet came in its time, but for the turns of the test";
}

TEST_F(Reports, ReportsTheShareLostSinceTheLastReport) {
  run_for(1s);
  forget_received();
  for (uint16_t s = 101; s <= 116; s += 2) send_now(sender, sender.mic(s));
  run_for(500ms);
  EXPECT_EQ(block_about(sender.ssrc(0x01), sender)->fraction_lost, 7 * 256 / 15);
  forget_received();
  run_for(500ms);
  EXPECT_EQ(block_about(sender.ssrc(0x01), sender)->fraction_lost, 0);
}

TEST_F(Reports, EchoesTheTimeOfTheSendersReportAndHowLongAgoItCame) {
  const NtpTime written{0x1234567890abcdefu};
  send_rtcp(sender, [&](rtcp::CompoundWriter& w) {
    w.sender_report({.ssrc = sender.ssrc(0x01), .ntp = written});
  });
  turn();
  const Timestamp arrival = now_;
  Timestamp reported;
  network.add_tap([&](const Datagram& d) {
    if (d.to == sender.address) reported = d.sent;
  });
  for (int i = 0; i < 100 && !block_about(sender.ssrc(0x01), sender); ++i) run_for(10ms);
  const auto block = block_about(sender.ssrc(0x01), sender);
  ASSERT_TRUE(block);
  EXPECT_EQ(block->last_sender_report, 0x567890abu);
  EXPECT_NEAR(block->delay_since_last_sender_report, to_compact_ntp(reported - arrival), 1);
}

TEST_F(Reports, ComesEveryHalfSecondWithSdesInFront) {
  forget_received();
  run_for(10s);
  EXPECT_NEAR(static_cast<double>(count(Kind::ReceiverReport, receiver)), 20, 1);
  std::string cname;
  for_each_rtcp(receiver, [&](const rtcp::Packet& p) {
    if (p.kind != Kind::Sdes) return;
    EXPECT_TRUE(rtcp::is_valid_sdes(p));
    cname = as_text(p.body.subspan(6, p.body[5]));
    EXPECT_EQ(load_be32(p.body.data()), receiver.feedback_ssrc())
        << "no slot has a sender report yet";
  });
  EXPECT_EQ(cname, "cname2");
  EXPECT_EQ(receiver.undecryptable, 0u) << "each under an index of its own";
}

// The sender's clock is an hour ahead; only differences may count.
TEST_F(Reports, PairsTheBridgesClockWithTheSlotsMediaTime) {
  const Timestamp captured = now_;
  const uint32_t captured_rtp = sender.mic(101).timestamp;
  send_rtcp(sender, [&](rtcp::CompoundWriter& w) {
    w.sender_report(
        {.ssrc = sender.ssrc(0x01), .ntp = ntp.at(now_ + 1h), .rtp_timestamp = captured_rtp});
  });
  send_now(sender, sender.mic(101));
  const uint32_t out_rtp = receiver.received_on(receiver.ssrc(0x10)).at(0).header.timestamp;
  run_for(1300ms);
  const auto report = report_of(receiver.ssrc(0x10), receiver);
  ASSERT_TRUE(report);
  const Duration passed = ntp_difference(report->ntp, ntp.at(captured));
  EXPECT_GT(passed, 500ms);
  EXPECT_NEAR(report->rtp_timestamp - out_rtp, to_seconds(passed) * 48'000, 2);
}

TEST_F(Reports, FollowsASenderWhoseClockIsSetInMidCall) {
  uint16_t sequence = 101;
  for (const Duration set : std::vector<Duration>{0h, -2h, 3h}) {
    forget_received();
    const Timestamp captured = now_;
    const Rtp packet = sender.mic(sequence++);
    send_rtcp(sender, [&](rtcp::CompoundWriter& w) {
      w.sender_report({.ssrc = sender.ssrc(0x01),
                       .ntp = ntp.at(now_ + set),
                       .rtp_timestamp = packet.timestamp});
    });
    send_now(sender, packet);
    const uint32_t out_rtp = receiver.received_on(receiver.ssrc(0x10)).at(0).header.timestamp;
    run_for(1300ms);
    const auto report = report_of(receiver.ssrc(0x10), receiver);
    ASSERT_TRUE(report);
    const Duration passed = ntp_difference(report->ntp, ntp.at(captured));
    EXPECT_NEAR(report->rtp_timestamp - out_rtp, to_seconds(passed) * 48'000, 2);
  }
}

// UndefinedBehaviorSanitizer watches.
TEST_F(Reports, LiveWithASenderWhoseClockIsNonsense) {
  send_now(sender, sender.mic(101));
  const uint64_t times[] = {ntp.at(now_).value, 0, ~uint64_t{0},
                            uint64_t{1} << 63,  1, ntp.at(now_).value};
  for (const uint64_t time : times) {
    for (const uint32_t ssrc : {sender.ssrc(0x01), sender.ssrc(0x02)}) {
      send_rtcp(sender, [&](rtcp::CompoundWriter& w) {
        w.sender_report({.ssrc = ssrc, .ntp = NtpTime{time}, .rtp_timestamp = 0xffff'ffff});
      });
    }
    run_for(600ms);
  }
  EXPECT_GT(count(Kind::SenderReport, receiver), 3u);
}

class ManyStreams : public PathFixture {};

TEST_F(ManyStreams, AreAllReportedThoughTheyDoNotFitOneReport) {
  constexpr uint32_t Senders = 10, SourcesOfEach = 4;
  auto listening = TestClient::listener(99);
  listening.slots.clear();
  for (uint32_t i = 0; i < Senders * SourcesOfEach; ++i) {
    listening.slots.push_back({codec::MediaKind::Audio, std::to_string(i), 0x990000 + i, 0});
  }
  TestClient& receiver = join(listening);
  for (uint32_t n = 1; n <= Senders; ++n) {
    auto sending = TestClient::listener(n);
    for (uint32_t i = 0; i < SourcesOfEach; ++i) {
      sending.sources.push_back({codec::MediaKind::Audio, "m" + std::to_string(i), n << 8 | i, {}});
    }
    TestClient& sender = join(sending);
    for (const uint16_t sequence : std::vector<uint16_t>{1, 2}) {
      for (uint32_t i = 0; i < SourcesOfEach; ++i) {
        Rtp packet = sender.mic(sequence);
        packet.ssrc = n << 8 | i;
        send(sender, packet);
        send_rtcp(sender, [&](rtcp::CompoundWriter& w) {
          w.sender_report({.ssrc = packet.ssrc, .ntp = ntp.at(now_), .rtp_timestamp = 1});
        });
      }
      run_for(20ms);
    }
  }
  run_for(2s);
  std::set<uint32_t> reported;
  for_each_rtcp(receiver, [&](const rtcp::Packet& p) {
    if (const auto report = rtcp::parse_sender_report(p)) reported.insert(report->ssrc);
  });
  EXPECT_EQ(reported.size(), Senders * SourcesOfEach);
}

TEST_F(Reports, CountsPacketsAndOctetsOfTheSlotsWholeStream) {
  send_rtcp(sender, [&](rtcp::CompoundWriter& w) {
    w.sender_report({.ssrc = sender.ssrc(0x01), .ntp = ntp.at(now_), .rtp_timestamp = 1});
  });
  for (uint16_t s = 101; s <= 107; ++s) send_now(sender, sender.mic(s));  // 20 bytes each
  run_for(600ms);
  const auto report = report_of(receiver.ssrc(0x10), receiver);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->packets, 7u);
  EXPECT_EQ(report->octets, 140u);
}

TEST_F(Reports, SaysNothingOfAStreamWhoseMediaTimeItDoesNotKnow) {
  send_now(sender, sender.mic(101));
  run_for(2s);
  EXPECT_EQ(count(Kind::SenderReport, receiver), 0u);
}

TEST_F(Reports, AsksForAGapInPicturesUntilItIsFilled) {
  send_now(sender, sender.cam(201, true));
  send_now(sender, sender.cam(205));
  forget_received();
  run_for(15ms);
  EXPECT_THAT(nacked(sender), ElementsAre(202, 203, 204));
  forget_received();
  for (uint16_t s = 202; s <= 204; ++s) send(sender, sender.rtx(s, sender.cam(s)));
  run_for(1s);
  EXPECT_THAT(nacked(sender), IsEmpty());
  EXPECT_THAT(receiver.received_on(receiver.ssrc(0x20)), SizeIs(3)) << "and what came goes on";
}

TEST_F(Reports, GivesAPacketUpAfterTenRequests) {
  send_now(sender, sender.cam(201, true));
  send_now(sender, sender.cam(203));
  forget_received();
  run_for(3s);
  EXPECT_THAT(nacked(sender), ElementsAre(202, 202, 202, 202, 202, 202, 202, 202, 202, 202));
}

TEST_F(Reports, AsksForNoSoundAgain) {
  send_now(sender, sender.mic(101));
  send_now(sender, sender.mic(120));
  run_for(1s);
  EXPECT_EQ(count(Kind::Nack, sender), 0u);
}

TEST_F(Reports, AsksForAKeyFrameWhenThereIsTooMuchToAskFor) {
  send_now(sender, sender.cam(201, true));
  run_for(1s);
  const uint64_t before = counters.key_frames_asked.value();
  forget_received();
  send_now(sender, sender.cam(201 + 2 * limits::MissingPacketsPerSource));
  run_for(100ms);
  EXPECT_THAT(nacked(sender), IsEmpty());
  EXPECT_EQ(counters.key_frames_asked.value(), before + 1);
}

class KeyFrameRequests : public PathFixture {};

TEST_F(KeyFrameRequests, GoOutAsSoonAsSomebodyReceivesTheCamera) {
  TestClient& sender = join_sender(1);
  run_for(1s);
  EXPECT_EQ(counters.key_frames_asked.value(), 0u) << "there is nobody who could see it";
  join(2);
  run_for(20ms);
  size_t requests_seen = 0;
  for_each_rtcp(sender, [&](const rtcp::Packet& p) {
    const auto pli = rtcp::parse_pli(p);
    if (!pli) return;
    ++requests_seen;
    EXPECT_EQ(pli->media, sender.ssrc(0x02));
    EXPECT_EQ(pli->sender, sender.feedback_ssrc());
  });
  EXPECT_EQ(requests_seen, 1u);
}

TEST_F(KeyFrameRequests, AreFullIntraRequestsForAClientThatTakesNoPli) {
  auto options = TestClient::like_chromium(1);
  for (auto& format : options.formats) format.pli = false;
  join(2);
  TestClient& sender = join_sender(options);
  run_for(1100ms);
  std::vector<int> sequence;
  for_each_rtcp(sender, [&](const rtcp::Packet& p) {
    EXPECT_NE(p.kind, Kind::Pli);
    const auto fir = rtcp::parse_fir(p);
    if (!fir) return;
    fir->for_each([&](uint32_t ssrc, uint8_t number) {
      EXPECT_EQ(ssrc, sender.ssrc(0x02));
      sequence.push_back(number);
    });
  });
  ASSERT_THAT(sequence, Not(IsEmpty()));
  for (size_t i = 1; i < sequence.size(); ++i)
    EXPECT_EQ(sequence[i], sequence[i - 1] + 1) << "a new request each";
}

// What the sender's congestion control lives on: which packets came, and when.
class Arrivals : public Reports {
 protected:
  void send_numbered(uint16_t mic, uint16_t transport, uint8_t level = 30) {
    Rtp packet = sender.mic(mic, level);
    uint8_t number[2];
    store_be16(number, transport);
    packet.extensions.push_back({ExtensionType::TransportSequence, {number[0], number[1]}});
    send_now(sender, packet);
  }
  std::vector<rtcp::PacketStatus> reported() const {
    std::vector<rtcp::PacketStatus> all;
    for_each_rtcp(sender, [&](const rtcp::Packet& p) {
      const auto feedback = rtcp::parse_transport_feedback(p);
      if (!feedback) return;
      EXPECT_EQ(feedback->sender, sender.feedback_ssrc());
      feedback->for_each([&](const rtcp::PacketStatus& s) { all.push_back(s); });
    });
    return all;
  }
};

TEST_F(Arrivals, AreReportedWithinAHundredMilliseconds) {
  send_numbered(101, 65'534);
  now_ += 10ms;
  send_numbered(102, 65'535);
  now_ += 15ms;
  send_numbered(103, 1);
  run_for(100ms);
  const auto statuses = reported();
  ASSERT_THAT(statuses, SizeIs(4));
  EXPECT_EQ(statuses[2].sequence, 0);
  EXPECT_FALSE(statuses[2].arrival) << "lost";
  ASSERT_TRUE(statuses[0].arrival && statuses[1].arrival && statuses[3].arrival);
  EXPECT_EQ(*statuses[1].arrival - *statuses[0].arrival, 10ms);
  EXPECT_EQ(*statuses[3].arrival - *statuses[1].arrival, 15ms);
}

TEST_F(Arrivals, CountSilenceThatWasWithheld) {
  forget_received();
  for (uint16_t i = 0; i < 40; ++i) {
    send_numbered(static_cast<uint16_t>(101 + i), i, 127);
    run_for(20ms);
  }
  run_for(600ms);
  EXPECT_GT(drops(path::Drop::Silence), 30u);
  const auto statuses = reported();
  EXPECT_THAT(statuses, SizeIs(40));
  for (const auto& s : statuses) EXPECT_TRUE(s.arrival) << s.sequence;
  EXPECT_EQ(block_about(sender.ssrc(0x01), sender)->cumulative_lost, 0);
}

TEST_F(Reports, SaysGoodbyeForEverySlotToEveryone) {
  forget_received();
  path.close(now_);
  turn();
  for (const TestClient* client : {&receiver, &sender}) {
    std::vector<uint32_t> ended;
    for_each_rtcp(*client, [&](const rtcp::Packet& p) {
      const auto bye = rtcp::parse_bye(p);
      for (size_t i = 0; bye && i < bye->ssrcs.size(); ++i) ended.push_back(bye->ssrcs[i]);
    });
    EXPECT_THAT(ended, UnorderedElementsAre(client->ssrc(0x10), client->ssrc(0x11),
                                            client->ssrc(0x20), client->ssrc(0x21)));
  }
}

}  // namespace
}  // namespace viaduct::testing
