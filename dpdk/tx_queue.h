// What one worker sends by its transmit queue: frames wait for others, for a moment, so that the network card is told
// of many at a time.
//
// A full burst leaves at once, the rest when drain() is called. Where the queue has no room frames wait, up to a bound;
// what comes beyond it is dropped and counted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/counters.h"

struct rte_mbuf;

namespace viaduct::dpdk {

struct TxCounters {
  Counter bursts;  // calls that the port took at least one frame from
  Counter frames;
  Counter full;     // times that the port had no room
  Counter dropped;  // as there was no room for longer than the backlog lasts
};

class TxQueue {
 public:
  TxQueue(uint16_t port, uint16_t queue) : port_(port), queue_(queue) {}
  // Frees what is left. The worker has ended.
  ~TxQueue();
  TxQueue(const TxQueue&) = delete;
  TxQueue& operator=(const TxQueue&) = delete;

  // Takes the frame over. False when it had to be dropped.
  bool push(rte_mbuf* frame);
  void drain();
  size_t waiting() const { return end_ - begin_; }
  const TxCounters& counters() const { return counters_; }

  static constexpr size_t Burst = 32;
  static constexpr size_t Backlog = 1024;  // some milliseconds of a worker's rate

 private:
  rte_mbuf*& at(size_t i) { return frames_[i % Backlog]; }

  const uint16_t port_;
  const uint16_t queue_;
  std::array<rte_mbuf*, Backlog> frames_;  // a ring
  size_t begin_ = 0;
  size_t end_ = 0;
  TxCounters counters_;
};

}  // namespace viaduct::dpdk
