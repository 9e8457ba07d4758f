// PacketIo by DPDK: the queue pair of one worker, from a burst of frames to datagrams and back.
//
// Runs to completion on the worker's thread, without a system call where the port's driver needs none. A datagram stays
// in the buffer that the network card wrote it to; a sent one leaves from the buffer that it was encrypted into, with
// headers put in front of it. What belongs to another worker is handed over; what is not media is answered
// (ip/udp_host.h) or goes to the kernel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/counters.h"
#include "base/token_bucket.h"
#include "dpdk/device_clock.h"
#include "dpdk/inboxes.h"
#include "dpdk/ip/interface.h"
#include "dpdk/ip/udp_host.h"
#include "dpdk/kernel_queue.h"
#include "dpdk/mbuf_pool.h"
#include "dpdk/published.h"
#include "dpdk/tx_queue.h"
#include "edge/io_counters.h"
#include "edge/io_wait.h"
#include "edge/packet_io.h"

namespace viaduct::dpdk {

struct DpdkIoSettings {
  uint16_t worker = 0;
  uint16_t port = 0;   // DPDK's number of it
  uint16_t queue = 0;  // of both directions
  std::optional<uint16_t> cpu;
  ip::TxOffloads offloads;
  int timestamp_field = -1;  // where in a buffer the port writes when it arrived; -1: it does not
  uint64_t timestamp_flag = 0;
  std::optional<uint16_t> kernel_port;  // of the TAP device, with as many queues
  edge::IoWait wait = edge::IoWait::Block;
};

// Packets that the path has of an edge: handed out by receive() or allocate(), and not back by send() or release().
struct Loan {
  int64_t packets = 0;
};

// What only this edge counts; the rest is in edge::IoCounters.
struct DpdkIoCounters {
  Histogram<7> burst{{1, 2, 4, 8, 16, 32, 64}};  // frames at a time, of calls that brought any
  Counter empty_polls;
  Counter handed_over, hand_over_full;  // frames for other workers
  Counter fragmented_buffers;           // frames in more than one buffer, which nothing here asks for
};

class DpdkIo final : public edge::PacketIo, public MetricSource {
 public:
  // Pool, inboxes, loan and interface are the network's and outlive it, as does the started port.
  DpdkIo(const DpdkIoSettings& settings, const ip::Interface& interface, MbufPool& pool, Inboxes& inboxes, Loan& loan);
  ~DpdkIo() override;

  void attach() override;
  size_t receive(std::span<Packet> into, Timestamp now) override;
  size_t allocate(std::span<Packet> out) override;
  void send(std::span<const Packet> packets) override;
  // Wipes them at once: who else gets a buffer next is not ours to say.
  void release(std::span<const Packet> packets) override;
  size_t wipe_released(size_t) override;
  // By the idle policy: returns at once, after a pause, or sleeps, the longer the longer nothing has come.
  void wait(Duration at_most) override;
  void gather(Duration) override {}
  void wake() override {}  // wait() ends by itself soon enough
  std::optional<edge::PathMtu> next_path_mtu() override;
  std::span<uint8_t> memory() override { return pool_.memory(); }
  size_t free_packets() const override { return pool_.free(); }

  const edge::IoCounters& counters() const { return counters_; }
  const DpdkIoCounters& dpdk_counters() const { return dpdk_counters_; }
  const TxCounters& tx_counters() const { return tx_.counters(); }
  const ip::UdpHost& host() const { return host_; }

  void visit(MetricVisitor& visitor) const override;

  static constexpr Duration ShortestSleep = 50us;
  static constexpr Duration LongestSleep = 200us;          // queues hold far more than comes in that time
  static constexpr Duration TxDrain = 50us;                // that a frame waits for others at most, while packets come
  static constexpr double AdvertisementsPerSecond = 1000;  // that all workers are told of

 private:
  size_t take_frames(std::span<rte_mbuf*> into);
  size_t take_blank_frames(std::span<rte_mbuf*> into);
  bool stays_here(rte_mbuf* frame);
  void tell_everyone(rte_mbuf* frame);
  bool read(rte_mbuf* frame, Packet& into);
  void send_one(const Packet& packet);
  void wipe_and_free(const Packet& packet);
  void send_own_frames();
  void drain_if_due(size_t received);
  Timestamp arrival_of(const rte_mbuf* frame) const;

  const DpdkIoSettings settings_;
  const std::string worker_;
  const ip::Interface& interface_;
  MbufPool& pool_;
  Inboxes& inboxes_;
  Loan& loan_;
  ip::UdpHost host_;
  TxQueue tx_;
  std::optional<KernelQueue> kernel_;
  TokenBucket advertisements_{AdvertisementsPerSecond};
  DeviceClock device_clock_;
  Timestamp now_{};
  Timestamp sent_first_{};   // when the oldest of the frames that wait to be sent came
  unsigned idle_turns_ = 0;  // in a row
  Timestamp idle_since_{};
  edge::IoCounters counters_;
  DpdkIoCounters dpdk_counters_;
  const Published published_{*this};
};

}  // namespace viaduct::dpdk
