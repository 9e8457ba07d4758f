// Sounds to test with, and a slow, independent reading of what levels and mixes must be: floating
// point, one sample at a time.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "kernels/audio_engine.h"

namespace viaduct::kernels {

// Conferences' worth of frames and all that an engine writes about them.
struct Sounds {
  std::vector<MixGroup> groups;
  std::vector<Frame> frames;
  std::vector<uint8_t> chosen;
  std::vector<Frame> without;
  std::vector<LimiterState> source_limiters;
  std::vector<Frame> all;
  std::vector<LimiterState> group_limiters;

  MixBatch batch() {
    return {groups, frames, chosen, without, source_limiters, all, group_limiters};
  }
  // One more conference of so many sources, `chosen_count` of them chosen.
  void add_group(uint32_t size, uint32_t chosen_count, std::mt19937& random);
  // New sound in every frame: some silent, some quiet, some as loud as can be.
  void fill(std::mt19937& random);
};

// What must be equal, bit for bit, wherever the same batch was mixed.
void expect_same_mixes(const Sounds& ours, const Sounds& theirs);

Frame silence();
Frame noise(int amplitude, std::mt19937& random);
Frame sine(double amplitude, double hertz, size_t first_sample = 0);
Frame square(int16_t amplitude);

// -dBov by the logarithm.
int level_by_logarithm(const Frame& frame);
// What a listener should hear before any limiting: all chosen ones but `self`.
std::vector<int64_t> exact_sum(const Sounds& sounds, const MixGroup& group, size_t self);
inline constexpr size_t Nobody = SIZE_MAX;

// The same limiter, written a second time from its description, in floating point.
std::vector<double> limited_by_description(std::span<const int64_t> sum, double& gain);

}  // namespace viaduct::kernels
