#include "kernels/cpu_audio.h"

#include "base/check.h"
#include "kernels/audio/audio_tables.h"
#include "kernels/audio/limiter.h"
#include "kernels/speaker_scores.h"

namespace viaduct::kernels {
namespace {

static_assert(SubBlocks * SubBlockSamples == FrameSamples);

using Sum = std::array<int32_t, FrameSamples>;

uint64_t energy_of(const Frame& frame) {
  uint64_t energy = 0;
  for (size_t block = 0; block < FrameSamples;
       block += 2) {  // two squares fit 32 bits, four do not
    const int32_t a = frame.samples[block];
    const int32_t b = frame.samples[block + 1];
    energy += static_cast<uint32_t>(a * a) + static_cast<uint32_t>(b * b);
  }
  return energy;
}

void add(Sum& sum, const Frame& frame) {
  for (size_t i = 0; i < FrameSamples; ++i) sum[i] += frame.samples[i];
}

void subtract(const Sum& sum, const Frame& frame, Sum& rest) {
  for (size_t i = 0; i < FrameSamples; ++i) rest[i] = sum[i] - frame.samples[i];
}

uint32_t peak_of(const int32_t* samples) {
  int32_t highest = 0;
  int32_t lowest = 0;
  for (size_t i = 0; i < SubBlockSamples; ++i) {
    highest = samples[i] > highest ? samples[i] : highest;
    lowest = samples[i] < lowest ? samples[i] : lowest;
  }
  return magnitude(lowest) > magnitude(highest) ? magnitude(lowest) : magnitude(highest);
}

void limit_sub_block(const int32_t* samples, uint32_t from, uint32_t to, int16_t* out) {
  if (from == UnityGain && to == UnityGain) {  // the common case: as it is
    for (size_t i = 0; i < SubBlockSamples; ++i) out[i] = static_cast<int16_t>(samples[i]);
    return;
  }
  for (uint32_t i = 0; i < SubBlockSamples; ++i) {
    out[i] = limited_sample(samples[i], gain_between(from, to, i));
  }
}

void limit(const Sum& sum, LimiterState& state, Frame& out) {
  uint32_t peaks[SubBlocks];
  for (size_t i = 0; i < SubBlocks; ++i) peaks[i] = peak_of(&sum[i * SubBlockSamples]);
  LimiterBorders borders;
  set_borders(borders, state.gain_q15, peaks);
  for (size_t i = 0; i < SubBlocks; ++i) {
    const size_t first = i * SubBlockSamples;
    limit_sub_block(&sum[first], borders.gains[i], borders.gains[i + 1], &out.samples[first]);
  }
  state.gain_q15 = static_cast<uint16_t>(borders.gains[SubBlocks]);
}

class CpuAudio : public AudioEngine {
 public:
  void measure(std::span<const Frame> frames, std::span<uint8_t> levels) override {
    CHECK(levels.size() >= frames.size());
    const uint64_t* thresholds = audio_tables().level_thresholds;
    for (size_t i = 0; i < frames.size(); ++i) {
      levels[i] = level_of(energy_of(frames[i]), thresholds);
    }
  }

  void mix(const MixBatch& batch) override {
    CHECK(batch.chosen.size() >= batch.frames.size());
    CHECK(batch.without.size() >= batch.frames.size());
    CHECK(batch.source_limiters.size() >= batch.frames.size());
    CHECK(batch.all.size() >= batch.groups.size());
    CHECK(batch.group_limiters.size() >= batch.groups.size());
    for (size_t i = 0; i < batch.groups.size(); ++i) mix_group(batch, i);
  }

  void score_speakers(std::span<const SpeakerHistory> histories,
                      std::span<SpeakerScores> scores) override {
    CHECK(scores.size() >= histories.size());
    for (size_t i = 0; i < histories.size(); ++i) scores[i] = speaker_scores(histories[i]);
  }

  const char* name() const override { return "cpu"; }

 private:
  static void mix_group(const MixBatch& batch, size_t index) {
    const size_t first = batch.groups[index].first_frame;
    const size_t end = first + batch.groups[index].frame_count;
    CHECK(end <= batch.frames.size());
    Sum sum{};
    for (size_t i = first; i < end; ++i) {
      if (batch.chosen[i]) add(sum, batch.frames[i]);
    }
    limit(sum, batch.group_limiters[index], batch.all[index]);
    Sum rest;
    for (size_t i = first; i < end; ++i) {
      if (!batch.chosen[i]) continue;
      subtract(sum, batch.frames[i], rest);
      limit(rest, batch.source_limiters[i], batch.without[i]);
    }
  }
};

}  // namespace

std::unique_ptr<AudioEngine> make_cpu_audio() { return std::make_unique<CpuAudio>(); }

}  // namespace viaduct::kernels
