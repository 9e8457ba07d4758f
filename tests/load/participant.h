// One participant while they are in a conference: what is kept of them, small enough for thousands.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "edge/batch_cipher.h"
#include "protocol/dtls/certificate.h"
#include "protocol/rtcp/transport_feedback.h"
#include "tests/load/cast.h"
#include "tests/load/impairment.h"
#include "tests/load/receive_stream.h"
#include "tests/load/send_stream.h"
#include "tests/load/udp_port.h"
#include "tests/support/ice_client.h"

namespace viaduct::load {

struct Participant {
  enum class State : uint8_t { Away, Signalling, Checking, Handshaking, Connected, Failed };

  const ParticipantPlan* plan = nullptr;
  State state = State::Away;
  uint32_t attempt = 0;  // how often they have joined: what is late of an earlier time is ignored
  std::string from;      // the address that they have; empty: the kernel chooses
  Timestamp phase_began, join_began;

  ice::Credentials credentials;
  dtls::Fingerprint bridge;
  std::shared_ptr<UdpPort> port;  // shared with the thread that shakes hands
  std::unique_ptr<testing::IceClient> ice;
  srtp::KeySlot protect, unprotect;
  srtp::SrtpProfile profile{};

  std::vector<SendStream*> sends;  // of the run's streams
  std::vector<Timestamp> send_began;
  std::vector<bool> muted;
  std::vector<ReceiveStream> receives;
  bool has_received = false;
  uint16_t transport_sequence = 0;
  uint32_t rtcp_index = 0;
  uint64_t sent_packets = 0;
  rtcp::TransportFeedbackBuilder arrivals;  // for the bridge's congestion control
  Timestamp next_report = Never, next_feedback = Never;
  Timestamp next_wake = Never;  // of the one timer that counts

  std::unique_ptr<Impairment> up, down;
  uint32_t kernel_drops = 0;         // as last told
  uint32_t kernel_drops_before = 0;  // when measuring began

  bool connected() const { return state == State::Connected; }
};

}  // namespace viaduct::load
