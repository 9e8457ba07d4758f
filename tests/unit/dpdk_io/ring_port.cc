#include "tests/unit/dpdk_io/ring_port.h"

#include <rte_dev.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <algorithm>
#include <cstdlib>

#include "base/check.h"

namespace viaduct::dpdk {
namespace {

constexpr unsigned RxFrames = 8192;

rte_ring* make_ring(const std::string& name, unsigned frames) {
  rte_ring* ring = rte_ring_create(name.c_str(), frames, SOCKET_ID_ANY, RING_F_EXACT_SZ);
  CHECK(ring != nullptr);
  return ring;
}

void free_ring(rte_ring* ring) {
  void* frame = nullptr;
  while (rte_ring_dequeue(ring, &frame) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(frame));
  rte_ring_free(ring);
}

// A block and what DPDK keeps of it, which says when it is free.
struct Block {
  rte_mbuf_ext_shared_info info;
  uint8_t* bytes;
};

void free_block(void*, void* block) {
  delete[] static_cast<Block*>(block)->bytes;
  delete static_cast<Block*>(block);
}

}  // namespace

RingPort::RingPort(size_t queues, rte_mempool* pool, unsigned tx_frames) : pool_(pool) {
  static int made = 0;
  name_ = "wire" + std::to_string(made++);
  for (size_t i = 0; i < queues; ++i) {
    rx_.push_back(make_ring(name_ + "-rx" + std::to_string(i), RxFrames));
    tx_.push_back(make_ring(name_ + "-tx" + std::to_string(i), tx_frames));
  }
  const auto count = static_cast<uint16_t>(queues);
  const int id = rte_eth_from_rings(name_.c_str(), rx_.data(), count, tx_.data(), count, 0);
  CHECK(id >= 0);
  id_ = static_cast<uint16_t>(id);
  const rte_eth_conf conf{};
  CHECK(rte_eth_dev_configure(id_, count, count, &conf) == 0);
  for (uint16_t i = 0; i < count; ++i) {
    CHECK(rte_eth_rx_queue_setup(id_, i, 64, SOCKET_ID_ANY, nullptr, pool_) == 0);
    CHECK(rte_eth_tx_queue_setup(id_, i, 64, SOCKET_ID_ANY, nullptr) == 0);
  }
  CHECK(rte_eth_dev_start(id_) == 0);
}

RingPort::~RingPort() {
  rte_eth_dev_stop(id_);
  rte_eth_dev_close(id_);
  rte_eal_hotplug_remove("vdev", ("net_ring_" + name_).c_str());
  for (rte_ring* ring : rx_) free_ring(ring);
  for (rte_ring* ring : tx_) free_ring(ring);
}

rte_mbuf* RingPort::frame_of(Bytes bytes) {
  rte_mbuf* frame = rte_pktmbuf_alloc(pool_);
  CHECK(frame != nullptr);
  std::copy(bytes.begin(), bytes.end(),
            reinterpret_cast<uint8_t*>(rte_pktmbuf_append(frame, static_cast<uint16_t>(bytes.size()))));
  return frame;
}

void RingPort::put(size_t queue, rte_mbuf* frame) { CHECK(rte_ring_enqueue(rx_[queue], frame) == 0); }

void RingPort::arrive(size_t queue, Bytes frame) { put(queue, frame_of(frame)); }

void RingPort::arrive_in_exact_block(size_t queue, Bytes bytes) {
  rte_mbuf* frame = rte_pktmbuf_alloc(pool_);
  CHECK(frame != nullptr);
  auto* block = new Block{};
  block->bytes = new uint8_t[bytes.size()];
  block->info.free_cb = free_block;
  block->info.fcb_opaque = block;
  rte_mbuf_ext_refcnt_set(&block->info, 1);
  std::copy(bytes.begin(), bytes.end(), block->bytes);
  const auto size = static_cast<uint16_t>(bytes.size());
  rte_pktmbuf_attach_extbuf(frame, block->bytes, RTE_BAD_IOVA, size, &block->info);
  frame->data_off = 0;
  CHECK(rte_pktmbuf_append(frame, size) != nullptr);
  put(queue, frame);
}

void RingPort::arrive_split(size_t queue, Bytes frame, size_t first_bytes) {
  rte_mbuf* head = frame_of(frame.first(first_bytes));
  CHECK(rte_pktmbuf_chain(head, frame_of(frame.subspan(first_bytes))) == 0);
  put(queue, head);
}

size_t RingPort::waiting(size_t queue) const { return rte_ring_count(rx_[queue]); }

std::vector<testing::Octets> RingPort::sent(size_t queue) {
  std::vector<testing::Octets> frames;
  void* taken = nullptr;
  while (rte_ring_dequeue(tx_[queue], &taken) == 0) {
    auto* frame = static_cast<rte_mbuf*>(taken);
    CHECK(frame->nb_segs == 1 && frame->pkt_len == frame->data_len);
    const auto* bytes = rte_pktmbuf_mtod(frame, const uint8_t*);
    frames.emplace_back(bytes, bytes + frame->data_len);
    rte_pktmbuf_free(frame);
  }
  return frames;
}

}  // namespace viaduct::dpdk
