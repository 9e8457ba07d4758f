// What goes to the mixing thread, which the test plays, and what becomes of what it makes.
#include "protocol/rtp/packet.h"
#include "tests/packets/path_fixture.h"

namespace viaduct::testing {
namespace {

using audio::MixedFrame;
using audio::MixRequest;
using codec::MediaKind;
using path::TxKind;
using rtp::ExtensionType;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = MixRequest::Kind;

constexpr auto key_of(const TestClient& c) { return audio::MemberKey{c.options.number}; }

class Mixes : public PathFixture {
 protected:
  static TestClient::Options mixed(uint32_t number) {
    auto options = TestClient::like_chromium(number);
    options.mixed = true;
    return options;
  }
  // What the mixing thread was asked since the last time.
  std::vector<MixRequest> requests_of(Kind kind) {
    std::vector<MixRequest> found;
    while (const MixRequest* r = mix_port->front_request()) {
      if (r->kind == kind) found.push_back(*r);
      mix_port->pop_request();
    }
    return found;
  }
  void make_mix(MixedFrame frame, uint8_t fill = 0x5a) {
    MixedFrame& blank = *mix_port->blank_frame();
    frame.conference = audio::ConferenceKey{1};
    frame.made = now_;
    frame.bytes = 60;
    frame.payload.fill(fill);
    blank = frame;
    mix_port->push_frame();
  }
  static MixedFrame for_one(const TestClient& c, uint64_t tick) {
    MixedFrame f{};
    f.is_for_one = true;
    f.member = key_of(c);
    f.tick = tick;
    return f;
  }
  static MixedFrame for_all_but(std::vector<const TestClient*> speakers, uint64_t tick) {
    MixedFrame f{};
    f.tick = tick;
    f.level = 33;
    for (const TestClient* s : speakers) f.speakers[f.speaker_count++] = key_of(*s);
    return f;
  }
  uint64_t sent(TxKind kind) const {
    return counters.sent[static_cast<size_t>(kind)].packets.value();
  }

