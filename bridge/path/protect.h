// Step 11. The fan-out, sealed: one payload, many keys. Batches go to the cipher as they are; each
// job names its receiver's key.
#pragma once

#include <vector>

#include "edge/batch_cipher.h"
#include "path/batch.h"

namespace viaduct::path {

class Protect {
 public:
  explicit Protect(edge::BatchCipher& cipher) : cipher_(cipher) {}

  void run(const std::vector<TxBatch*>& batches) {
    for (TxBatch* tx : batches) cipher_.submit(tx);
  }
  // The next finished batch, oldest first, or null.
  TxBatch* poll() { return static_cast<TxBatch*>(cipher_.poll()); }

 private:
  edge::BatchCipher& cipher_;
};

}  // namespace viaduct::path
