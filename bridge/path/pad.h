// Step 12. Packets to one receiver that are nearly of one size are made of one size by padding (RFC
// 3550 section 5.1), so that the edge can send them as one segmented datagram.
//
// A browser cuts a frame into packets that differ by a few bytes, and a different byte in one of
// them would end the segments. The padding stands behind the shared payload, where the cipher reads
// both; receivers cut it off before anything looks at the payload.
#pragma once

#include <vector>

#include "path/batch.h"
#include "path/counters.h"

namespace viaduct::path {

// Writes padding behind the packet's body, of which any number of bytes from the front will do.
// Returns how many there are: none where the buffer has no room.
uint8_t prepare_padding(RxPacket& packet);

class Pad {
 public:
  explicit Pad(PathCounters& counters) : counters_(counters) {}

  // The batches as they came, their jobs longer where it helps.
  const std::vector<TxBatch*>& run(const std::vector<TxBatch*>& batches);

 private:
  void even_out(TxBatch& tx, size_t first, size_t end);

  PathCounters& counters_;
};

}  // namespace viaduct::path
