// Step 6. What do the bodies of each source look like, whatever its sender declares: plain codec
// data or ciphertext? Evidence for people (conference/body_evidence.h says how good it is).
//
// It samples the front of frames: some tens of bytes of one packet a frame, until there is a
// verdict, and again every ten seconds. The verdict is all that leaves this step. No packet is
// forwarded, dropped or changed by what is in it; only where a conference requires encryption are
// sources held back by their verdict.
#pragma once

#include "conference/directory.h"
#include "path/batch.h"

namespace viaduct::path {

// What the payload that begins a frame shows; nothing when it begins none or is too short to tell.
// `timestamp_step` leads to it from the frame before.
std::optional<conference::BodySample> sample_front(codec::CodecType codec, Bytes payload,
                                                   uint32_t timestamp_step);

class Witness {
 public:
  explicit Witness(conference::Directory& directory) : directory_(directory) {}

  void run(const RxBatch& rx, Timestamp now);

 private:
  void look_at(const RxPacket& packet, Endpoint& sender, Timestamp now);

  conference::Directory& directory_;
};

}  // namespace viaduct::path
