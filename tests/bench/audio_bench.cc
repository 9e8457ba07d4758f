// What a tick of mixing costs: levels and mixes of so many conferences of six, three of them
// chosen. And what the emulator makes of it, for comparison.
#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <vector>

#include "base/clock.h"
#include "kernels/cpu_audio.h"
#include "kernels/device/gpu.h"
#include "kernels/device_audio.h"
#include "kernels/emulation/emulated_driver.h"

namespace viaduct::kernels {
namespace {

constexpr size_t Sources = 6;
constexpr size_t Chosen = 3;

struct Tick {
  Tick(size_t conferences, int amplitude)
      : groups(conferences),
        frames(conferences * Sources),
        chosen(frames.size()),
        levels(frames.size()),
        without(frames.size()),
        source_limiters(frames.size()),
        all(conferences),
        group_limiters(conferences) {
    std::mt19937 random(1);
    std::uniform_int_distribution<int> sample(-amplitude, amplitude);
    for (size_t i = 0; i < conferences; ++i) {
      groups[i] = {static_cast<uint32_t>(i * Sources), Sources};
    }
    for (size_t i = 0; i < frames.size(); ++i) {
      chosen[i] = i % Sources < Chosen;
      for (int16_t& s : frames[i].samples) s = static_cast<int16_t>(sample(random));
    }
  }

  MixBatch batch() {
    return {groups, frames, chosen, without, source_limiters, all, group_limiters};
  }

  std::vector<MixGroup> groups;
  std::vector<Frame> frames;
  std::vector<uint8_t> chosen;
  std::vector<uint8_t> levels;
  std::vector<Frame> without;
  std::vector<LimiterState> source_limiters;
  std::vector<Frame> all;
  std::vector<LimiterState> group_limiters;
};

using Maker = std::unique_ptr<AudioEngine> (*)();

std::unique_ptr<AudioEngine> emulated() {
  auto gpu = emulation::open_emulated_gpu().value();
  auto engine = open_device_audio(
      std::move(gpu), {.longest_launch = std::chrono::seconds(10), .clock = monotonic_now});
  return std::move(engine.value());
}

// A frame of 20 ms is what others call a packet.
void count_frames(benchmark::State& state, const Tick& tick) {
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * tick.frames.size()));
}

void measure(benchmark::State& state, Maker make) {
  Tick tick(static_cast<size_t>(state.range(0)), 8000);
  const auto engine = make();
  for (auto _ : state) engine->measure(tick.frames, tick.levels);
  count_frames(state, tick);
}

void mix(benchmark::State& state, Maker make, int amplitude) {
  Tick tick(static_cast<size_t>(state.range(0)), amplitude);
  const auto engine = make();
  for (auto _ : state) engine->mix(tick.batch());
  count_frames(state, tick);
}

BENCHMARK_CAPTURE(measure, cpu, make_cpu_audio)->Arg(1)->Arg(10);
BENCHMARK_CAPTURE(mix, quiet_cpu, make_cpu_audio, 8000)->Arg(1)->Arg(10);
BENCHMARK_CAPTURE(mix, limited_cpu, make_cpu_audio, 32767)->Arg(1)->Arg(10);
BENCHMARK_CAPTURE(measure, emulated, emulated)->Arg(10);
BENCHMARK_CAPTURE(mix, limited_emulated, emulated, 32767)->Arg(10);

}  // namespace
}  // namespace viaduct::kernels
