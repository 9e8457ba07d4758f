// DTLS handshakes of participants on a few threads, so that the event loop's schedule of packets
// does not wait for signatures. A session is thrown away once its keys are out: a DTLS client that
// has heard the server's Finished has nothing left to send again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "protocol/dtls/certificate.h"
#include "protocol/dtls/keying_material.h"
#include "protocol/srtp/srtp_profile.h"
#include "tests/load/mailbox.h"
#include "tests/load/udp_port.h"

namespace viaduct::load {

struct HandshakeResult {
  uint32_t participant = 0;
  uint32_t attempt = 0;
  Timestamp at;
  std::optional<dtls::KeyingMaterial> keys;
  std::string failure;  // a sentence, without keys
};

class HandshakePool {
 public:
  // All participants offer `profiles` and show the same certificate. `results` outlives it.
  static Result<std::unique_ptr<HandshakePool>> start(
      size_t threads, const dtls::Certificate& certificate,
      const std::vector<srtp::SrtpProfile>& profiles, Mailbox<HandshakeResult>& results);
  ~HandshakePool();
  HandshakePool(const HandshakePool&) = delete;
  HandshakePool& operator=(const HandshakePool&) = delete;

  // Begins to shake hands through `port`. `attempt` comes back with the result.
  void begin(uint32_t participant, uint32_t attempt, std::shared_ptr<const UdpPort> port,
             dtls::Fingerprint bridge);
  void handle(uint32_t participant, Bytes datagram);
  void give_up(uint32_t participant);

 private:
  HandshakePool();
  class Thread;
  Thread& thread_of(uint32_t participant);
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace viaduct::load
