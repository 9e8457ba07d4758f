#include "dpdk/tx_queue.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <algorithm>

namespace viaduct::dpdk {

TxQueue::~TxQueue() {
  for (; begin_ != end_; ++begin_) rte_pktmbuf_free(at(begin_));
}

bool TxQueue::push(rte_mbuf* frame) {
  if (waiting() == Backlog) drain();
  if (waiting() == Backlog) {
    rte_pktmbuf_free(frame);
    counters_.dropped.add();
    return false;
  }
  at(end_++) = frame;
  if (waiting() % Burst == 0) drain();
  return true;
}

void TxQueue::drain() {
  while (begin_ != end_) {
    const size_t in_a_row = std::min(waiting(), Backlog - begin_ % Backlog);
    const auto offered = static_cast<uint16_t>(std::min(in_a_row, 2 * Burst));
    const uint16_t taken = rte_eth_tx_burst(port_, queue_, &at(begin_), offered);
    begin_ += taken;
    counters_.frames.add(taken);
    counters_.bursts.add(taken > 0 ? 1 : 0);
    if (taken == offered) continue;
    counters_.full.add();
    return;
  }
}

}  // namespace viaduct::dpdk
