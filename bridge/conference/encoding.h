// One RTP stream of a source: the only one, or one of simulcast (RFC 8853). Its numbering and losses, what is kept of
// it for resending, and what its bodies look like.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "conference/body_evidence.h"
#include "conference/layer_meter.h"
#include "conference/rate_meter.h"
#include "conference/redundant_sound.h"
#include "conference/relayed_state.h"
#include "conference/resend_buffer.h"
#include "protocol/rtp/dependency_descriptor.h"
#include "protocol/rtp/frame_info.h"
#include "protocol/rtp/missing_packets.h"
#include "protocol/rtp/reception_stats.h"
#include "protocol/rtp/sequence.h"
#include "protocol/srtp/replay_window.h"

namespace viaduct::conference {

// Lets a key-frame request through at most once per 200 ms (5 a second), whatever receivers ask;
// one that no key frame has answered is repeated after 500 ms. Where key frames cannot be told, a
// request counts as answered by being sent.
class KeyFrameThrottle {
 public:
  void want() { wanted_ = true; }
  void on_key_frame() { wanted_ = asked_ = false; }
  void set_answers_visible(bool visible) { answers_visible_ = visible; }
  // True when a request should be sent now.
  bool take(Timestamp now) {
    if (!wanted_ || now < last_ + (asked_ ? 500ms : 200ms)) return false;
    wanted_ = asked_ = answers_visible_;
    last_ = now;
    return true;
  }

 private:
  bool wanted_ = false;
  bool asked_ = false;  // since the last key frame
  bool answers_visible_ = true;
  Timestamp last_{};
};

class Encoding {
 public:
  std::string rid;                   // RFC 8852; empty without simulcast
  std::optional<uint32_t> ssrc;      // absent: learned from MID and RID of an authenticated packet
  std::optional<uint32_t> rtx_ssrc;

  srtp::ReplayWindow delivered;  // original or resent, each sequence number goes on once
  int64_t highest = -1;          // unwrapped sequence number, authenticated
  int64_t withheld = -1;         // the newest that receivers need not miss: silence, muted, padding
  rtp::ReceptionStats stats;
  rtp::MissingPackets missing;  // video: gaps to ask the sender for
  ResendBuffer resend;          // video: for receivers' NACKs
  RedundantSound redundant;     // audio: for receivers that lose much
  RateMeter meter;
  KeyFrameThrottle key_frame;     // video
  bool describes_frames = false;  // video: its packets carry dependency descriptors
  rtp::DependencyReader dependencies;  // reads them
  LayerMeter layers;              // video: what its layers cost
  std::array<rtp::PictureSize, rtp::SpatialLayers> sizes{};  // of each spatial layer, where somebody says it
  BodyEvidence bodies;            // what they look like
  std::optional<SenderClock> sender_clock;
  uint8_t fir_sequence = 0;
  uint64_t relayed_to = 0;  // workers whose people receive it: bit i is worker i

  // An authenticated sequence number in 64 bits. Never negative, and never one that an earlier
  // stream has used.
  int64_t extend(uint16_t sequence) { return unwrapper_.unwrap(sequence) + base_; }

  // The client goes on under another SSRC: numbers, losses and clocks of the old stream mean
  // nothing any more.
  void begin_stream(uint32_t new_ssrc) {
    ssrc = new_ssrc;
    if (highest >= 0)
      base_ = (highest / RoomBelowFirst + 2) *
              RoomBelowFirst;  // the low 16 bits stay those of the packets
    unwrapper_ = {};
    stats = {};
    redundant = {};
    describes_frames = false;
    dependencies.reset();
    layers = {};
    sizes = {};
    bodies.look_anew();
    missing.reset();
    sender_clock.reset();
  }

 private:
  static constexpr int64_t RoomBelowFirst = 0x10000;  // packets from before the first one that came
  rtp::SequenceUnwrapper unwrapper_;
  int64_t base_ = RoomBelowFirst;
};

}  // namespace viaduct::conference
