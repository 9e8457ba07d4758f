// The whole packet path, kernel excluded: one sender's 1,200-byte video packets to many receivers, per packet sent, by
// profile, receivers and packets that arrive in a turn.
#include "tests/bench/path_forward.h"

namespace viaduct::testing {
namespace {

void forward_in_clear(benchmark::State& state) {
  MemoryIo io(CallPoolPackets);
  NullCipher opener(edge::Direction::Unprotect);
  NullCipher sealer(edge::Direction::Protect);
  forward(state, io, opener, sealer, {});
}

void forward_sealed(benchmark::State& state, MakeCipher make, srtp::SrtpProfile profile) {
  MemoryIo io(CallPoolPackets);
  const auto opener = make(edge::Direction::Unprotect);
  const auto sealer = make(edge::Direction::Protect);
  if (!opener || !sealer) return state.SkipWithError("not on this machine");
  forward(state, io, *opener, *sealer, profile);
}

BENCHMARK(forward_in_clear)->Name("forward/clear")->Apply(shapes);
#define FORWARD(engine, name, profile) \
  BENCHMARK_CAPTURE(forward_sealed, engine, make_##engine, profile)->Name("forward/" #engine "/" name)->Apply(shapes)
FORWARD(reference, "gcm128", srtp::SrtpProfile::AeadAes128Gcm);
FORWARD(reference, "gcm256", srtp::SrtpProfile::AeadAes256Gcm);
FORWARD(reference, "sha1", srtp::SrtpProfile::Aes128CmHmacSha1_80);
FORWARD(cpu, "gcm128", srtp::SrtpProfile::AeadAes128Gcm);
FORWARD(cpu, "gcm256", srtp::SrtpProfile::AeadAes256Gcm);
FORWARD(cpu, "sha1", srtp::SrtpProfile::Aes128CmHmacSha1_80);
// Workers share nothing, so two do twice the work of one, as far as the machine has a core for each.
BENCHMARK_CAPTURE(forward_sealed, two_workers, make_cpu, srtp::SrtpProfile::AeadAes128Gcm)
    ->Name("forward/workers/gcm128")->Args({20, 25})->Threads(1)->Threads(2)->UseRealTime();

}  // namespace
}  // namespace viaduct::testing
