// The run itself: one event loop that lets participants join, moves their packets on real sockets,
// plays the timeline and measures.
//
// Signalling and DTLS handshakes have threads of their own and talk to the loop by mailboxes;
// everything else, thousands of participants, is the loop's alone.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "protocol/srtp/srtp_profile.h"
#include "tests/load/bridge_cpu.h"
#include "tests/load/cast.h"
#include "tests/load/measurements.h"
#include "tests/load/media_receiver.h"

namespace viaduct::load {

struct EngineOptions {
  std::string host, port;  // of the bridge's signalling
  std::string token;
  std::vector<std::string> from;  // addresses of participants, in turn; empty: the kernel chooses
  std::vector<srtp::SrtpProfile> profiles;  // offered, most wanted first
  Verify verify = Verify::Sample;
  bool segment = false;  // send by UDP GSO
  size_t handshake_threads = 1;
  int socket_buffer_bytes = 1 << 20;
  Duration join_timeout = 30s;
  BridgeCpu bridge_cpu;
  // Called once a second, and false ends the run early.
  std::function<bool(const Second&)> on_second;
};

// Plays the cast. An error when the run could not begin at all; joins that fail are measured.
Result<Measurements> play(const Scenario& scenario, const Cast& cast, const EngineOptions& options);

}  // namespace viaduct::load
