// Runs the audio kernels over arrays of exact size and compares with the CPU's engine: silent,
// unless a sanitizer or the comparison has something to say.
#include "kernels/audio/audio_kernels.cuh"

#include <array>
#include <cstdio>
#include <random>
#include <vector>

#include "kernels/cpu_audio.h"
#include "kernels/emulation/kernel_registry.h"
#include "kernels/speaker_scores.h"

using namespace viaduct::emulation;
using namespace viaduct::kernels;

namespace {

constexpr uint32_t Sources = 9;

struct Run {
  Emulator emulator;
  Schedule schedule;
  uint32_t finished_blocks = 0;
  volatile uint64_t completion = 0;

  template <auto Kernel, class... Values>
  void launch(uint32_t blocks, Values... values) {
    uint32_t* finished = &finished_blocks;
    volatile uint64_t* done = &completion;
    uint64_t batch = completion + 1;
    std::array<void*, sizeof...(values) + 3> parameters{&values..., &finished, &done, &batch};
    emulator.launch({blocks}, {128}, invoke<Kernel>, parameters.data(), schedule);
    if (completion != batch) std::puts("differs from the CPU: does not say that it is done");
  }
};

void expect_same(bool same, const char* what) {
  if (!same) std::printf("differs from the CPU: %s\n", what);
}

std::vector<Frame> loud_frames() {
  std::mt19937 random(11);
  std::vector<Frame> frames(Sources);
  for (size_t i = 0; i < Sources; ++i) {
    for (int16_t& sample : frames[i].samples) {
      sample = static_cast<int16_t>(static_cast<int16_t>(random()) >> (i % 3 * 4));
    }
  }
  return frames;
}

void check_levels(Run& run, const std::vector<Frame>& frames) {
  std::vector<uint8_t> levels(Sources);
  std::vector<uint8_t> expected(Sources);
  run.launch<viaduct_audio_measure>((Sources + 3) / 4,
                                    reinterpret_cast<const uint4*>(frames.data()), Sources,
                                    &audio_tables(), levels.data());
  make_cpu_audio()->measure(frames, expected);
  expect_same(levels == expected, "levels");
}

struct Mixed {
  std::vector<Frame> without{Sources};
  std::vector<LimiterState> source_limiters{Sources};
  std::vector<Frame> all{3};
  std::vector<LimiterState> group_limiters{3};
};

bool same_sound(const Mixed& a, const Mixed& b) {
  const auto frames = [](const std::vector<Frame>& x, const std::vector<Frame>& y) {
    for (size_t i = 0; i < x.size(); ++i) {
      if (x[i].samples != y[i].samples) return false;
    }
    return true;
  };
  const auto gains = [](const std::vector<LimiterState>& x, const std::vector<LimiterState>& y) {
    for (size_t i = 0; i < x.size(); ++i) {
      if (x[i].gain_q15 != y[i].gain_q15) return false;
    }
    return true;
  };
  return frames(a.without, b.without) && frames(a.all, b.all) &&
         gains(a.source_limiters, b.source_limiters) && gains(a.group_limiters, b.group_limiters);
}

void check_mixes(Run& run, const std::vector<Frame>& frames) {
  const std::vector<MixJob> jobs = {{0, 5}, {5, 0}, {5, 4}};
  const std::vector<MixGroup> groups = {{0, 5}, {5, 0}, {5, 4}};
  const std::vector<uint8_t> chosen = {1, 0, 1, 1, 1, 0, 0, 1, 0};
  Mixed ours;
  Mixed expected;
  run.launch<viaduct_audio_mix>(
      3, jobs.data(), reinterpret_cast<const uint4*>(frames.data()), chosen.data(),
      reinterpret_cast<uint4*>(ours.without.data()), &ours.source_limiters.data()->gain_q15,
      reinterpret_cast<uint4*>(ours.all.data()), &ours.group_limiters.data()->gain_q15);
  make_cpu_audio()->mix({groups, frames, chosen, expected.without, expected.source_limiters,
                         expected.all, expected.group_limiters});
  expect_same(same_sound(ours, expected), "mixes");
}

void check_scores(Run& run) {
  std::mt19937 random(5);
  std::vector<SpeakerHistory> histories(Sources);
  for (SpeakerHistory& history : histories) {
    for (uint8_t& loudness : history.loudness) loudness = static_cast<uint8_t>(70 + random() % 58);
    history.quietest = static_cast<uint8_t>(random() % 40);
  }
  std::vector<SpeakerScores> scores(Sources);
  run.launch<viaduct_speaker_scores>((Sources + 3) / 4, histories.data(), Sources, &audio_tables(),
                                     scores.data());
  for (size_t i = 0; i < Sources; ++i) {
    const SpeakerScores expected = speaker_scores(histories[i]);
    expect_same(scores[i].immediate == expected.immediate && scores[i].medium == expected.medium &&
                    scores[i].long_term == expected.long_term,
                "speaker scores");
  }
}

}  // namespace

int main() {
  Run run;
  const std::vector<Frame> frames = loud_frames();
  for (const Order order : {Order::Forward, Order::Reverse, Order::Shuffled}) {
    run.schedule = {order, 3};
    check_levels(run, frames);
    check_mixes(run, frames);
    check_scores(run);
  }
  std::puts("ran to its end");
}
