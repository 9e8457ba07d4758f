// One client's transport: ICE, DTLS as far as the packet path needs it, and the bookkeeping of SRTP
// (indexes and replay windows).
//
// Keys themselves live in the ciphers and are named by slot. No state is made for an SSRC before a
// packet of it has authenticated.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "limits.h"
#include "protocol/dtls/session.h"
#include "protocol/ice/ice_lite.h"
#include "protocol/srtp/replay_window.h"
#include "protocol/srtp/srtp_profile.h"

namespace viaduct::conference {

// What an authenticated SSRC of this client has shown so far.
struct InboundStream {
  uint32_t ssrc = 0;
  std::optional<uint16_t> source;   // index in Endpoint::sources; empty: only RTCP came from it
  uint8_t encoding = 0;             // of `source`
  bool rtx = false;                 // resends packets of it
  std::optional<uint64_t> highest;  // SRTP packet index
  srtp::ReplayWindow rtp;
  srtp::ReplayWindow rtcp;
};

enum class TransportState : uint8_t { Checking, Handshaking, Connected };
constexpr const char* to_string(TransportState s) {
  switch (s) {
    case TransportState::Checking:
      return "checking";  // no authenticated STUN request yet
    case TransportState::Handshaking:
      return "handshaking";
    case TransportState::Connected:
      return "connected";
  }
  return "unknown";
}

class Transport {
 public:
  Transport(ice::Credentials local, ice::Credentials remote, Timestamp now)
      : ice(std::move(local), std::move(remote), now), created(now) {}

  ice::IceLite ice;
  TransportState state = TransportState::Checking;
  const Timestamp created;
  Timestamp validated;     // first authenticated STUN request
  dtls::SessionInfo dtls;  // once connected

  srtp::SrtpProfile profile{};
  srtp::KeySlot unprotect_key;
  srtp::KeySlot protect_key;
  uint32_t next_srtcp_index = 0;       // of what the bridge sends (RFC 3711 section 3.4)
  std::optional<Duration> round_trip;  // from receiver reports
  uint32_t dtls_allowance = 0;         // datagrams the handshake thread still takes in this second
  Timestamp dtls_allowance_since;

  // May anything be sent to the client? Media stops when its consent runs out (RFC 7675
  // section 5.1).
  bool may_send(Timestamp now) const {
    return ice.has_consent(now) && ice.destination().has_value();
  }

  InboundStream* find_stream(uint32_t ssrc) {
    for (InboundStream& s : streams_) {
      if (s.ssrc == ssrc) return &s;
    }
    return nullptr;
  }
  // Null when limits::SsrcsPerEndpoint streams exist: live ones are never evicted.
  InboundStream* add_stream(uint32_t ssrc) {
    if (streams_.size() == limits::SsrcsPerEndpoint) return nullptr;
    streams_.reserve(8);
    streams_.push_back({.ssrc = ssrc});
    return &streams_.back();
  }

 private:
  std::vector<InboundStream> streams_;
};

}  // namespace viaduct::conference
