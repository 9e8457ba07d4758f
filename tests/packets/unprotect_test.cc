// Step 3: which packets reach the cipher, and what of them is believed.
#include "tests/packets/path_fixture.h"

namespace viaduct::testing {
namespace {

using path::Drop;
using rtp::ExtensionType;
using srtp::SrtpProfile;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr SrtpProfile Profiles[] = {SrtpProfile::Aes128CmHmacSha1_80, SrtpProfile::AeadAes128Gcm,
                                    SrtpProfile::AeadAes256Gcm};

class Unprotect : public PathFixture {
 protected:
  TestClient& receiver = join(2);
  TestClient& sender = join_sender(1);

  // A packet that does not authenticate.
  std::vector<uint8_t> forged(const Rtp& packet) {
    auto bytes = write_rtp(packet, sender.options.extensions);
    const auto tag = pattern(16, packet.sequence);
    bytes.insert(bytes.end(), tag.begin(), tag.end());
    return bytes;
  }
};

class ProfilePair : public PathFixture,
                    public ::testing::WithParamInterface<std::tuple<SrtpProfile, SrtpProfile>> {};

TEST_P(ProfilePair, CarriesMediaOneWayAndFeedbackTheOther) {
  auto receiving = TestClient::like_chromium(2), sending = TestClient::like_chromium(1);
  receiving.profile = std::get<0>(GetParam());
  sending.profile = std::get<1>(GetParam());
  TestClient& receiver = join(receiving);
  TestClient& sender = join_sender(sending);

  send_now(sender, sender.mic(101));
  ASSERT_THAT(receiver.media, SizeIs(1));
  EXPECT_THAT(receiver.media[0].payload(), ::testing::ElementsAreArray(sender.mic(101).payload));
  pli(receiver, receiver.ssrc(0x20));
  EXPECT_EQ(counters.key_frames_asked_of_us.value(), 1u);
  run_for(1s);
  EXPECT_THAT(sender.rtcp, Not(IsEmpty()));
  EXPECT_EQ(sender.undecryptable + receiver.undecryptable, 0u);
}

INSTANTIATE_TEST_SUITE_P(Unprotect, ProfilePair,
                         ::testing::Combine(::testing::ValuesIn(Profiles),
                                            ::testing::ValuesIn(Profiles)));

TEST_F(Unprotect, LosesNothingToForgeriesFromTheClientsOwnAddress) {
  const auto rtcp = [](rtcp::CompoundWriter& w) { w.bye({{0x101}}); };
  for (uint16_t i = 0; i < 200; ++i) {
    for (uint16_t n = 0; n < 10; ++n) {
      send(sender, forged(sender.mic(static_cast<uint16_t>(101 + i + 37 * n))));
    }
    uint8_t space[100];
    rtcp::CompoundWriter writer(space);
    rtcp(writer);
    std::vector<uint8_t> forged_bye(writer.written().begin(), writer.written().end());
    forged_bye.resize(forged_bye.size() + 20);
    forged_bye.back() = static_cast<uint8_t>(i);
    send(sender, forged_bye);
    send(sender, sender.mic(static_cast<uint16_t>(101 + i)));
    turn();
  }
  EXPECT_THAT(receiver.media, SizeIs(200));
  EXPECT_EQ(drops(Drop::AuthFailed), 2200u);
}

TEST_F(Unprotect, MovesNoIndexForAForgedPacket) {
  for (const uint16_t ahead : std::vector<uint16_t>{30'000, 60'000, 20'000}) {
    send(sender, forged(sender.mic(ahead)));
  }
  turn();
  send_now(sender, sender.mic(101));
  EXPECT_THAT(receiver.media, SizeIs(1));
}

TEST_F(Unprotect, RemembersNothingOfSsrcsThatDoNotAuthenticate) {
  for (uint32_t i = 0; i < 5000; ++i) {
    Rtp packet = sender.mic(1);
    packet.ssrc = 0x80000000u + i * 7919;
    packet.extensions.push_back({ExtensionType::Mid, {'m', 'i', 'c'}});
    send(sender, forged(packet));
    if (i % 64 == 63) turn();
  }
  turn();
  EXPECT_EQ(drops(Drop::AuthFailed), 5000u);
  Rtp fresh = sender.mic(1);
  fresh.ssrc = 0x77;
  fresh.extensions.push_back({ExtensionType::Mid, {'m', 'i', 'c'}});
  send_now(sender, fresh);
  EXPECT_EQ(drops(Drop::TooManySsrcs), 0u);
  EXPECT_THAT(receiver.media, SizeIs(1));
}

TEST_F(Unprotect, RemembersABoundedNumberOfSsrcsThatDo) {
  constexpr size_t Flood = 500;
  for (uint32_t i = 0; i < Flood; ++i) {
    send_rtcp(sender, [&](rtcp::CompoundWriter& w) { w.receiver_report(0x90000000u + i); });
    if (i % 64 == 63) turn();
  }
  turn();
  EXPECT_EQ(drops(Drop::TooManySsrcs), Flood + 2 - limits::SsrcsPerEndpoint);
  send(sender, sender.mic(101));
  send(sender, sender.cam(201, true));
  turn();
  EXPECT_THAT(receiver.media, SizeIs(2)) << "those that were there go on";
}

TEST_F(Unprotect, DropsWhatIsSentUnderAnothersSsrc) {
  Rtp stolen = sender.mic(101);
  stolen.ssrc = receiver.ssrc(1);
  send_now(sender, stolen);
  EXPECT_THAT(receiver.media, IsEmpty());
  EXPECT_EQ(drops(Drop::UnknownSsrc), 1u);
}

class Rollover : public PathFixture {};

// What was captured on the wire comes again.
TEST_F(Rollover, LetsNoReplayThrough) {
  TestClient& receiver = join(2);
  TestClient& sender = join_sender(TestClient::like_chromium(1), {.mic = 65'300});
  std::vector<std::vector<uint8_t>> captured;
  for (uint16_t sequence = 65'301; sequence != 200; ++sequence) {
    captured.push_back(protect(sender, sender.mic(sequence)));
    send(sender, captured.back());
    turn();
  }
  EXPECT_THAT(receiver.media, SizeIs(captured.size()));
  forget_received();
  const size_t jobs = opener.jobs;
  for (const auto& datagram : captured) {
    send(sender, datagram);
    turn();
  }
  EXPECT_THAT(receiver.media, IsEmpty());
  EXPECT_EQ(drops(Drop::Replayed), captured.size());
  EXPECT_EQ(opener.jobs, jobs) << "none is worth deciphering";
  send_now(sender, sender.mic(200));
  EXPECT_THAT(receiver.media, SizeIs(1));
}

TEST_F(Rollover, LetsPacketsOvertakeEachOther) {
  TestClient& receiver = join(2);
  TestClient& sender = join_sender(TestClient::like_chromium(1), {.mic = 65'532});
  std::vector<std::vector<uint8_t>> sent;
  for (const uint16_t sequence : std::vector<uint16_t>{65'533, 65'534, 65'535, 0, 1}) {
    sent.push_back(protect(sender, sender.mic(sequence)));
  }
  for (const size_t i : {0u, 3u, 1u, 4u, 2u}) send(sender, sent[i]);
  turn();
  std::vector<int> offsets;
  for (const ReceivedRtp& r : receiver.media) {
    offsets.push_back(r.header.sequence - receiver.media[0].header.sequence);
  }
  EXPECT_THAT(offsets, ElementsAre(0, 3, 1, 4, 2));
}

TEST_F(Unprotect, ActsOnAReportOnce) {
  uint8_t space[100];
  rtcp::CompoundWriter writer(space);
  writer.pli(receiver.ssrc(1), receiver.ssrc(0x20));
  const auto datagram = receiver.srtp->protect_rtcp(writer.written());
  for (int i = 0; i < 3; ++i) {
    send(receiver, datagram);
    turn();
  }
  EXPECT_EQ(counters.key_frames_asked_of_us.value(), 1u);
  EXPECT_EQ(drops(Drop::Replayed), 2u);
}

class SsrcWithoutSignalling : public PathFixture {};

TEST_F(SsrcWithoutSignalling, IsLearnedFromTheMidOfAPacket) {
  auto options = TestClient::like_chromium(1);
  options.sources[0].ssrc.reset();
  TestClient& receiver = join(2);
  TestClient& sender = join(options);
  Rtp packet = sender.mic(1);
  packet.ssrc = 0x777;
  send(sender, packet);
  turn();
  EXPECT_EQ(drops(Drop::UnknownSsrc), 1u) << "it could be anybody's";
  packet.extensions.push_back({ExtensionType::Mid, {'m', 'i', 'x'}});
  packet.sequence = 2;
  send(sender, packet);
  turn();
  EXPECT_EQ(drops(Drop::UnknownSsrc), 2u);

  packet.extensions.back().second = {'m', 'i', 'c'};
  packet.sequence = 3;
  send(sender, packet);
  run_for(20ms);
  packet.extensions.clear();  // browsers send the MID until they know that it has arrived
  packet.sequence = 4;
  send_now(sender, packet);
  EXPECT_THAT(receiver.media, SizeIs(1));
}

struct SilenceRow {
  const char* name;
  std::vector<uint8_t> levels;
  std::vector<size_t> forwarded;  // by index
};

class SilenceTable : public Unprotect, public ::testing::WithParamInterface<SilenceRow> {};

TEST_P(SilenceTable, WithholdsWhatNobodyCouldHear) {
  for (size_t i = 0; i < GetParam().levels.size(); ++i) {
    send_now(sender, sender.mic(static_cast<uint16_t>(101 + i), GetParam().levels[i]));
  }
  ASSERT_THAT(receiver.media, SizeIs(GetParam().forwarded.size()));
  for (size_t k = 0; k < receiver.media.size(); ++k) {
    const auto original = static_cast<uint16_t>(101 + GetParam().forwarded[k]);
    const ReceivedRtp& r = receiver.media[k];
    EXPECT_THAT(r.payload(), ::testing::ElementsAreArray(sender.mic(original).payload));
    EXPECT_EQ(r.header.sequence, receiver.media[0].header.sequence + k) << "without a hole";
    EXPECT_EQ(r.header.timestamp - receiver.media[0].header.timestamp,
              960 * (GetParam().forwarded[k] - GetParam().forwarded[0]))
        << "with the pause";
  }
}

const SilenceRow SilenceRows[] = {
    {"Speech", {30, 40, 126, 30}, {0, 1, 2, 3}},
    {"QuietButAudible", {126, 126, 126, 126, 126, 126}, {0, 1, 2, 3, 4, 5}},
    {"ShortPause", {30, 127, 127, 127, 30}, {0, 1, 2, 3, 4}},
    {"LongerPause", {30, 127, 127, 127, 127, 127, 127, 30, 31}, {0, 1, 2, 3, 7, 8}},
    {"SilentFromTheStart", {127, 127, 127, 127, 127, 30}, {0, 1, 2, 5}},
    {"TwoPauses", {127, 127, 127, 127, 30, 127, 127, 127, 127, 30}, {0, 1, 2, 4, 5, 6, 7, 9}},
};
INSTANTIATE_TEST_SUITE_P(Unprotect, SilenceTable, ::testing::ValuesIn(SilenceRows),
                         [](const auto& row) { return row.param.name; });

TEST_F(Unprotect, DecryptsOneSilentPacketInFiftySoThatTheIndexStaysProved) {
  const size_t before = opener.jobs;
  for (uint16_t i = 0; i < 1023; ++i)
    send_now(sender, sender.mic(static_cast<uint16_t>(101 + i), 127));
  EXPECT_EQ(opener.jobs - before, 3u + 1020 / 51);
  EXPECT_THAT(receiver.media, SizeIs(3)) << "the proofs are not forwarded";
  send_now(sender, sender.mic(101 + 1023));
  ASSERT_THAT(receiver.media, SizeIs(4));
  EXPECT_EQ(receiver.media[3].header.sequence, receiver.media[2].header.sequence + 1);
}

TEST_F(Unprotect, BelievesNoSilenceFarAheadWithoutProof) {
  for (uint16_t i = 0; i < 5; ++i)
    send_now(sender, sender.mic(static_cast<uint16_t>(101 + i), 127));
  const uint64_t skipped = drops(Drop::Silence);
  send(sender, forged(sender.mic(2000, 127)));
  turn();
  EXPECT_EQ(drops(Drop::Silence), skipped);
  EXPECT_EQ(drops(Drop::AuthFailed), 1u);
}

TEST_F(Unprotect, WithholdsSilenceUnderAnotherSsrcToo) {
  const auto under_another = [&](uint16_t sequence, uint8_t level) {
    Rtp packet = sender.mic(sequence, level);
    packet.ssrc = 0x777;
    packet.extensions.push_back({ExtensionType::Mid, {'m', 'i', 'c'}});
    return packet;
  };
  for (uint16_t i = 0; i < 10; ++i)
    send_now(sender, under_another(static_cast<uint16_t>(30'000 + i), 127));
  EXPECT_THAT(receiver.media, SizeIs(3));
  EXPECT_EQ(drops(Drop::Silence), 7u);
}

}  // namespace
}  // namespace viaduct::testing
