// What mixed audio costs: Opus alone, and a whole tick of 20 ms of the mixing thread for a
// conference of so many listeners. `cores` is the share of a core that a conference takes all the
// time.
#include <benchmark/benchmark.h>

#include <vector>

#include "audio/mix_service.h"
#include "kernels/cpu_audio.h"
#include "tests/support/tone.h"

namespace viaduct::audio {
namespace {

using testing::Tone;
using Sound = std::array<int16_t, kernels::FrameSamples>;
using Packet = std::vector<uint8_t>;

constexpr size_t LoopFrames = 250;  // five seconds, over and over

std::vector<Sound> sounds_of(double hz) {
  Tone tone(hz, 12'000, 4);
  std::vector<Sound> sounds(LoopFrames);
  for (Sound& s : sounds) tone.next(s);
  return sounds;
}

std::vector<Packet> packets_of(double hz) {
  OpusEncoder encoder;
  std::vector<Packet> packets;
  for (const Sound& sound : sounds_of(hz)) {
    Packet packet(limits::MixedFrameBytes);
    packet.resize(encoder.encode(sound, packet));
    packets.push_back(std::move(packet));
  }
  return packets;
}

void decode(benchmark::State& state) {
  const auto packets = packets_of(500);
  OpusDecoder decoder;
  Sound out;
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(decoder.decode(packets[i++ % LoopFrames], out));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(decode);

void encode(benchmark::State& state) {
  const auto sounds = sounds_of(500);
  OpusEncoder encoder(static_cast<int>(state.range(0)));
  std::array<uint8_t, limits::MixedFrameBytes> out;
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(encoder.encode(sounds[i++ % LoopFrames], out));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(encode)->ArgName("complexity")->Arg(0)->Arg(3)->Arg(5)->Arg(8)->Arg(10);

// Three who speak, and so many who listen; `heard` of those who speak hear a mix themselves.
void tick(benchmark::State& state) {
  constexpr size_t Speakers = 3;
  const auto listeners = static_cast<uint64_t>(state.range(0));
  const auto heard = static_cast<uint64_t>(state.range(1));
  MixService service(kernels::make_cpu_audio(), 3, [] { return Duration{}; });
  const auto port = std::move(*MixPort::open());
  service.serve(*port);
  std::vector<std::vector<Packet>> voices;
  for (size_t i = 0; i < Speakers; ++i)
    voices.push_back(packets_of(400 + 300 * static_cast<double>(i)));

  uint32_t n = 0;
  uint64_t copies = 0;
  Timestamp now(1h);
  const auto listen = [&](uint64_t member) {
    MixRequest& r = *port->blank();
    r.kind = MixRequest::Kind::Listen;
    r.member = MemberKey{member};
    r.loss_percent = 0;
    r.conference = ConferenceKey{1};
    port->post();
  };
  for (auto _ : state) {
    if (n % 25 == 0) {
      for (uint64_t i = 0; i < listeners; ++i) listen(1000 + i);
      for (uint64_t i = 0; i < heard; ++i) listen(i);
    }
    for (size_t i = 0; i < Speakers; ++i) {
      const Packet& packet = voices[i][n % LoopFrames];
      MixRequest& r = *port->blank();
      r.kind = MixRequest::Kind::Sound;
      r.conference = ConferenceKey{1};
      r.member = MemberKey{i};
      r.stream = 0;
      r.ssrc = static_cast<uint32_t>(i + 1);
      r.timestamp = n * 960;
      r.sequence = n;
      r.withheld = -1;
      r.arrival = now;
      r.bytes = static_cast<uint16_t>(packet.size());
      std::ranges::copy(packet, r.payload.begin());
      port->post();
    }
    service.turn(now);
    for (; port->front(); port->pop()) ++copies;
    now += MixService::Tick;
    ++n;
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["encodings"] = benchmark::Counter(static_cast<double>(copies) / n);
  state.counters["cores"] = benchmark::Counter(
      static_cast<double>(n) * 0.02, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(tick)
    ->ArgNames({"listeners", "heard"})
    ->Args({1, 0})
    ->Args({100, 0})
    ->Args({100, 3})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace viaduct::audio