  TestClient& listener = join(mixed(2));
  TestClient& sender = join_sender(1);
};

TEST_F(Mixes, HandsSoundOverAsItCame) {
  requests_of(Kind::Sound);
  const Rtp packet = sender.mic(101);
  send_now(sender, packet);
  const auto sounds = requests_of(Kind::Sound);
  ASSERT_THAT(sounds, SizeIs(1));
  EXPECT_EQ(sounds[0].conference, audio::ConferenceKey{1});
  EXPECT_EQ(sounds[0].member, key_of(sender));
  EXPECT_EQ(sounds[0].ssrc, packet.ssrc);
  EXPECT_EQ(sounds[0].timestamp, packet.timestamp);
  EXPECT_EQ(static_cast<uint16_t>(sounds[0].sequence), 101);
  EXPECT_TRUE(std::ranges::equal(sounds[0].sound(), packet.payload));
}

TEST_F(Mixes, HandOverNothingWhileNobodyHearsAMix) {
  leave(listener);
  join(3);
  run_for(20ms);
  requests_of(Kind::Sound);
  send_now(sender, sender.mic(101));
  EXPECT_THAT(requests_of(Kind::Sound), IsEmpty());
}

TEST_F(Mixes, HandOverNeitherSilenceNorWhatIsMutedNorPictures) {
  requests_of(Kind::Sound);
  send_now(sender, sender.cam(201));
  path.set_muted({sender.id(), MediaKind::Audio, true});
  run_for(20ms);
  send_now(sender, sender.mic(101));
  path.set_muted({sender.id(), MediaKind::Audio, false});
  run_for(20ms);
  EXPECT_THAT(requests_of(Kind::Sound), IsEmpty());
  for (uint16_t s = 102; s < 112; ++s) send_now(sender, sender.mic(s, 127));
  EXPECT_THAT(requests_of(Kind::Sound), SizeIs(3));
  send_now(sender, sender.mic(112));
  const auto after = requests_of(Kind::Sound);
  ASSERT_THAT(after, SizeIs(1));
  EXPECT_EQ(after[0].withheld, after[0].sequence - 1);  // the mix need not guess at the silence
}

TEST_F(Mixes, NothingOfAnEncryptedConferenceIsHandedOverAndWhatWasIsForgotten) {
  requests_of(Kind::Sound);
  path.set_e2ee_policy({conference::ConferenceId{1}, {.wanted = true}});
  run_for(2s);
  send_now(sender, sender.mic(101));
  bool forgotten = false;
  while (const MixRequest* r = mix_port->front_request()) {
    EXPECT_EQ(r->kind, Kind::Forget);
    forgotten = true;
    mix_port->pop_request();
  }
  EXPECT_TRUE(forgotten);
  make_mix(for_all_but({&sender}, 1));
  forget_received();
  turn();
  EXPECT_THAT(listener.media, IsEmpty());
}

TEST_F(Mixes, WhoDeclaresEncryptionIsNotHandedOverThoughTheConferenceIsInClear) {
  requests_of(Kind::Sound);
  path.declare_e2ee({sender.id(), true});
  run_for(20ms);
  send_now(sender, sender.mic(101));
  EXPECT_THAT(requests_of(Kind::Sound), IsEmpty());
}

TEST_F(Mixes, WhatLooksEncryptedIsHandedOverNoMore) {
  SeededRandom random(4);
  for (uint16_t s = 101; s < 500; ++s) {
    Rtp packet = sender.mic(s);
    random.fill(packet.payload);
    send_now(sender, packet);
    if (s % 2 == 0) run_for(20ms);
    requests_of(Kind::Listen);
  }
  ASSERT_EQ(snapshot_of(sender).sources[0].observed, conference::ObservedBodies::Ciphertext);
  requests_of(Kind::Sound);
  send_now(sender, sender.mic(500));
  EXPECT_THAT(requests_of(Kind::Sound), IsEmpty());
}

TEST_F(Mixes, AListenerGetsNoSingleVoicesButPicturesAsEverybody) {
  forget_received();
  send_now(sender, sender.mic(101));
  send_now(sender, sender.cam(201, true));
  EXPECT_THAT(listener.received_on(listener.ssrc(0x10)), IsEmpty());
  EXPECT_THAT(listener.received_on(listener.ssrc(0x11)), IsEmpty());
  EXPECT_THAT(listener.received_on(listener.ssrc(0x20)), SizeIs(1));
}

TEST_F(Mixes, BecomeOneContinuousStreamInTheFirstAudioSlot) {
  for (const uint64_t tick : {70, 71, 72, 75}) {  // the thread came too late for two
    make_mix(for_all_but({&sender}, tick), static_cast<uint8_t>(tick));
    turn();
  }
  const auto got = listener.received_on(listener.ssrc(0x10));
  ASSERT_THAT(got, SizeIs(4));
  for (size_t i = 0; i < got.size(); ++i) {
    const auto& header = got[i].header;
    EXPECT_EQ(header.payload_type, 111);
    EXPECT_EQ(header.marker, i == 0);
    EXPECT_EQ(header.sequence, got[0].header.sequence + i);
    const Bytes all = got[i].bytes;
    const Bytes mid =
        rtp::find_extension(all, header, listener.options.slot_extensions.id(ExtensionType::Mid));
    EXPECT_EQ(as_text(mid), "a0");
    const Bytes level = rtp::find_extension(
        all, header, listener.options.slot_extensions.id(ExtensionType::AudioLevel));
    ASSERT_THAT(level, SizeIs(1));
    EXPECT_EQ(level[0], 33);
    EXPECT_THAT(all.subspan(header.header_bytes), SizeIs(60));
  }
  EXPECT_EQ(got[1].header.timestamp - got[0].header.timestamp, 960u);
  EXPECT_EQ(got[3].header.timestamp - got[2].header.timestamp, 3u * 960);
  EXPECT_EQ(sent(TxKind::Mixed), 4u);
}

TEST_F(Mixes, ReachWhomTheyAreForAndNobodyWhoseVoiceIsInThem) {
  TestClient& speaking = join(mixed(3));
  TestClient& plain = join(4);
  forget_received();
  make_mix(for_one(speaking, 5), 0x11);
  make_mix(for_all_but({&sender, &speaking}, 5), 0x22);
  turn();
  const auto heard = [](const TestClient& c) {
    std::vector<int> bodies;
    for (const auto& r : c.received_on(c.ssrc(0x10)))
      bodies.push_back(r.bytes[r.header.header_bytes]);
    return bodies;
  };
  EXPECT_THAT(heard(speaking), ElementsAre(0x11));
  EXPECT_THAT(heard(listener), ElementsAre(0x22));
  EXPECT_THAT(heard(plain), IsEmpty());
  EXPECT_THAT(heard(sender), IsEmpty());
}

TEST_F(Mixes, OfOtherConferencesReachNobodyHere) {
  MixedFrame frame = for_all_but({}, 1);
  MixedFrame& blank = *mix_port->blank_frame();
  blank = frame;
  blank.conference = audio::ConferenceKey{77};
  mix_port->push_frame();
  make_mix(for_one(sender, 1));  // who asked for no mix
  turn();
  EXPECT_EQ(sent(TxKind::Mixed), 0u);
}

TEST_F(Mixes, AreAskedForAgainAndAgainWithWhatTheListenerLoses) {
  make_mix(for_all_but({&sender}, 1));
  turn();
  requests_of(Kind::Listen);
  run_for(1s);
  const auto asked = requests_of(Kind::Listen);
  EXPECT_THAT(asked, SizeIs(2));
  EXPECT_EQ(asked[0].member, key_of(listener));
  EXPECT_EQ(asked[0].loss_percent, 0);
  send_rtcp(listener, [&](rtcp::CompoundWriter& w) {
    const rtcp::ReportBlock block{.ssrc = listener.ssrc(0x10), .fraction_lost = 51};
    w.receiver_report(listener.ssrc(1), {&block, 1});
  });
  run_for(1s);
  EXPECT_EQ(requests_of(Kind::Listen).back().loss_percent, 20);
}

TEST_F(Mixes, AreReportedWithTheTimeThatTheyWereMadeAt) {
  make_mix(for_all_but({&sender}, 10));
  turn();
  const uint32_t timestamp = listener.received_on(listener.ssrc(0x10)).back().header.timestamp;
  const Timestamp made = now_;
  forget_received();
  run_for(3s);
  std::optional<rtcp::SenderReport> report;
  for_each_rtcp(listener, [&](const rtcp::Packet& p) {
    const auto sr = rtcp::parse_sender_report(p);
    if (sr && sr->ssrc == listener.ssrc(0x10)) report = sr;
  });
  ASSERT_TRUE(report);
  EXPECT_EQ(report->packets, 1u);
  EXPECT_EQ(report->octets, 60u);
  const Duration passed = ntp_difference(report->ntp, ntp.at(made));
  const auto expected = timestamp + static_cast<uint32_t>(to_us(passed) * 48 / 1000);
  EXPECT_NEAR(static_cast<double>(report->rtp_timestamp - timestamp),
              static_cast<double>(expected - timestamp), 48);
}

}  // namespace
}  // namespace viaduct::testing
