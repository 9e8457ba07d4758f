// One sender's 1,200-byte video packets to many receivers, per packet sent, by receivers and packets that arrive in a
// turn: what the benchmarks of the whole path have in common.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>

#include "edge/cpu_cipher.h"
#include "edge/reference_cipher.h"
#include "tests/bench/path_call.h"

namespace viaduct::testing {

inline constexpr size_t PacketBytes = 1200;
inline constexpr size_t PreparedPackets = 4096;
inline constexpr size_t MaxKeys = 1024;

// Answers at once and encrypts nothing: what is left is the path.
class NullCipher final : public edge::BatchCipher {
 public:
  explicit NullCipher(edge::Direction direction) : direction_(direction) {}
  Result<edge::KeySlot> add_key(const srtp::SrtpKeys&) override { return edge::KeySlot{0}; }
  void remove_key(edge::KeySlot) override {}
  void submit(edge::CipherBatch* batch) override {
    for (edge::CipherJob& job : batch->jobs) {
      job.verdict = edge::Verdict::Ok;
      const size_t bytes = job.header_bytes + job.prefix_bytes + job.payload_bytes;
      job.result_bytes = static_cast<uint16_t>(
          direction_ == edge::Direction::Protect ? bytes + TagBytes : bytes - TagBytes);
    }
    finished_.push_back(batch);
  }
  edge::CipherBatch* poll() override {
    if (finished_.empty()) return nullptr;
    edge::CipherBatch* const batch = finished_.front();
    finished_.pop_front();
    return batch;
  }
  const char* name() const override { return "null"; }

 private:
  static constexpr size_t TagBytes = 16;
  const edge::Direction direction_;
  std::deque<edge::CipherBatch*> finished_;
};

inline void forward(benchmark::State& state, CallIo& io, edge::BatchCipher& opener, edge::BatchCipher& sealer,
                    std::optional<srtp::SrtpProfile> profile) {
  const auto receivers = static_cast<size_t>(state.range(0));
  const auto packets_a_turn = static_cast<size_t>(state.range(1));
  PathCall call(io, opener, sealer, profile, receivers);
  const uint64_t before = call.packets_sent();
  uint64_t arrived = 0;
  for (auto _ : state) {
    if (!call.has_arrivals()) {
      state.PauseTiming();
      call.prepare(PreparedPackets / packets_a_turn * packets_a_turn, PacketBytes);
      state.ResumeTiming();
    }
    call.turn(packets_a_turn);
    arrived += packets_a_turn;
  }
  const uint64_t sent = call.packets_sent() - before;
  if (sent < arrived * receivers) state.SkipWithError(("packets were not forwarded:" + call.drops()).c_str());
  state.SetItemsProcessed(static_cast<int64_t>(sent));
}

// Null where this machine cannot run the engine.
using MakeCipher = std::unique_ptr<edge::BatchCipher> (*)(edge::Direction);
inline std::unique_ptr<edge::BatchCipher> make_reference(edge::Direction direction) {
  return std::make_unique<edge::ReferenceCipher>(direction, MaxKeys);
}
inline std::unique_ptr<edge::BatchCipher> make_cpu(edge::Direction direction) {
  auto made = edge::make_cpu_cipher(direction, MaxKeys);
  return made ? std::move(*made) : nullptr;
}

// Receivers, and packets that arrive in a turn.
inline void shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Args({20, 1})->Args({20, 8})->Args({20, 25})->Args({100, 10});
  // For who counts instructions: just so many turns, and no trial run.
  if (const char* turns = std::getenv("PATH_BENCH_TURNS")) benchmark->Iterations(std::atoi(turns));
}

}  // namespace viaduct::testing
