// Step 10. The receiver's own header in front of the shared payload: SSRC, sequence number,
// timestamp, payload type, picture id, header extensions.
//
// The payload itself is not copied: the cipher reads it from the incoming packet. Only bytes that
// differ between receivers (a VP8 payload descriptor, the original sequence number of a resent
// packet) are written here, behind the header.
#pragma once

#include <array>
#include <memory>
#include <span>

#include "conference/directory.h"
#include "path/batch.h"
#include "path/counters.h"
#include "path/route.h"
#include "path/tx_queue.h"

namespace viaduct::path {

class Rewrite {
 public:
  Rewrite(conference::Directory& directory, TxQueue& queue, PathCounters& counters);
  ~Rewrite();

  // Puts one packet into the queue for each Forward that can be made. What is the same for all
  // receivers of a packet is found once, and kept until forget().
  void run(RxBatch& rx, std::span<const Forward> forwards, Timestamp now);
  void forget(const RxBatch& rx);

  // Puts a packet that the slot has sent before into the queue again, as RTX (RFC 4588). Its
  // payload is copied.
  Drop resend(const conference::SlotRef& to, const conference::StoredPacket& stored);

 private:
  struct Original;
  using Originals = std::array<Original, limits::RxBatchPackets>;

  Drop forward(RxBatch& rx, const RxPacket& packet, const Original& original, Endpoint& sender,
               const conference::SlotRef& to, Timestamp now);

  conference::Directory& directory_;
  TxQueue& queue_;
  PathCounters& counters_;
  std::unique_ptr<Originals> originals_;  // by packet of the batch in hand; no header: not yet made
};

}  // namespace viaduct::path
