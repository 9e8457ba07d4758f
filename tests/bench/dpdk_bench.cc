// The whole packet path with DPDK's edge and the UDP/IP host, over a port whose wire is memory: what a worker costs
// that polls a network card, without the card. "port": with its checksum offloads; "software": without. The same over
// queues in memory, without an edge, is the baseline.
#include "dpdk/eal.h"
#include "tests/bench/path_forward.h"
#include "tests/bench/ring_io.h"

namespace viaduct::testing {
namespace {

using MakeIo = std::unique_ptr<CallIo> (*)();
std::unique_ptr<CallIo> memory() { return std::make_unique<MemoryIo>(CallPoolPackets); }
std::unique_ptr<CallIo> port() { return std::make_unique<RingIo>(true); }
std::unique_ptr<CallIo> software() { return std::make_unique<RingIo>(false); }

bool start_dpdk() { return dpdk::start_eal({.memory_mib = 768, .more = {"--file-prefix", "viaduct-bench"}}).ok(); }

void forward_in_clear(benchmark::State& state, MakeIo make_io) {
  if (!start_dpdk()) return state.SkipWithError("DPDK does not start");
  const auto io = make_io();
  NullCipher opener(edge::Direction::Unprotect);
  NullCipher sealer(edge::Direction::Protect);
  forward(state, *io, opener, sealer, {});
}

void forward_sealed(benchmark::State& state, MakeIo make_io) {
  if (!start_dpdk()) return state.SkipWithError("DPDK does not start");
  const auto io = make_io();
  const auto opener = make_cpu(edge::Direction::Unprotect);
  const auto sealer = make_cpu(edge::Direction::Protect);
  if (!opener || !sealer) return state.SkipWithError("not on this machine");
  forward(state, *io, *opener, *sealer, srtp::SrtpProfile::AeadAes128Gcm);
}

#define FORWARD(edge)                                                                              \
  BENCHMARK_CAPTURE(forward_in_clear, edge, edge)->Name("forward/" #edge "/clear")->Apply(shapes); \
  BENCHMARK_CAPTURE(forward_sealed, edge, edge)->Name("forward/" #edge "/gcm128")->Apply(shapes)
FORWARD(memory);
FORWARD(port);
FORWARD(software);

}  // namespace
}  // namespace viaduct::testing
