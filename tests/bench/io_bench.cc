// The kernel socket edge over loopback: 1,200-byte packets in batches, from one SocketIo to others in the same thread.
//
// Loopback runs the receiving half of the kernel inside the sender's system call, so these figures compare ways to use
// the edge; they say nothing about a real network card.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "edge/packet_pool.h"
#include "edge/socket_io.h"
#include "limits.h"

namespace viaduct::edge {
namespace {

constexpr uint32_t PacketBytes = 1200;
constexpr Timestamp Now{1s};

std::unique_ptr<SocketIo> open(const char* address) {
  SocketIoSettings settings;
  settings.bind_addresses = {*IpAddress::parse(address)};
  settings.pool_packets = 2048;
  return std::move(SocketIo::open(settings).value());
}

size_t drain(SocketIo& io) {
  std::array<Packet, limits::RxBatchPackets> packets;
  size_t total = 0;
  while (const size_t got = io.receive(packets, Now)) {
    io.release(std::span(packets).first(got));
    total += got;
  }
  return total;
}

// range(0) packets in one send() to range(1) receivers, the packets of each standing together, and their reception.
void send_and_receive(benchmark::State& state, const char* bridge_address) {
  const auto packets = static_cast<size_t>(state.range(0));
  const auto receivers = static_cast<size_t>(state.range(1));
  const auto bridge = open(bridge_address);
  std::vector<std::unique_ptr<SocketIo>> clients;
  for (size_t i = 0; i < receivers; ++i) clients.push_back(open("127.0.0.1"));

  std::vector<Packet> batch(packets);
  int64_t received = 0;
  for (auto _ : state) {
    bridge->allocate(batch);
    for (size_t i = 0; i < packets; ++i) {
      batch[i].length = PacketBytes;
      batch[i].peer = clients[i * receivers / packets]->local_addresses()[0];
    }
    bridge->send(batch);
    for (const auto& client : clients) received += static_cast<int64_t>(drain(*client));
  }
  if (received != state.iterations() * static_cast<int64_t>(packets)) state.SkipWithError("packets were lost");
  state.SetItemsProcessed(received);
}
BENCHMARK_CAPTURE(send_and_receive, bound_address, "127.0.0.1")
    ->Args({1, 1})->Args({32, 1})->Args({256, 1})->Args({256, 16});
BENCHMARK_CAPTURE(send_and_receive, wildcard, "0.0.0.0")->Args({256, 1})->Args({256, 16});

void receive_nothing(benchmark::State& state) {
  const auto bridge = open("127.0.0.1");
  std::array<Packet, limits::RxBatchPackets> packets;
  for (auto _ : state) benchmark::DoNotOptimize(bridge->receive(packets, Now));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(receive_nothing);

void pool_allocate_release(benchmark::State& state) {
  const auto pool = std::move(PacketPool::open(2048).value());
  std::vector<Packet> packets(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    pool->allocate(packets);
    pool->release(packets);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(pool_allocate_release)->Arg(64);

}  // namespace
}  // namespace viaduct::edge
