#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "audio/opus_decoder.h"
#include "audio/opus_encoder.h"
#include "base/random.h"
#include "tests/support/tone.h"

namespace viaduct::audio {
namespace {

using testing::mean_amplitude_of;
using testing::Tone;

constexpr size_t Frame = 960;
const Tone Spoken(700, 16'000, 4);

std::vector<std::vector<uint8_t>> packets_of(Tone tone, size_t count, int loss_percent = 10) {
  OpusEncoder encoder;
  encoder.expect_loss(loss_percent);
  std::vector<std::vector<uint8_t>> packets;
  for (size_t i = 0; i < count; ++i) {
    std::array<int16_t, Frame> frame;
    tone.next(frame);
    std::vector<uint8_t> packet(limits::MixedFrameBytes);
    packet.resize(encoder.encode(frame, packet));
    packets.push_back(std::move(packet));
  }
  return packets;
}

TEST(Opus, BringsAToneAcross) {
  OpusDecoder decoder;
  std::vector<int16_t> sound(100 * Frame);
  size_t at = 0;
  for (const auto& packet : packets_of(Tone(700), 100)) {
    EXPECT_EQ(duration_of(packet), Frame);
    at += decoder.decode(packet, std::span(sound).subspan(at, Frame));
  }
  EXPECT_EQ(at, sound.size());
  EXPECT_NEAR(mean_amplitude_of(700, std::span(sound).subspan(9600)), 8000, 1600);
  EXPECT_LT(mean_amplitude_of(1900, std::span(sound).subspan(9600)), 200);
}

TEST(Opus, KeepsToItsBitrateAndCarriesRedundancy) {
  size_t bytes = 0, redundant = 0;
  const auto packets = packets_of(Spoken, 250);
  for (const auto& p : packets) {
    bytes += p.size();
    redundant += has_redundancy(p);
  }
  EXPECT_LE(bytes * 8 / 5, static_cast<size_t>(OpusEncoder::Bitrate) * 12 / 10);
  EXPECT_GT(redundant, 200u);
}

double squared_error(std::span<const int16_t> a, std::span<const int16_t> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::pow(a[i] - b[i], 2);
  return sum;
}

// Every tenth packet is lost on the way to two of three decoders.
TEST(Opus, RecoversALostPacketFromTheOneBehindItBetterThanAGuessDoes) {
  const auto packets = packets_of(Spoken, 400, 20);
  OpusDecoder whole, recovering, guessing;
  std::array<int16_t, Frame> truth, recovered, guessed;
  double error_recovered = 0, error_guessed = 0;
  int redundant = 0;
  for (size_t i = 0; i + 1 < packets.size(); ++i) {
    ASSERT_EQ(whole.decode(packets[i], truth), Frame);
    if (i % 10 != 5) {
      recovering.decode(packets[i], recovered);
      guessing.decode(packets[i], guessed);
      continue;
    }
    redundant += has_redundancy(packets[i + 1]);
    ASSERT_EQ(recovering.recover(packets[i + 1], recovered), Frame);
    ASSERT_EQ(guessing.conceal(guessed), Frame);
    error_recovered += squared_error(truth, recovered);
    error_guessed += squared_error(truth, guessed);
  }
  EXPECT_GE(redundant, 24);
  EXPECT_LT(error_recovered, error_guessed * 0.7);
}

TEST(Opus, ExpectsLossWithinBounds) {
  OpusEncoder encoder;
  EXPECT_EQ(encoder.expected_loss(), limits::MixLossPercentLeast);
  encoder.expect_loss(17);
  EXPECT_EQ(encoder.expected_loss(), 17);
  encoder.expect_loss(100);
  EXPECT_EQ(encoder.expected_loss(), limits::MixLossPercentMost);
}

TEST(Opus, FadesAGuess) {
  OpusDecoder decoder;
  std::array<int16_t, Frame> frame;
  for (const auto& packet : packets_of(Tone(700), 50)) decoder.decode(packet, frame);
  double before = testing::amplitude_of(700, frame);
  for (int i = 0; i < 10; ++i) ASSERT_EQ(decoder.conceal(frame), Frame);
  EXPECT_LT(testing::amplitude_of(700, frame), before / 4);
}

TEST(Opus, SurvivesAnyBytes) {
  SeededRandom random(3);
  OpusDecoder decoder;
  std::vector<int16_t> out(MaxPacketSamples);
  for (int i = 0; i < 5'000; ++i) {
    std::vector<uint8_t> packet(random.u32() % 120);
    random.fill(packet);
    has_redundancy(packet);
    const auto duration = duration_of(packet);
    if (!duration) continue;
    EXPECT_LE(decoder.decode(packet, std::span(out).first(*duration)), *duration);
    if (*duration >= Frame) decoder.recover(packet, std::span(out).first(Frame));
  }
  const auto good = packets_of(Tone(700), 1);
  EXPECT_EQ(decoder.decode(good[0], out), Frame);
}

TEST(Opus, RefusesWhatIsNoPacket) {
  EXPECT_FALSE(duration_of({}));
  const uint8_t three_frames_in_two_bytes[] = {0x03, 0x03};
  OpusDecoder decoder;
  std::vector<int16_t> out(MaxPacketSamples);
  EXPECT_EQ(decoder.decode(Bytes(three_frames_in_two_bytes).first(1), out), 0u);
}

}  // namespace
}  // namespace viaduct::audio
