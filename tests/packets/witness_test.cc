// Step 6: what bodies look like, found out from real frames, from encrypted ones of many kinds, and
// with nothing forwarded otherwise for it.
#include "path/witness.h"

#include "tests/packets/path_fixture.h"
#include "tests/support/encrypted_frames.h"
#include "tests/support/real_frames.h"

namespace viaduct::testing {
namespace {

using codec::CodecType;
using conference::BodyEvidence;
using conference::HeldBack;
using conference::ObservedBodies;
using path::Drop;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr CodecType AllCodecs[] = {CodecType::Opus, CodecType::Vp8, CodecType::Vp9, CodecType::H264,
                                   CodecType::Av1};
constexpr uint32_t OpusStep = 960;

// One stream's evidence, fed with payloads that are whole frames.
struct Stream {
  CodecType codec;
  BodyEvidence evidence{};
  Timestamp now{10s};
  uint64_t frames = 0;
  uint64_t called_plain = 0;

  void add(Bytes payload) {
    now += codec == CodecType::Opus ? 20ms : 66ms;
    ++frames;
    auto sample = path::sample_front(codec, payload, OpusStep);
    if (!sample) return;
    sample->fits = sample->fits && sample->frame_bytes <= payload.size();
    evidence.add(*sample, now);
    called_plain += evidence.verdict() == ObservedBodies::Plain;
  }
};

std::vector<uint8_t> whole(const RealFrame& frame, Random& random) {
  auto payload = from_hex(frame.front);
  append_noise(payload, frame.bytes - payload.size(), random);
  return payload;
}

struct PlainRow {
  const char* name;
  CodecType codec;
  std::span<const RealFrame> frames;
};
const PlainRow PlainRows[] = {
    {"Vp8", CodecType::Vp8, RealVp8},
    {"Vp9", CodecType::Vp9, RealVp9},
    {"Av1", CodecType::Av1, RealAv1},
    {"OpusVoice", CodecType::Opus, RealOpusVoice},
    {"OpusNoise", CodecType::Opus, RealOpusNoise},
};
class PlainTable : public ::testing::TestWithParam<PlainRow> {};

TEST_P(PlainTable, IsFoundOutWithinTwoSeconds) {
  SeededRandom random(1);
  Stream stream{GetParam().codec};
  for (const RealFrame& frame : GetParam().frames) {
    stream.add(whole(frame, random));
    if (stream.called_plain > 0) break;
  }
  EXPECT_EQ(stream.evidence.verdict(), ObservedBodies::Plain);
  EXPECT_LE(stream.now - Timestamp{10s}, 2s);
}
INSTANTIATE_TEST_SUITE_P(Witness, PlainTable, ::testing::ValuesIn(PlainRows),
                         [](const auto& row) { return row.param.name; });

// Whatever the width of key identifiers and counters, and where the counter begins.
class SframeTable : public ::testing::TestWithParam<CodecType> {};

TEST_P(SframeTable, IsCiphertextAndNeverPlainInAHundredThousandFrames) {
  SeededRandom random(2);
  const uint64_t key_ids[] = {0,
                              3,
                              7,
                              0x9d,
                              0x9d01,
                              0x9d012a,
                              0x49834201,
                              0x1020304050607,
                              0xe1020304050607,
                              0x8102030405060708};
  uint64_t frames = 0;
  for (const uint64_t key_id : key_ids) {
    for (const uint64_t first : std::vector<uint64_t>{0, 6, 250, 65'530, 16'777'210, 1ull << 40}) {
      Stream stream{GetParam()};
      uint64_t counter = first;
      for (int i = 0; i < 1700; ++i, counter += 1 + random.below(6)) {
        stream.add(sframe_payload(GetParam(), i % 100 == 0, key_id, counter, 60 + random.below(900),
                                  random));
      }
      EXPECT_EQ(stream.evidence.verdict(), ObservedBodies::Ciphertext) << key_id << " " << first;
      EXPECT_EQ(stream.called_plain, 0u) << key_id << " " << first;
      frames += stream.frames;
    }
  }
  EXPECT_GT(frames, 100'000u);
}
INSTANTIATE_TEST_SUITE_P(Witness, SframeTable, ::testing::ValuesIn(AllCodecs),
                         [](const auto& row) { return codec::to_string(row.param); });

class NoiseTable : public ::testing::TestWithParam<CodecType> {};

TEST_P(NoiseTable, BehindWhatPacketizersWriteIsNeverPlain) {
  SeededRandom random(3);
  Stream stream{GetParam()};
  uint64_t called_ciphertext = 0;
  for (int i = 0; i < 200'000; ++i) {
    auto payload = clear_front(GetParam(), i % 100 == 0);
    if (GetParam() == CodecType::Vp8) payload.pop_back();  // all of the frame is noise
    append_noise(payload, 60 + random.below(1100), random);
    stream.add(payload);
    called_ciphertext += stream.evidence.verdict() == ObservedBodies::Ciphertext;
  }
  EXPECT_EQ(stream.called_plain, 0u);
  EXPECT_GT(called_ciphertext, 190'000u) << "and hardly ever undecided";
}
INSTANTIATE_TEST_SUITE_P(Witness, NoiseTable, ::testing::ValuesIn(AllCodecs),
                         [](const auto& row) { return codec::to_string(row.param); });

// Formats that leave a codec's first bytes in clear (10 of key frames, 3 of others, 1 of sound) are
// not taken for plain data, although all that a codec check sees first is plain.
TEST(Witness, DoesNotCallPlainWhatLeavesHeadersInClear) {
  SeededRandom random(4);
  for (const PlainRow& row : PlainRows) {
    if (row.codec == CodecType::Av1) continue;  // its packetizer takes no such frames
    Stream stream{row.codec};
    for (int i = 0; i < 100'000; ++i) {
      const RealFrame& frame = row.frames[static_cast<size_t>(i) % row.frames.size()];
      const auto front = from_hex(frame.front);
      const bool vp8_key = row.codec == CodecType::Vp8 && (front[1] & 1) == 0;
      const bool vp9_key = row.codec == CodecType::Vp9 && (front[1] & 4) == 0;
      const size_t clear = row.codec == CodecType::Opus ? 1 : vp8_key || vp9_key ? 11 : 4;
      stream.add(partly_clear_payload(frame.front, clear, frame.bytes, random));
    }
    EXPECT_EQ(stream.called_plain, 0u) << row.name;
  }
}

class WitnessOnThePath : public PathFixture {
 protected:
  static TestClient::Options in(conference::E2eePolicy policy, uint32_t number) {
    auto options = TestClient::like_chromium(number);
    options.e2ee = policy;
    return options;
  }
  // One frame of the camera every 66 ms, in packets of at most 500 bytes.
  void send_frame(TestClient& client, Bytes frame) {
    for (size_t at = 0; at < frame.size(); at += 500) {
      Rtp packet = client.cam(next_++);
      packet.timestamp = 90'000 + 5940 * frames_;
      packet.marker = at + 500 >= frame.size();
      const Bytes part = frame.subspan(at, std::min<size_t>(500, frame.size() - at));
      packet.payload.assign(part.begin(), part.end());
      if (at > 0) packet.payload.insert(packet.payload.begin(), 0x00);
      send(client, packet);
    }
    ++frames_;
    run_for(66ms);
  }
  void send_plain(TestClient& client, size_t frames) {
    for (size_t i = 0; i < frames; ++i)
      send_frame(client, whole(RealVp8[i % std::size(RealVp8)], noise_));
  }
  void send_sframe(TestClient& client, size_t frames) {
    for (size_t i = 0; i < frames; ++i)
      send_frame(client, sframe_payload(CodecType::Vp8, i == 0, 0x11223344556677, counter_ += 4,
                                        900, noise_));
  }
  std::vector<ObservedBodies> observed() const {
    std::vector<ObservedBodies> out;
    for (const auto& r : reports_of<conference::BodiesObserved>()) out.push_back(r.observed);
    return out;
  }
  std::vector<HeldBack> held_back(const TestClient& client, const char* mid) const {
    std::vector<HeldBack> out;
    for (const auto& r : reports_of<conference::SourceHeldBack>()) {
      if (r.endpoint == client.id() && r.source_mid == mid) out.push_back(r.reason);
    }
    return out;
  }

  SeededRandom noise_{8};
  uint16_t next_ = 300;
  uint32_t frames_ = 0;
  uint64_t counter_ = 100;
};

TEST_F(WitnessOnThePath, ReportsAStreamThatIsPlainWithinTwoSecondsAndOnce) {
  join(in({.wanted = true}, 2));
  TestClient& liar = join_sender(in({.wanted = true}, 1));
  path.declare_e2ee({liar.id(), true});
  const Timestamp began = now_;
  while (observed().empty() && now_ < began + 5s) send_plain(liar, 1);
  EXPECT_LE(now_ - began, 2s);
  send_plain(liar, 50);
  EXPECT_THAT(observed(), ElementsAre(ObservedBodies::Plain));
  EXPECT_EQ(snapshot_of(liar).sources.at(1).observed, ObservedBodies::Plain);
  EXPECT_TRUE(snapshot_of(liar).sources.at(1).declared_e2ee);
  EXPECT_EQ(counters.streams[1][static_cast<size_t>(ObservedBodies::Plain)].value(), 1);
}

TEST_F(WitnessOnThePath, ForwardsAPlainStreamWhereEncryptionIsNotRequired) {
  TestClient& receiver = join(in({.wanted = true}, 2));
  TestClient& liar = join_sender(in({.wanted = true}, 1));
  send_plain(liar, 60);
  ASSERT_THAT(observed(), ElementsAre(ObservedBodies::Plain));
  forget_received();
  send_plain(liar, 10);
  EXPECT_GE(receiver.received_on(receiver.ssrc(0x20)).size(), 10u);
  EXPECT_EQ(drops(Drop::HeldBack), 0u);
}

TEST_F(WitnessOnThePath, HoldsBackAContradictedStreamWhereEncryptionIsRequiredUntilItIsEncrypted) {
  const conference::E2eePolicy required{.wanted = true, .required = true};
  TestClient& receiver = join(in(required, 2));
  TestClient& sender = join_sender(in(required, 1));
  path.declare_e2ee({sender.id(), true});
  send_plain(sender, 30);
  ASSERT_THAT(observed(), ElementsAre(ObservedBodies::Plain));
  EXPECT_THAT(held_back(sender, "cam"),
              ElementsAre(HeldBack::Undeclared, HeldBack::No, HeldBack::Contradicted));
  forget_received();
  const uint64_t asked = counters.key_frames_asked.value();
  send_plain(sender, 30);
  EXPECT_THAT(receiver.received_on(receiver.ssrc(0x20)), IsEmpty());
  EXPECT_EQ(counters.key_frames_asked.value(), asked) << "nobody wants its pictures";
  EXPECT_GT(drops(Drop::HeldBack), 30u);
  EXPECT_EQ(counters.held_back[static_cast<size_t>(HeldBack::Contradicted)].value(), 1);

  send_sframe(sender, 200);  // the next look finds another stream
  EXPECT_EQ(held_back(sender, "cam").back(), HeldBack::No);
  EXPECT_EQ(observed().back(), ObservedBodies::Ciphertext);
  forget_received();
  send_sframe(sender, 10);
  EXPECT_GE(receiver.received_on(receiver.ssrc(0x20)).size(), 10u);
}

TEST_F(WitnessOnThePath, ForwardsNothingOfASenderThatDeclaresNothingWhereEncryptionIsRequired) {
  const conference::E2eePolicy required{.wanted = true, .required = true};
  TestClient& receiver = join(in(required, 2));
  TestClient& sender = join_sender(in(required, 1));
  send_sframe(sender, 40);
  send_now(sender, sender.mic(101));
  EXPECT_THAT(receiver.media, IsEmpty());
  path.declare_e2ee({sender.id(), true});
  send_sframe(sender, 2);
  send_now(sender, sender.mic(102));
  EXPECT_THAT(receiver.received_on(receiver.ssrc(0x10)), SizeIs(1));
  EXPECT_THAT(receiver.received_on(receiver.ssrc(0x20)), SizeIs(::testing::Ge(2u)));
}

TEST_F(WitnessOnThePath, PassesOverFramesThatAreNotWhole) {
  join(in({.wanted = true}, 2));
  TestClient& sender = join_sender(in({.wanted = true}, 1));
  for (int i = 0; i < 100; ++i) {
    send_plain(sender, 1);
    ++next_;  // and a packet is lost
  }
  EXPECT_THAT(observed(), IsEmpty());
}

}  // namespace
}  // namespace viaduct::testing
