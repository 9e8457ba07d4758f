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
  if (blank_count_ == 0) blank_count_ = io_.allocate(blanks_);
  if (blank_count_ == 0) return {.missing = Drop::NoPacket};
  packet = {.io = blanks_[--blank_count_]};
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
  blanks_[blank_count_++] = batch.packets[batch.size() - 1].io;
  batch.jobs = batch.jobs.first(batch.size() - 1);
}

const std::vector<TxBatch*>& TxQueue::take() {
  io_.release(std::span(blanks_).first(blank_count_));
  blank_count_ = 0;
  taken_.swap(filled_);
  filled_.clear();
  return taken_;
}

}  // namespace viaduct::path
