// Step 4. What an arrival teaches, now that it has authenticated: windows move, losses show, voices
// are measured, RTX is turned back into the packet it repeats, and where key frames begin is noted.
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
  Drop observe_media(RxPacket& packet, Endpoint& endpoint, Timestamp now);
  void begin_stream(conference::Source& source, uint32_t ssrc) const;
  Drop restore_rtx(RxPacket& packet, const Endpoint& endpoint,
                   const conference::Source& source) const;
  void observe_level(RxPacket& packet, Endpoint& endpoint, Timestamp now);

  conference::Directory& directory_;
  PathCounters& counters_;
};

}  // namespace viaduct::path
