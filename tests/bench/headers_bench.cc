// What every arriving packet pays before its key is looked up: reading an RTP header, or a connectivity check.
#include <benchmark/benchmark.h>

#include <array>
#include <vector>

#include "protocol/rtp/packet.h"
#include "protocol/stun/stun.h"

namespace viaduct {
namespace {

// A video packet with the three extensions of a browser: one-byte elements 1 (MID), 2 (transport-cc), 3 (audio level).
std::vector<uint8_t> rtp_packet() {
  std::vector<uint8_t> packet = {0x90, 0x60, 0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 2, 0xbe, 0xde, 0, 2,
                                 0x10, '0', 0x21, 0x12, 0x34, 0x30, 0x7f, 0};
  packet.resize(1200, 0x5a);
  return packet;
}

void parse_rtp_header(benchmark::State& state) {
  const std::vector<uint8_t> packet = rtp_packet();
  for (auto _ : state) benchmark::DoNotOptimize(rtp::parse_header(packet));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(parse_rtp_header);

void walk_rtp_extensions(benchmark::State& state) {
  const std::vector<uint8_t> packet = rtp_packet();
  const auto header = rtp::parse_header(packet);
  size_t elements = 0;
  for (auto _ : state) rtp::for_each_extension(packet, *header, [&](uint8_t, Bytes) { ++elements; });
  if (elements != 3 * static_cast<size_t>(state.iterations())) state.SkipWithError("an extension was missed");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(walk_rtp_extensions);

void check_stun_request(benchmark::State& state) {
  std::array<uint8_t, 256> buffer{};
  const size_t bytes = stun::write_binding_request(
      buffer, {.username = "bridge:client", .password = "a password of 22 chars", .priority = 1, .controlling = 7});
  const Bytes request = Bytes(buffer).first(bytes);
  bool ok = bytes > 0;
  for (auto _ : state) {
    const auto message = stun::parse_message(request);
    ok = ok && message && stun::integrity_ok(*message, "a password of 22 chars");
  }
  if (!ok) state.SkipWithError("the request was not understood");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(check_stun_request);

}  // namespace
}  // namespace viaduct
