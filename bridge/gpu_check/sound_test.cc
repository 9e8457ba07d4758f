#include "gpu_check/sound_test.h"

#include <cstring>
#include <span>

#include "base/clock.h"
#include "base/random.h"
#include "kernels/cpu_audio.h"
#include "kernels/device_audio.h"
#include "limits.h"

namespace viaduct::gpu_check {
namespace {

using kernels::AudioEngine;
using kernels::Frame;

constexpr size_t Frames = 500;
constexpr size_t Conferences = 40;
constexpr size_t MostSources = 14;
constexpr size_t Ticks = 3;  // a limiter goes on from the tick before
constexpr size_t Speakers = 500;
constexpr const char* HeldTo = "the CPU";

// As loud as can be, or down to 60 dB less.
void fill(SeededRandom& random, Frame& frame) {
  const auto shift = random.below(11);
  random.fill({reinterpret_cast<uint8_t*>(frame.samples.data()), sizeof frame.samples});
  for (int16_t& sample : frame.samples) sample = static_cast<int16_t>(sample >> shift);
}

SelfTest test_levels(AudioEngine& device, AudioEngine& cpu, SeededRandom& random) {
  std::vector<Frame> frames(Frames);  // the first stays silent
  for (Frame& frame : std::span(frames).subspan(1)) fill(random, frame);
  std::vector<uint8_t> levels(Frames), wanted(Frames);
  device.measure(frames, levels);
  cpu.measure(frames, wanted);
  SelfTest test{"level of a sound frame", HeldTo, Frames};
  for (size_t i = 0; i < Frames; ++i) test.wrong += levels[i] != wanted[i];
  return test;
}

// Conferences, and one engine's mixes of them.
struct Mixes {
  explicit Mixes(SeededRandom& random) : all(Conferences), group_limiters(Conferences) {
    for (size_t i = 0; i < Conferences; ++i) {
      const auto size = static_cast<uint32_t>(i % MostSources);
      groups.push_back({static_cast<uint32_t>(frames.size()), size});
      frames.resize(frames.size() + size);
    }
    for (size_t i = 0; i < frames.size(); ++i) chosen.push_back(random.chance(0.4));
    without.resize(frames.size());
    source_limiters.resize(frames.size());
  }
  kernels::MixBatch batch() {
    return {groups, frames, chosen, without, source_limiters, all, group_limiters};
  }

  std::vector<kernels::MixGroup> groups;
  std::vector<Frame> frames;
  std::vector<uint8_t> chosen;
  std::vector<Frame> without;
  std::vector<kernels::LimiterState> source_limiters;
  std::vector<Frame> all;
  std::vector<kernels::LimiterState> group_limiters;
};

void compare(const Frame& frame, kernels::LimiterState limiter, const Frame& wanted,
             kernels::LimiterState wanted_limiter, SelfTest& test) {
  ++test.compared;
  test.wrong += frame.samples != wanted.samples || limiter.gain_q15 != wanted_limiter.gain_q15;
}

SelfTest test_mixes(AudioEngine& device, AudioEngine& cpu, SeededRandom& random) {
  SelfTest test{"mix for a listener", HeldTo};
  Mixes ours(random);
  Mixes theirs = ours;
  for (size_t tick = 0; tick < Ticks; ++tick) {
    for (Frame& frame : ours.frames) fill(random, frame);
    theirs.frames = ours.frames;
    device.mix(ours.batch());
    cpu.mix(theirs.batch());
    for (size_t i = 0; i < Conferences; ++i)
      compare(ours.all[i], ours.group_limiters[i], theirs.all[i], theirs.group_limiters[i], test);
    for (size_t i = 0; i < ours.frames.size(); ++i) {
      if (!ours.chosen[i]) continue;
      compare(ours.without[i], ours.source_limiters[i], theirs.without[i],
              theirs.source_limiters[i], test);
    }
  }
  return test;
}

SelfTest test_scores(AudioEngine& device, AudioEngine& cpu, SeededRandom& random) {
  std::vector<kernels::SpeakerHistory> histories(Speakers);
  for (kernels::SpeakerHistory& history : histories) {
    history.quietest = static_cast<uint8_t>(random.below(60));
    const auto floor = random.below(100);  // some speak all the time, some never
    for (uint8_t& loudness : history.loudness)
      loudness = static_cast<uint8_t>(floor + random.below(128 - floor));
  }
  std::vector<kernels::SpeakerScores> scores(Speakers), wanted(Speakers);
  device.score_speakers(histories, scores);
  cpu.score_speakers(histories, wanted);
  SelfTest test{"scores of a speaker", HeldTo, Speakers};
  for (size_t i = 0; i < Speakers; ++i)
    test.wrong += std::memcmp(&scores[i], &wanted[i], sizeof scores[i]) != 0;
  return test;
}

}  // namespace

void test_sound(const std::shared_ptr<kernels::Gpu>& gpu, std::vector<SelfTest>& tests) {
  std::string failure;
  const auto device = kernels::open_device_audio(
      gpu, {.longest_launch = limits::LongestLaunch,
            .clock = monotonic_now,
            .on_failure = [&failure](const std::string& why) { failure = why; }});
  if (!device) {
    tests.push_back({.kernel = "sound", .held_to = HeldTo, .failure = device.error().text});
    return;
  }
  const auto cpu = kernels::make_cpu_audio();
  SeededRandom random(1);
  for (const auto test : {test_levels, test_mixes, test_scores}) {
    tests.push_back(test(**device, *cpu, random));
    tests.back().failure = failure;  // from then on the CPU is compared with itself
  }
}

}  // namespace viaduct::gpu_check
