// Conferences with people who hear one mix, whole and on virtual time: real Opus, losses and
// jitter. Whoever speaks is a tone, and what somebody hears is measured in what they decode.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audio/opus_encoder.h"
#include "audio/voice.h"
#include "tests/sim/simulated_bridge.h"
#include "tests/support/tone.h"

namespace viaduct::testing {
namespace {

using ::testing::IsEmpty;

constexpr double Loud = 1'500, Silent = 150;

// A client that speaks, if it has a tone, and plays what it hears, behind a jitter buffer.
struct Person {
  Person(uint32_t number_, std::optional<double> hz) : number(number_), voice(counters) {
    if (hz) tone.emplace(*hz, 10'000, 3);
  }
  std::vector<uint8_t> speak() {
    std::array<int16_t, kernels::FrameSamples> frame;
    tone->next(frame);
    std::vector<uint8_t> packet(limits::MixedFrameBytes);
    packet.resize(encoder.encode(frame, packet));
    return packet;
  }
  void listen(const rtp::HeaderView& header, Bytes payload, Timestamp now) {
    voice.put(header.ssrc, {.sequence = sequence.unwrap(header.sequence),
                            .timestamp = header.timestamp,
                            .at = now,
                            .payload = payload});
  }
  void play(Timestamp now) {
    kernels::Frame frame;
    voice.take(now, frame);
    heard.insert(heard.end(), frame.samples.begin(), frame.samples.end());
  }
  double hears(double hz, Duration last = 5s) const {
    const auto samples = std::min(heard.size(), static_cast<size_t>(to_ms(last) * 48));
    return mean_amplitude_of(hz, std::span(heard).last(samples));
  }

  const uint32_t number;
  std::optional<Tone> tone;
  audio::OpusEncoder encoder;
  audio::MixCounters counters;
  audio::Voice voice;
  rtp::SequenceUnwrapper sequence;
  std::vector<int16_t> heard;
  FakeClient* client = nullptr;
};

class MixedConference : public ::testing::Test {
 protected:
  Person& join(std::optional<double> hz, bool mixed, uint32_t worker = 0) {
    people.push_back(std::make_unique<Person>(static_cast<uint32_t>(people.size() + 1), hz));
    Person& p = *people.back();
    auto options = Simulation::client_options(p.number);
    options.sends_video = false;
    options.sends_audio = hz.has_value();
    options.mixed = mixed;
    if (mixed) options.audio_slots = 1;
    options.speak = [&p] { return p.speak(); };
    options.listen = [&p](const rtp::HeaderView& h, Bytes payload, Timestamp now) {
      p.listen(h, payload, now);
    };
    sim.network().attach(options.address);
    sim.network().set_uplink(options.address, up);
    sim.network().set_downlink(options.address, down);
    p.client = &sim.join(options, 1, worker);
    return p;
  }
  void run_for(Duration time) {
    for (const Timestamp end = sim.now() + time; sim.now() < end;) {
      sim.run_for(20ms);
      for (const auto& p : people) p->play(sim.now());
    }
  }

  Link up = {.delay = 20ms, .jitter = 5ms, .loss = 0.01};
  Link down = {.delay = 20ms, .jitter = 5ms, .loss = 0.0};
  Simulation sim{{.seed = 21, .workers = 2}};
  std::vector<std::unique_ptr<Person>> people;
};

TEST_F(MixedConference, AListenerHearsTheOthersAndNotItself) {
  join(500, false);
  join(900, false);
  const Person& listener = join(1300, true);
  const Person& silent = join(std::nullopt, true);
  run_for(12s);
  for (const Person* p : {&listener, &silent}) {
    EXPECT_GT(p->hears(500), Loud);
    EXPECT_GT(p->hears(900), Loud);
  }
  EXPECT_LT(listener.hears(1300), Silent);
  EXPECT_GT(silent.hears(1300), Loud);
  EXPECT_THAT(sim.faults(), IsEmpty());
}

TEST_F(MixedConference, ALossOfTenPercentTakesLittleOfWhatIsHeard) {
  join(500, false);
  join(900, false);
  const Person& whole = join(std::nullopt, true);
  down.loss = up.loss = 0.1;
  const Person& lossy = join(1300, true);
  run_for(15s);
  EXPECT_GT(lossy.hears(500), 0.8 * whole.hears(500));
  EXPECT_GT(lossy.hears(900), 0.8 * whole.hears(900));
  EXPECT_LT(lossy.hears(1300), Silent);
  EXPECT_GT(whole.hears(1300), Loud);  // its sender loses as much
  EXPECT_GT(lossy.counters.recovered.value(), 20u);
  EXPECT_GT(sim.mix_counters().recovered.value(), 20u);
}

TEST_F(MixedConference, PeopleOfOtherWorkersAreHeardAsWell) {
  join(500, false, 0);
  join(900, false, 1);
  const Person& here = join(1300, true, 0);
  const Person& there = join(1700, true, 1);
  run_for(12s);
  for (const Person* p : {&here, &there}) {
    EXPECT_GT(p->hears(500), Loud);
    EXPECT_GT(p->hears(900), Loud);
  }
  EXPECT_GT(here.hears(1700), Loud / 2);
  EXPECT_LT(here.hears(1300), Silent);
  EXPECT_LT(there.hears(1700), Silent);
}

TEST_F(MixedConference, WhoIsMutedOrLeavesIsHeardNoMore) {
  Person& first = join(500, false);
  Person& second = join(900, false);
  const Person& listener = join(std::nullopt, true);
  run_for(8s);
  sim.set_muted(*first.client, codec::MediaKind::Audio, true);
  run_for(6s);
  EXPECT_LT(listener.hears(500), Silent);
  EXPECT_GT(listener.hears(900), Loud);
  sim.leave(*second.client);
  run_for(6s);
  EXPECT_LT(listener.hears(900), Silent);
}

TEST_F(MixedConference, NothingIsHeardOnceItIsEncrypted) {
  join(500, false);
  const Person& listener = join(std::nullopt, true);
  run_for(8s);
  ASSERT_GT(listener.hears(500), Loud);
  sim.set_e2ee({.wanted = true});
  run_for(6s);
  EXPECT_LT(listener.hears(500), 1);
  EXPECT_EQ(sim.mix_counters().conferences.value(), 0);
}

TEST_F(MixedConference, GivesEveryPacketBufferBack) {
  join(500, true);
  join(900, true);
  run_for(5s);
  EXPECT_TRUE(sim.all_packets_returned());
}

}  // namespace
}  // namespace viaduct::testing
