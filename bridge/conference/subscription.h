// A receive slot of a client: which source it carries now, and the numbers of the one continuous
// stream that it is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/random.h"
#include "conference/bitrate_allocator.h"
#include "conference/layer_selector.h"
#include "conference/messages.h"
#include "conference/projection.h"
#include "conference/rate_meter.h"
#include "conference/recently_resent.h"
#include "conference/redundant_sound.h"
#include "conference/source.h"
#include "protocol/rtp/active_targets.h"

namespace viaduct::conference {

class Subscription {
 public:
  // First numbers are random and below 2^15, so that no early loss can be taken for a rollover (RFC
  // 3711 section 3.3.1).
  Subscription(const SlotDescription& d, Random& random)
      : kind(d.kind),
        mid(d.mid),
        ssrc(d.ssrc),
        rtx_ssrc(d.rtx_ssrc),
        transport_wide(d.transport_wide),
        takes_red(d.takes_red),
        projection(static_cast<uint16_t>(random.u32() & 0x7fff), random.u32()),
        next_rtx_index(random.u32() & 0x7fff) {}

  const codec::MediaKind kind;
  const std::string mid;
  const uint32_t ssrc;
  const uint32_t rtx_ssrc;
  const bool transport_wide;
  const bool takes_red;

  std::optional<SourceRef> carries;
  PictureShare share;      // video: what its receiver gets of the source
  LayerSelector selector;  // video: what is forwarded of it
  rtp::ActiveTargets active_targets;
  Projection projection;
  uint64_t next_rtx_index;        // SRTP packet index of the next resent packet

  // The mix that it carries, while its client hears one: the newest frame's place in the stream.
  struct MixedFrame {
    int64_t number = 0;  // sent so far
    uint32_t timestamp = 0;
    Timestamp made;
  };
  std::optional<MixedFrame> mix;

  RateMeter meter;              // first sendings alone
  uint64_t payload_octets = 0;  // first sendings alone, as a sender report counts them
  uint64_t resent = 0;
  RecentlyResent recently_resent;
  Timestamp asked_again{};   // when its receiver last missed something
  double fraction_lost = 0;  // of the receiver's last report
  RedundancySwitch redundancy;  // audio: for what its own reports say

  // The one that is forwarded now.
  uint8_t encoding() const { return selector.current() ? selector.current()->encoding : 0; }

  void carry(std::optional<SourceRef> source) {
    carries = source;
    projection.stop();
    selector.restart();
  }
};

}  // namespace viaduct::conference
