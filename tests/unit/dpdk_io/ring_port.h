// A port of DPDK's whose queues are rings in this process: the test is the wire. A frame can arrive at any queue, and
// what was sent is read back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/frames/frames.h"

struct rte_mbuf;
struct rte_mempool;
struct rte_ring;

namespace viaduct::dpdk {

class RingPort {
 public:
  // `pool` is where arriving frames are put. `tx_frames`: room of each transmit queue; a power of two.
  RingPort(size_t queues, rte_mempool* pool, unsigned tx_frames = 1024);
  // Frees what is left in the rings.
  ~RingPort();
  RingPort(const RingPort&) = delete;
  RingPort& operator=(const RingPort&) = delete;

  uint16_t id() const { return id_; }
  void arrive(size_t queue, Bytes frame);
  // In a heap block of its exact size in the place of a pool's buffer: a sanitizer sees a step over its end.
  void arrive_in_exact_block(size_t queue, Bytes frame);
  // In two buffers.
  void arrive_split(size_t queue, Bytes frame, size_t first_bytes);
  size_t waiting(size_t queue) const;

  // Takes what the queue has sent.
  std::vector<testing::Octets> sent(size_t queue);

 private:
  rte_mbuf* frame_of(Bytes bytes);
  void put(size_t queue, rte_mbuf* frame);

  rte_mempool* const pool_;
  std::string name_;
  std::vector<rte_ring*> rx_;
  std::vector<rte_ring*> tx_;
  uint16_t id_ = 0;
};

}  // namespace viaduct::dpdk
