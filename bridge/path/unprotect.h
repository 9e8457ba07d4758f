// Step 3. SRTP in: which stream and which packet index, has it been seen, and off to the cipher.
//
// Nothing is remembered of a packet here: it has not authenticated yet. Windows and indexes move in
// `observe`.
#pragma once

#include "conference/directory.h"
#include "edge/batch_cipher.h"
#include "path/batch.h"

namespace viaduct::path {

class Unprotect {
 public:
  Unprotect(conference::Directory& directory, edge::BatchCipher& cipher)
      : directory_(directory), cipher_(cipher) {}

  // Submits the batch; it comes back from poll(), now or turns later. Batches without a job keep
  // their place in the order.
  void run(RxBatch& rx);
  // A batch that is open already, so that it comes back in its turn.
  void pass(RxBatch& rx) { cipher_.submit(&rx); }
  // The next finished batch, oldest first, or null.
  RxBatch* poll() { return static_cast<RxBatch*>(cipher_.poll()); }
  bool has_unfinished() const { return cipher_.has_unfinished(); }

 private:
  Drop prepare_rtp(RxPacket& packet, Endpoint& endpoint) const;
  Drop prepare_rtcp(RxPacket& packet, Endpoint& endpoint) const;

  conference::Directory& directory_;
  edge::BatchCipher& cipher_;
};

}  // namespace viaduct::path
