// What workers that share a conference tell each other of its sources.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "conference/layer_needs.h"
#include "conference/snapshot.h"
#include "conference/speech_activity.h"
#include "limits.h"
#include "protocol/codec/codec.h"

namespace viaduct::conference {

// A sender's last report (RFC 3550 section 6.4.1) and when it came.
struct SenderClock {
  NtpTime ntp;
  uint32_t rtp_timestamp = 0;
  Timestamp arrival;
  friend bool operator==(const SenderClock&, const SenderClock&) = default;
};

// What packets have taught the worker that a source arrives at, as far as others go by it. What
// clients say of their sources (muted, encrypted) every worker hears from control.
struct RelayedState {
  bool sending = false;
  std::optional<codec::CodecType> codec;
  ObservedBodies observed{};
  int loudness = 0;  // Loudness::mean in coarse steps, so that it does not change with each packet
  SpeechCounts speech;
  std::array<std::optional<SenderClock>, limits::EncodingsPerSource> sender_clocks;
  std::optional<Duration> clock_ahead;  // of the endpoint
  friend bool operator==(const RelayedState&, const RelayedState&) = default;
};

// How far that is: on the worker that a source arrives at, who has been told; on the others, what
// they have said to it.
struct Relaying {
  uint64_t told = 0;  // workers that have been told `state` and the ladder: bit i is worker i
  RelayedState state;
  uint32_t ladder_version = 0;

  uint8_t wanted = 0;  // encodings: bit i is Source::encodings[i]
  LayerNeed need;      // of people here
  Timestamp next_demand{};
};

}  // namespace viaduct::conference
