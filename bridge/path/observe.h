// Step 4. What an arrival teaches, now that it has authenticated: windows move, losses show, voices
// are measured, RTX is turned back into the packet it repeats, and where key frames begin is noted.
//
// From headers and header extensions alone. Behind the header it reads two fields that are RTP's
// own and no codec data: the padding count (RFC 3550 section 5.1) and the original sequence number
// of RTX (RFC 4588 section 4).
#pragma once

#include "conference/directory.h"
#include "path/batch.h"
#include "path/counters.h"

namespace viaduct::path {

class Observe {
 public:
  Observe(conference::Directory& directory, PathCounters& counters)
      : directory_(directory), counters_(counters) {}

  void run(RxBatch& rx, Timestamp now);

 private:
  Drop authenticated(RxPacket& packet, Endpoint& endpoint) const;
  Drop observe_media(RxBatch& rx, RxPacket& packet, Endpoint& endpoint, Timestamp now);
  Drop restore_rtx(RxPacket& packet, const Endpoint& endpoint,
                   const conference::Encoding& stream) const;
  void observe_level(RxPacket& packet, Endpoint& endpoint, Timestamp now);
  void observe_frame(RxBatch& rx, RxPacket& packet, Endpoint& endpoint) const;
  static void observe_allocation(Bytes element, conference::Source& source);

  conference::Directory& directory_;
  PathCounters& counters_;
};

}  // namespace viaduct::path
