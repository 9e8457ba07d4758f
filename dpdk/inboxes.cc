#include "dpdk/inboxes.h"

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

namespace viaduct::dpdk {

Result<std::unique_ptr<Inboxes>> Inboxes::open(size_t workers) {
  std::vector<rte_ring*> rings;
  for (size_t i = 0; i < workers; ++i) {
    const std::string name = "viaduct-inbox-" + std::to_string(i);
    rte_ring* ring = rte_ring_create(name.c_str(), Frames, SOCKET_ID_ANY, RING_F_SC_DEQ | RING_F_EXACT_SZ);
    if (ring == nullptr) {
      for (rte_ring* made : rings) rte_ring_free(made);
      return Error{ErrorCode::ResourceExhausted, std::string("there is no room for the rings between workers (") +
                                                     rte_strerror(rte_errno) +
                                                     "); set dpdk-memory higher, or run fewer workers"};
    }
    rings.push_back(ring);
  }
  return std::unique_ptr<Inboxes>(new Inboxes(std::move(rings)));
}

Inboxes::~Inboxes() {
  for (rte_ring* ring : rings_) {
    void* frame = nullptr;
    while (rte_ring_dequeue(ring, &frame) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(frame));
    rte_ring_free(ring);
  }
}

bool Inboxes::put(size_t worker, rte_mbuf* frame) { return rte_ring_enqueue(rings_[worker], frame) == 0; }

size_t Inboxes::take(size_t worker, rte_mbuf** into, size_t at_most) {
  return rte_ring_sc_dequeue_burst(rings_[worker], reinterpret_cast<void**>(into), static_cast<unsigned>(at_most),
                                   nullptr);
}

}  // namespace viaduct::dpdk
