// Step 14. Sealed packets leave, if their receivers still want them; incoming video that nobody
// reads any more is kept for receivers' NACKs, and everything else goes back to the edge.
#pragma once

#include <span>
#include <vector>

#include "base/time.h"
#include "conference/directory.h"
#include "edge/packet_io.h"
#include "path/batch.h"
#include "path/counters.h"

namespace viaduct::path {

// Reads the clock once more, after the work is done: how long packets stay in the bridge is
// measured, not assumed.
class TimeSource {
 public:
  virtual ~TimeSource() = default;
  virtual Timestamp now() = 0;
};

class Transmit {
 public:
  Transmit(edge::PacketIo& io, conference::Directory& directory, TimeSource& time,
           PathCounters& counters)
      : io_(io), directory_(directory), time_(time), counters_(counters) {}

  void run(TxBatch& tx, Timestamp now);
  // Keeps or releases the packets of a batch that no job reads any more, and counts those that were
  // dropped.
  void retire(RxBatch& rx);

 private:
  void send_run(std::span<const TxPacket> packets, std::span<const edge::CipherJob> jobs,
                Timestamp now);
  static void note_departure(Endpoint& receiver, const TxPacket& packet, const edge::CipherJob& job,
                             const Packet& io, Timestamp now);
  void note_latency(std::span<const TxPacket> packets, Timestamp sent);
  bool keep_for_resend(const RxPacket& packet);

  edge::PacketIo& io_;
  conference::Directory& directory_;
  TimeSource& time_;
  PathCounters& counters_;
  std::vector<Packet> leaving_;
  std::vector<Packet> returning_;
};

}  // namespace viaduct::path
