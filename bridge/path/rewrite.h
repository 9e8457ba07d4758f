// Step 9. The receiver's own header in front of the shared payload: SSRC, sequence number,
// timestamp, payload type, picture id, header extensions.
//
// The payload itself is not copied: the cipher reads it from the incoming packet. Only bytes that
// differ between receivers (a VP8 payload descriptor, the original sequence number of a resent
// packet) are written here, behind the header.
#pragma once

#include <span>

#include "conference/directory.h"
#include "path/batch.h"
#include "path/counters.h"
#include "path/route.h"
#include "path/tx_queue.h"

namespace viaduct::path {

class Rewrite {
 public:
  Rewrite(conference::Directory& directory, TxQueue& queue, PathCounters& counters)
      : directory_(directory), queue_(queue), counters_(counters) {}

  // Puts one packet into the queue for each Forward that can be made.
  void run(RxBatch& rx, std::span<const Forward> forwards, Timestamp now);

  // Puts a packet that the slot has sent before into the queue again, as RTX (RFC 4588). Its
  // payload is copied.
  Drop resend(const conference::SlotRef& to, const conference::StoredPacket& stored);

 private:
  Drop forward(RxBatch& rx, const RxPacket& packet, const conference::SlotRef& to, Timestamp now);

  conference::Directory& directory_;
  TxQueue& queue_;
  PathCounters& counters_;
};

}  // namespace viaduct::path
