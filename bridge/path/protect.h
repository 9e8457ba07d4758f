// Step 13. The fan-out, sealed: one payload, many keys. Batches go to the cipher as they are; each
// job names its receiver's key.
#pragma once

#include <vector>

#include "edge/batch_cipher.h"
#include "path/batch.h"

namespace viaduct::path {

class Protect {
 public:
  explicit Protect(edge::BatchCipher& cipher) : cipher_(cipher) {}

  // Puts the batches in line.
  void run(const std::vector<TxBatch*>& batches) {
    waiting_.insert(waiting_.end(), batches.begin(), batches.end());
  }
  // The next finished batch, oldest first, or null. The cipher gets batches only until one comes
  // back: with one that finishes at once, a batch leaves while it is still in the processor's cache,
  // and one that works elsewhere gets all.
  TxBatch* poll() {
    for (;;) {
      if (edge::CipherBatch* finished = cipher_.poll()) return static_cast<TxBatch*>(finished);
      if (next_ == waiting_.size()) break;
      cipher_.submit(waiting_[next_++]);
    }
    waiting_.clear();
    next_ = 0;
    return nullptr;
  }

  bool has_unfinished() const { return cipher_.has_unfinished(); }

 private:
  edge::BatchCipher& cipher_;
  std::vector<TxBatch*> waiting_;  // from next_ on
  size_t next_ = 0;
};

}  // namespace viaduct::path
