// Which decode targets a receiver gets of a stream (AV1 RTP specification, section A.8.2). Where the bridge leaves
// layers out, the receiver's dependency descriptors say so, and nobody waits for what is not to come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "protocol/rtp/dependency_descriptor.h"
#include "protocol/rtp/frame_info.h"

namespace viaduct::rtp {

struct TargetMask {
  uint32_t bits = 0;  // bit i: target i
  uint8_t targets = 0;
};

// Of one receiver's stream. A mask holds until the next structure, but the packet that brings it may be lost: once
// layers are left out every packet says what there is, until a structure comes with all of them again.
class ActiveTargets {
 public:
  // What the descriptor of the next packet has to say, when the receiver gets what makes up the layer `given`. Nothing:
  // what the sender says is right, or the structure is not known.
  std::optional<TargetMask> next(Bytes descriptor, const FrameInfo& frame, LayerId given);
  // Another stream begins.
  void reset() { *this = {}; }

 private:
  DecodeTargets targets_;
  std::optional<uint16_t> newest_number_;
  bool narrowed_ = false;
};

// Copies a descriptor to `space`, of MaxDescriptorBytes, with another mask. The length; 0 when it is malformed, or has
// no room.
size_t write_active_targets(MutableBytes space, Bytes descriptor, const TargetMask& mask);

}  // namespace viaduct::rtp
