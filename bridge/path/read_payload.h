// Step 5. What codec data says in conferences that are not end-to-end encrypted: frames, layers and
// key frames, for senders without the dependency descriptor, the picture numbers that receivers of
// VP8 and VP9 need to be continuous, and where sound begins in RED.
//
// It is given the packets in clear alone (observe sorts them out), and it is the only step that
// includes payload parsers to forward by. Nothing here may be needed to forward a sealed stream.
#pragma once

#include "conference/directory.h"
#include "path/batch.h"

namespace viaduct::path {

class ReadPayload {
 public:
  explicit ReadPayload(conference::Directory& directory) : directory_(directory) {}

  void run(const PacketList& in_clear);

 private:
  conference::Directory& directory_;
};

}  // namespace viaduct::path
