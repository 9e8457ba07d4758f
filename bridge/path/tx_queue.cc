#include "path/tx_queue.h"

namespace viaduct::path {

TxQueue::Blank TxQueue::next(RxBatch* reads) {
  if (filled_.empty() || filled_.back()->full()) {
    TxBatch* fresh = pool_.take();
    if (!fresh) return {.missing = Drop::NoBatch};
    fresh->jobs = {};
    fresh->reads = nullptr;
    filled_.push_back(fresh);
  }
  TxBatch& batch = *filled_.back();
  const size_t at = batch.size();
  TxPacket& packet = batch.packets[at];
  packet = {};
  if (io_.allocate({&packet.io, 1}) == 0) return {.missing = Drop::NoPacket};
  if (reads && !batch.reads) {
    batch.reads = reads;
    ++reads->readers;
  }
  batch.jobs = std::span(batch.job_storage).first(at + 1);
  batch.jobs[at] = {};
  return {&packet, &batch.jobs[at], Drop::None};
}

void TxQueue::undo() {
  TxBatch& batch = *filled_.back();
  io_.release({&batch.packets[batch.size() - 1].io, 1});
  batch.jobs = batch.jobs.first(batch.size() - 1);
}

const std::vector<TxBatch*>& TxQueue::take() {
  taken_.swap(filled_);
  filled_.clear();
  return taken_;
}

}  // namespace viaduct::path
