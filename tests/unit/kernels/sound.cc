#include "sound.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace viaduct::kernels {
namespace {

int16_t to_sample(double value) { return static_cast<int16_t>(std::lround(value)); }

int between(int low, int high, std::mt19937& random) {
  return std::uniform_int_distribution<int>(low, high)(random);
}

}  // namespace

void Sounds::add_group(uint32_t size, uint32_t chosen_count, std::mt19937& random) {
  groups.push_back({static_cast<uint32_t>(frames.size()), size});
  all.emplace_back();
  group_limiters.emplace_back();
  std::vector<uint8_t> picks(size, 0);
  std::fill_n(picks.begin(), chosen_count, uint8_t{1});
  std::shuffle(picks.begin(), picks.end(), random);
  chosen.insert(chosen.end(), picks.begin(), picks.end());
  frames.resize(frames.size() + size);
  without.resize(frames.size());
  source_limiters.resize(frames.size());
}

void Sounds::fill(std::mt19937& random) {
  for (Frame& frame : frames) {
    const int shift = between(0, 16, random);
    frame = shift == 16 ? silence() : noise(32768 >> shift, random);
  }
}

void expect_same_mixes(const Sounds& ours, const Sounds& theirs) {
  for (size_t i = 0; i < ours.groups.size(); ++i) {
    EXPECT_EQ(ours.all[i].samples, theirs.all[i].samples) << "group " << i;
    EXPECT_EQ(ours.group_limiters[i].gain_q15, theirs.group_limiters[i].gain_q15) << i;
  }
  for (size_t i = 0; i < ours.frames.size(); ++i) {
    EXPECT_EQ(ours.without[i].samples, theirs.without[i].samples) << "source " << i;
    EXPECT_EQ(ours.source_limiters[i].gain_q15, theirs.source_limiters[i].gain_q15) << i;
  }
}

Frame silence() { return {}; }

Frame noise(int amplitude, std::mt19937& random) {
  Frame frame;
  for (int16_t& sample : frame.samples) {
    sample = static_cast<int16_t>(std::min(between(-amplitude, amplitude, random), 32767));
  }
  return frame;
}

Frame sine(double amplitude, double hertz, size_t first_sample) {
  Frame frame;
  for (size_t i = 0; i < FrameSamples; ++i) {
    const double time = static_cast<double>(first_sample + i) / 48000;
    frame.samples[i] = to_sample(amplitude * std::sin(2 * std::numbers::pi * hertz * time));
  }
  return frame;
}

Frame square(int16_t amplitude) {
  Frame frame;
  for (size_t i = 0; i < FrameSamples; ++i) {
    frame.samples[i] = i / 24 % 2 == 0 ? amplitude : static_cast<int16_t>(-amplitude);
  }
  return frame;
}

int level_by_logarithm(const Frame& frame) {
  double energy = 0;
  for (const double sample : frame.samples) energy += sample * sample;
  if (energy == 0) return 127;
  const double dbov = 10 * std::log10(energy / FrameSamples / (32767.0 * 32767.0));
  return static_cast<int>(std::lround(std::clamp(-dbov, 0.0, 127.0)));
}

std::vector<int64_t> exact_sum(const Sounds& sounds, const MixGroup& group, size_t self) {
  std::vector<int64_t> sum(FrameSamples, 0);
  for (size_t source = group.first_frame; source < group.first_frame + group.frame_count;
       ++source) {
    if (!sounds.chosen[source] || source == self) continue;
    for (size_t i = 0; i < FrameSamples; ++i) sum[i] += sounds.frames[source].samples[i];
  }
  return sum;
}

std::vector<double> limited_by_description(std::span<const int64_t> sum, double& gain) {
  constexpr double Limit = 32392;
  constexpr size_t Length = FrameSamples / 8;
  std::vector<double> needs;
  for (size_t i = 0; i < 8; ++i) {
    double peak = 0;
    for (const int64_t sample : sum.subspan(i * Length, Length)) {
      peak = std::max(peak, std::abs(static_cast<double>(sample)));
    }
    needs.push_back(peak > Limit ? Limit / peak : 1);
  }
  needs.push_back(1);
  std::vector<double> out;
  double from = std::min(gain, needs[0]);
  for (size_t i = 0; i < 8; ++i) {
    const double to = std::min({from + 273.0 / 32768, needs[i], needs[i + 1]});
    for (size_t k = 0; k < Length; ++k) {
      const double here = from + (to - from) * static_cast<double>(k) / Length;
      out.push_back(static_cast<double>(sum[i * Length + k]) * here);
    }
    from = to;
  }
  gain = from;
  return out;
}

}  // namespace viaduct::kernels
