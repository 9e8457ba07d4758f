// Which video formats a conference uses: those that everyone in it decodes, in the operator's
// order.
#pragma once

#include <span>
#include <vector>

#include "conference/payload_map.h"

namespace viaduct::conference {

// The formats of `preference` that all `members` decode. Empty when there is none: then senders
// stay with what they have, and who cannot decode a source is told so.
inline std::vector<codec::CodecType> settle_video_codecs(
    std::span<const codec::CodecType> preference, std::span<const PayloadMap* const> members) {
  std::vector<codec::CodecType> common;
  for (const codec::CodecType c : preference) {
    bool all = true;
    for (const PayloadMap* m : members) all = all && m->decodes(c);
    if (all) common.push_back(c);
  }
  return common;
}

}  // namespace viaduct::conference
