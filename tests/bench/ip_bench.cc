// The UDP/IP host alone, without a device: a media packet of 1,200 bytes received, one sent, and both, in bursts over
// 32 packets that stay in the cache or 1,024 that do not, whose headers are prefetched as a receiving loop does it.
//
// The counter "cycles" is the processor's time-stamp counter per packet, the median of the bursts, which interruptions
// do not move; "undisturbed" is the tenth part of them that was fastest, for a machine that others keep busy.
// copy_packet is the measure to compare with: the same for a memcpy of the packet.
#include <benchmark/benchmark.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

#include "dpdk/ip/classify.h"
#include "dpdk/ip/udp_host.h"
#include "tests/support/frames/frames.h"

namespace viaduct::dpdk::ip {
namespace {

using testing::at;
using testing::Octets;

constexpr size_t PayloadBytes = 1200;
constexpr size_t Burst = 32;
constexpr size_t Ahead = 3;  // packets that are prefetched
constexpr size_t Headroom = 128;
constexpr size_t BufferBytes = 2048;
constexpr uint16_t Port = 10000;
constexpr Timestamp Now{1s};

uint64_t ticks() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());  // ns, for want of cycles
#endif
}

Interface interface_of_bridge() {
  return {.mac = testing::OurMac,
          .addresses = {*InterfaceAddress::parse("192.0.2.1/24"), *InterfaceAddress::parse("2001:db8::1/64")},
          .first_media_port = Port};
}

// Buffers that each hold the same bytes.
class Pool {
 public:
  // `buffers`: a power of two.
  Pool(size_t buffers, const Octets& content) : bytes_(buffers * BufferBytes), mask_(buffers - 1) {
    for (size_t i = 0; i < buffers; ++i) std::copy(content.begin(), content.end(), data(i));
  }
  uint8_t* data(size_t i) { return &bytes_[(i & mask_) * BufferBytes + Headroom]; }

 private:
  Octets bytes_;
  size_t mask_;
};

// A host with a peer that has proved itself, and the peer's frame.
class Traffic {
 public:
  Traffic(bool v6, bool offloads)
      : host_(interface_, Port, {offloads, offloads}, false), peer_(at(v6 ? "2001:db8:7::7" : "198.51.100.7", 5000)) {
    if (offloads) known_ = {Verified::Good, Verified::Good};
    const SocketAddress us = at(v6 ? "2001:db8::1" : "192.0.2.1", Port);
    Octets request = testing::udp_frame(peer_, us, testing::binding_request(1)).build();
    host_.receive(request, request.size(), {}, Now);
    Octets response(MaxHeaderBytes);
    const Octets success = testing::binding_response(1, true);
    response.insert(response.end(), success.begin(), success.end());
    host_.send(response.data() + MaxHeaderBytes, success.size(), peer_, Now);
    frame_ = testing::udp_frame(peer_, us, Octets(PayloadBytes, 0x80)).build();
  }

  const Octets& frame() const { return frame_; }
  const Interface& interface() const { return interface_; }

  bool receive(uint8_t* frame) {
    const Arrival arrival = host_.receive({frame, BufferBytes - Headroom}, frame_.size(), known_, Now);
    benchmark::DoNotOptimize(arrival.peer);
    return arrival.verdict == Arrival::Verdict::Media && arrival.length == PayloadBytes;
  }
  bool send(uint8_t* payload) { return host_.send(payload, PayloadBytes, peer_, Now).header_bytes != 0; }

 private:
  Interface interface_ = interface_of_bridge();
  UdpHost host_;
  SocketAddress peer_;
  RxChecksums known_;
  Octets frame_;
};

// Does `packet` for each packet of each burst and reports the median burst.
template <typename Packet>
void measure(benchmark::State& state, Packet packet) {
  std::vector<double> cycles;
  size_t next = 0;
  bool ok = true;
  for (auto _ : state) {
    const uint64_t before = ticks();
    for (size_t i = next; i < next + Burst; ++i) ok &= packet(i);
    cycles.push_back(static_cast<double>(ticks() - before) / Burst);
    next += Burst;
  }
  if (!ok) state.SkipWithError("a packet was refused");
  const auto quantile = [&](size_t tenths) {
    const auto at = cycles.begin() + static_cast<ptrdiff_t>(cycles.size() * tenths / 10);
    std::nth_element(cycles.begin(), at, cycles.end());
    return *at;
  };
  state.counters["cycles"] = quantile(5);
  state.counters["undisturbed"] = quantile(1);
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(Burst));
}

enum class Part { Receive, Send, Both };

void udp_host(benchmark::State& state, Part part, bool v6, bool offloads) {
  Traffic traffic(v6, offloads);
  Pool arriving(static_cast<size_t>(state.range(0)), traffic.frame());
  Pool leaving(static_cast<size_t>(state.range(0)), Octets(PayloadBytes, 0x80));
  measure(state, [&](size_t i) {
    bool ok = true;
    if (part != Part::Send) {
      __builtin_prefetch(arriving.data(i + Ahead));
      ok = traffic.receive(arriving.data(i));
    }
    if (part != Part::Receive) {
      __builtin_prefetch(leaving.data(i + Ahead) - Headroom / 2, 1);
      ok &= traffic.send(leaving.data(i));
    }
    return ok;
  });
}
BENCHMARK_CAPTURE(udp_host, both/v4/offloads, Part::Both, false, true)->Arg(32)->Arg(1024);
BENCHMARK_CAPTURE(udp_host, both/v4/software, Part::Both, false, false)->Arg(32)->Arg(1024);
BENCHMARK_CAPTURE(udp_host, both/v6/offloads, Part::Both, true, true)->Arg(32)->Arg(1024);
BENCHMARK_CAPTURE(udp_host, both/v6/software, Part::Both, true, false)->Arg(32)->Arg(1024);
BENCHMARK_CAPTURE(udp_host, receive/v4/offloads, Part::Receive, false, true)->Arg(32);
BENCHMARK_CAPTURE(udp_host, send/v4/offloads, Part::Send, false, true)->Arg(32);

void copy_packet(benchmark::State& state) {
  const Octets content(PayloadBytes, 0x80);
  Pool from(static_cast<size_t>(state.range(0)), content);
  Pool to(static_cast<size_t>(state.range(0)), content);
  measure(state, [&](size_t i) {
    std::memcpy(to.data(i), from.data(i), PayloadBytes);
    benchmark::ClobberMemory();
    return true;
  });
}
BENCHMARK(copy_packet)->Arg(32)->Arg(1024);

// Where there are no flow rules, this comes first for every frame.
void classify_frame(benchmark::State& state) {
  Traffic traffic(false, true);
  Pool arriving(static_cast<size_t>(state.range(0)), traffic.frame());
  measure(state, [&](size_t i) {
    __builtin_prefetch(arriving.data(i + Ahead));
    return classify({arriving.data(i), traffic.frame().size()}, traffic.interface()).target == Target::Worker;
  });
}
BENCHMARK(classify_frame)->Arg(32)->Arg(1024);

}  // namespace
}  // namespace viaduct::dpdk::ip
