// A pool of packet buffers (mbufs) that queues, workers and ports share.
//
// A buffer has 128 bytes in front of a received frame, as DPDK puts it there, and room behind for the longest packet
// with its tag. It holds media that may be in clear: it stays out of core dumps and forked children and in RAM, like
// edge/media_memory.h, and release() wipes it; what the network card has sent was encrypted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

struct rte_mempool;
struct rte_mbuf;

namespace viaduct::dpdk {

// Buffers that one worker's pool needs: what its queues can hold, what conferences hold, and what lies in the caches of
// lcores, which DPDK lets grow to one and a half times their size.
size_t pool_buffers(size_t descriptors, size_t held, size_t lcores);
// Bytes of such a pool, with DPDK's own headers.
size_t pool_bytes(size_t buffers);

class MbufPool {
 public:
  // In memory of EAL's on the NUMA node `socket` (-1: any).
  static Result<std::unique_ptr<MbufPool>> open(const std::string& name, size_t buffers, int socket);
  // In memory of the caller's, which outlives the pool: that of a GPU that shares its bus with the ports (GPUDirect),
  // or the host's. It is made known to DPDK and mapped for the DMA of each of `ports`. At least pool_bytes(buffers),
  // from a page's start on.
  static Result<std::unique_ptr<MbufPool>> open_in(MutableBytes memory, const std::string& name, size_t buffers,
                                                   std::span<const uint16_t> ports);
  ~MbufPool();
  MbufPool(const MbufPool&) = delete;
  MbufPool& operator=(const MbufPool&) = delete;

  rte_mempool* get() const { return pool_; }
  size_t size() const;
  size_t free() const;  // exact only while nobody uses the pool
  size_t in_use() const { return size() - free(); }
  bool is_locked() const { return locked_; }       // into RAM
  MutableBytes memory() const { return memory_; }  // all of it; empty when it is here and there

 private:
  struct Lent;  // memory of the caller's that DPDK knows

  MbufPool(rte_mempool* pool, std::unique_ptr<Lent> lent);
  void keep_memory_here();

  rte_mempool* const pool_;
  std::unique_ptr<Lent> lent_;  // null when the memory is EAL's
  MutableBytes memory_;
  bool locked_ = true;
};

}  // namespace viaduct::dpdk
