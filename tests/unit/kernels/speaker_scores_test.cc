// Speaker scores: the CPU against the formula, the kernel against the CPU.
#include "kernels/speaker_scores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "kernels/audio/audio_tables.h"
#include "kernels/emulation/kernel_registry.h"

namespace viaduct::kernels {
namespace {

double score_by_formula(int v, int n, double lambda) {
  const double combinations = std::lgamma(n + 1) - std::lgamma(v + 1) - std::lgamma(n - v + 1);
  const double score = combinations + n * std::log(0.5) - std::log(lambda) + lambda * v;
  return std::max(score, 1e-10);
}

// As the paper counts: sub-levels of each scale, newest first.
struct Counts {
  int immediate = 0;
  int medium = 0;
  int long_term = 0;
};

Counts count_slowly(const SpeakerHistory& history) {
  std::vector<int> immediates;
  for (const int level : history.loudness) {
    immediates.push_back(level < history.quietest + 10 ? 0 : level / 10);
  }
  std::vector<int> mediums;
  for (auto first = immediates.begin(); first != immediates.end(); first += 5) {
    mediums.push_back(static_cast<int>(
        std::count_if(first, first + 5, [](int immediate) { return immediate > 7; })));
  }
  const auto active = [](int medium) { return medium > 4; };
  return {immediates[0], mediums[0],
          static_cast<int>(std::count_if(mediums.begin(), mediums.end(), active))};
}

std::vector<SpeakerHistory> histories(size_t count) {
  std::mt19937 random(3);
  const auto below = [&random](unsigned bound) { return static_cast<uint8_t>(random() % bound); };
  std::vector<SpeakerHistory> all(count);
  for (SpeakerHistory& history : all) {
    history.quietest = below(60);
    const uint8_t spell = static_cast<uint8_t>(1 + below(20));
    for (size_t i = 0; i < Immediates; ++i) {
      const bool speaks = i / spell % 2 == 0;
      history.loudness[i] = static_cast<uint8_t>(speaks ? 70 + below(58) : below(128));
    }
  }
  return all;
}

std::array<int32_t, 3> flat(const SpeakerScores& scores) {
  return {scores.immediate, scores.medium, scores.long_term};
}

TEST(SpeakerScores, TablesHoldTheLogarithmsOfTheFormula) {
  const SpeakerTables& tables = audio_tables().speaker;
  const auto expect = [](int32_t entry, int v, int n, double lambda) {
    EXPECT_EQ(entry, std::lround(65536 * std::log(score_by_formula(v, n, lambda)))) << v;
  };
  for (int v = 0; v <= 13; ++v) expect(tables.immediate[v], v, 13, 0.78);
  for (int v = 0; v <= 5; ++v) expect(tables.medium[v], v, 5, 24);
  for (int v = 0; v <= 10; ++v) expect(tables.long_term[v], v, 10, 47);
}

TEST(SpeakerScores, CountsActivityOnThreeScales) {
  const SpeakerTables& tables = audio_tables().speaker;
  for (const SpeakerHistory& history : histories(500)) {
    const Counts counts = count_slowly(history);
    const SpeakerScores scores = speaker_scores(history);
    EXPECT_EQ(scores.immediate, tables.immediate[counts.immediate]);
    EXPECT_EQ(scores.medium, tables.medium[counts.medium]);
    EXPECT_EQ(scores.long_term, tables.long_term[counts.long_term]);
  }
}

TEST(SpeakerScores, LoudNoiseThatNeverChangesScoresNothing) {
  SpeakerHistory hum{};
  std::ranges::fill(hum.loudness, uint8_t{95});
  hum.quietest = 94;
  const int32_t least = audio_tables().speaker.medium[0];
  EXPECT_THAT(flat(speaker_scores(hum)), testing::Each(least));
  hum.quietest = 30;
  EXPECT_THAT(flat(speaker_scores(hum)), testing::Each(testing::Gt(90000)));
}

TEST(SpeakerScores, KernelAgreesForEveryScheduleAndNumberOfSources) {
  const emulation::Kernel* kernel = emulation::find_kernel("viaduct_speaker_scores");
  ASSERT_NE(kernel, nullptr);
  emulation::Emulator emulator;
  for (const emulation::Order order :
       {emulation::Order::Forward, emulation::Order::Reverse, emulation::Order::Shuffled}) {
    for (const uint32_t size : {1u, 4u, 9u, 50u}) {
      const std::vector<SpeakerHistory> all = histories(size);
      std::vector<SpeakerScores> scores(size);
      const SpeakerHistory* in = all.data();
      uint32_t count = size;
      const AudioTables* tables = &audio_tables();
      SpeakerScores* out = scores.data();
      uint32_t finished_blocks = 0;
      uint32_t* finished = &finished_blocks;
      volatile uint64_t completion = 0;
      volatile uint64_t* done = &completion;
      uint64_t batch = 77;
      std::array<void*, 7> parameters{&in, &count, &tables, &out, &finished, &done, &batch};
      emulator.launch({(size + 3) / 4}, {128}, kernel->entry, parameters.data(), {order, 4});
      for (size_t i = 0; i < size; ++i) EXPECT_EQ(flat(scores[i]), flat(speaker_scores(all[i])));
      EXPECT_EQ(completion, 77u);
      EXPECT_EQ(finished_blocks, 0u);
    }
  }
}

}  // namespace
}  // namespace viaduct::kernels
