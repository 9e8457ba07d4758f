// Every audio engine against a slow reading of the rules, and all engines against each other.
#include "kernels/audio_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "base/clock.h"
#include "kernels/cpu_audio.h"
#include "kernels/device/gpu.h"
#include "kernels/device_audio.h"
#include "kernels/emulation/emulated_driver.h"
#include "kernels/speaker_scores.h"
#include "sound.h"

namespace viaduct::kernels {
namespace {

using testing::Each;

struct Maker {
  std::string name;
  std::function<std::unique_ptr<AudioEngine>()> make;

  friend void PrintTo(const Maker& maker, std::ostream* out) { *out << maker.name; }
};

class EveryAudioEngine : public testing::TestWithParam<Maker> {
 protected:
  std::vector<uint8_t> measure(std::span<const Frame> frames) {
    std::vector<uint8_t> levels(frames.size(), 255);
    engine_->measure(frames, levels);
    return levels;
  }

  const std::unique_ptr<AudioEngine> engine_ = GetParam().make();
  std::mt19937 random_{7};
};

// A gain has 15 bits, and a sum of n voices that much more of an error; a half is for rounding.
double rounding_error(std::span<const int64_t> sum) {
  int64_t peak = 0;
  for (const int64_t sample : sum) peak = std::max(peak, std::abs(sample));
  return 0.5 + 12.0 * static_cast<double>(peak) / 32768;
}

void expect_limited(std::span<const int64_t> sum, const Frame& frame, double& gain) {
  const std::vector<double> expected = limited_by_description(sum, gain);
  const double allowed = rounding_error(sum);
  for (size_t i = 0; i < FrameSamples; ++i) {
    ASSERT_NEAR(frame.samples[i], expected[i], allowed) << "sample " << i;
  }
}

TEST_P(EveryAudioEngine, MeasuresFullScaleSquareAsZeroAndSilenceAs127) {
  const std::vector<Frame> frames = {square(32767), silence(), sine(32767, 1000), square(-32768)};
  EXPECT_THAT(measure(frames), testing::ElementsAre(0, 127, 3, 0));
}

TEST_P(EveryAudioEngine, MeasuresAsTheLogarithmDoes) {
  std::vector<Frame> frames;
  for (int i = 0; i < 200; ++i) {
    const double amplitude = 32767 * std::pow(10, -0.025 * i);
    frames.push_back(sine(amplitude, 440));
    frames.push_back(noise(static_cast<int>(amplitude), random_));
  }
  Frame faintest;
  faintest.samples[123] = -1;
  frames.push_back(faintest);
  const std::vector<uint8_t> levels = measure(frames);
  for (size_t i = 0; i < frames.size(); ++i) {
    ASSERT_EQ(levels[i], level_by_logarithm(frames[i])) << "frame " << i;
  }
}

TEST_P(EveryAudioEngine, MeasuresAnyNumberOfFrames) {
  for (const size_t count : {0u, 1u, 3u, 4u, 5u, 9u, 33u}) {
    const std::vector<Frame> frames(count, square(3277));
    EXPECT_THAT(measure(frames), Each(20));
  }
}

TEST_P(EveryAudioEngine, HandsAQuietMixThroughUnchanged) {
  Sounds sounds;
  sounds.add_group(6, 3, random_);
  for (Frame& frame : sounds.frames) frame = noise(10000, random_);
  engine_->mix(sounds.batch());
  const std::vector<int64_t> sum = exact_sum(sounds, sounds.groups[0], Nobody);
  EXPECT_TRUE(std::ranges::equal(sounds.all[0].samples, sum));
  EXPECT_EQ(sounds.group_limiters[0].gain_q15, 32768);
  for (size_t source = 0; source < 6; ++source) {
    if (!sounds.chosen[source]) continue;
    const std::vector<int64_t> rest = exact_sum(sounds, sounds.groups[0], source);
    EXPECT_TRUE(std::ranges::equal(sounds.without[source].samples, rest)) << source;
  }
}

TEST_P(EveryAudioEngine, LetsNobodyHearItself) {
  Sounds sounds;
  sounds.add_group(2, 2, random_);
  sounds.frames[0] = square(32767);
  sounds.frames[1] = noise(300, random_);
  engine_->mix(sounds.batch());
  EXPECT_EQ(sounds.without[0].samples, sounds.frames[1].samples);
}

TEST_P(EveryAudioEngine, LeavesTheOutputsOfOthersAlone) {
  Sounds sounds;
  sounds.add_group(9, 4, random_);
  sounds.fill(random_);
  std::ranges::fill(sounds.without, square(99));
  std::ranges::fill(sounds.source_limiters, LimiterState{12345});
  engine_->mix(sounds.batch());
  for (size_t source = 0; source < 9; ++source) {
    const bool untouched = sounds.without[source].samples == square(99).samples &&
                           sounds.source_limiters[source].gain_q15 == 12345;
    EXPECT_EQ(untouched, !sounds.chosen[source]) << source;
  }
}

TEST_P(EveryAudioEngine, MixesConferencesOfAllSizesAsDescribed) {
  Sounds sounds;
  for (const auto& [size, chosen] : std::initializer_list<std::pair<uint32_t, uint32_t>>{
           {0, 0}, {1, 0}, {1, 1}, {2, 2}, {9, 0}, {9, 3}, {9, 9}, {50, 5}, {50, 50}}) {
    sounds.add_group(size, chosen, random_);
  }
  std::vector<double> all_gains(sounds.groups.size(), 1);
  std::vector<double> source_gains(sounds.frames.size(), 1);
  for (int tick = 0; tick < 4; ++tick) {
    sounds.fill(random_);
    engine_->mix(sounds.batch());
    for (size_t i = 0; i < sounds.groups.size(); ++i) {
      const MixGroup& group = sounds.groups[i];
      SCOPED_TRACE("group " + std::to_string(i));
      expect_limited(exact_sum(sounds, group, Nobody), sounds.all[i], all_gains[i]);
      for (uint32_t k = 0; k < group.frame_count; ++k) {
        const size_t source = group.first_frame + k;
        if (!sounds.chosen[source]) continue;
        expect_limited(exact_sum(sounds, group, source), sounds.without[source],
                       source_gains[source]);
      }
    }
  }
}

TEST_P(EveryAudioEngine, DoesNotClipWhenTenShout) {
  Sounds sounds;
  sounds.add_group(10, 10, random_);
  int loudest = 0;
  for (size_t tick = 0; tick < 10; ++tick) {
    for (size_t i = 0; i < 10; ++i) {
      sounds.frames[i] = sine(32767, 200 + 37.0 * static_cast<double>(i), tick * FrameSamples);
    }
    engine_->mix(sounds.batch());
    // Clipped sound has runs of samples at the limit; a limited peak touches it once.
    size_t longest = 0;
    size_t run = 0;
    for (const int16_t sample : sounds.all[0].samples) {
      ASSERT_LE(std::abs(sample), 32392);
      run = std::abs(sample) == 32392 ? run + 1 : 0;
      longest = std::max(longest, run);
      loudest = std::max(loudest, std::abs(sample));
    }
    ASSERT_LE(longest, 2u);
  }
  EXPECT_GT(loudest, 30000);  // limited, not silenced
}

TEST_P(EveryAudioEngine, TurnsDownSmoothlyAndComesBackWithinAFifthOfASecond) {
  Sounds sounds;
  sounds.add_group(2, 2, random_);
  std::ranges::fill(sounds.frames, square(32767));  // the sum needs a gain of a half
  engine_->mix(sounds.batch());
  EXPECT_NEAR(sounds.group_limiters[0].gain_q15, 16384, 400);
  std::ranges::fill(sounds.frames, square(1000));
  int ticks = 0;
  int last = 1000 * 2 * sounds.group_limiters[0].gain_q15 / 32768;
  while (sounds.group_limiters[0].gain_q15 < 32768 && ticks < 50) {
    ++ticks;
    engine_->mix(sounds.batch());
    for (const int16_t sample : sounds.all[0].samples) {
      ASSERT_NEAR(std::abs(sample), last, 3);
      last = std::abs(sample);
    }
  }
  EXPECT_GE(ticks, 5);
  EXPECT_LE(ticks, 10);
  engine_->mix(sounds.batch());
  EXPECT_EQ(sounds.all[0].samples, square(2000).samples);
}

TEST_P(EveryAudioEngine, AgreesWithTheCpuBitForBit) {
  const std::unique_ptr<AudioEngine> cpu = make_cpu_audio();
  Sounds ours;
  for (uint32_t size = 0; size < 24; ++size) ours.add_group(size, size / 2, random_);
  Sounds theirs = ours;
  for (int tick = 0; tick < 3; ++tick) {
    ours.fill(random_);
    theirs.frames = ours.frames;
    engine_->mix(ours.batch());
    cpu->mix(theirs.batch());
    expect_same_mixes(ours, theirs);
    ASSERT_FALSE(HasFailure());
  }
}

TEST_P(EveryAudioEngine, ScoresAnyNumberOfSpeakersAsTheTablesSay) {
  for (const size_t count : {0u, 1u, 5u, 70u}) {
    std::vector<SpeakerHistory> histories(count);
    for (SpeakerHistory& history : histories) {
      for (uint8_t& loudness : history.loudness) {
        loudness = static_cast<uint8_t>(60 + random_() % 68);
      }
      history.quietest = static_cast<uint8_t>(random_() % 60);
    }
    std::vector<SpeakerScores> scores(count);
    engine_->score_speakers(histories, scores);
    for (size_t i = 0; i < count; ++i) {
      const SpeakerScores expected = speaker_scores(histories[i]);
      EXPECT_EQ(scores[i].immediate, expected.immediate);
      EXPECT_EQ(scores[i].medium, expected.medium);
      EXPECT_EQ(scores[i].long_term, expected.long_term);
    }
  }
}

Maker emulated(const std::string& order, emulation::Schedule schedule) {
  return {"emulated_" + order, [schedule] {
            emulation::set_behaviour({.schedule = schedule});
            auto engine = open_device_audio(emulation::open_emulated_gpu().value(),
                                            {.longest_launch = 10s, .clock = monotonic_now});
            return std::move(engine.value());
          }};
}

INSTANTIATE_TEST_SUITE_P(
    , EveryAudioEngine,
    testing::Values(Maker{"cpu", make_cpu_audio}, emulated("forward", {emulation::Order::Forward}),
                    emulated("reverse", {emulation::Order::Reverse}),
                    emulated("shuffled", {emulation::Order::Shuffled, 1}),
                    emulated("shuffled_again", {emulation::Order::Shuffled, 99})),
    [](const auto& engine) { return engine.param.name; });

}  // namespace
}  // namespace viaduct::kernels
