// Between one worker and the handshake thread: DTLS datagrams go over, keys come back. DTLS costs
// hundreds of microseconds a handshake and must never delay a media packet.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/bell.h"
#include "base/slot_map.h"
#include "base/spsc_ring.h"
#include "conference/endpoint.h"
#include "limits.h"
#include "protocol/dtls/keying_material.h"
#include "protocol/dtls/session.h"

namespace viaduct::path {

using conference::Endpoint;

// Worker to handshake thread. The endpoint's handle names the session.
struct OpenSession {
  Handle<Endpoint> endpoint;
  dtls::Role role{};
  dtls::Fingerprint expected;
};
struct SessionDatagram {
  Handle<Endpoint> endpoint;
  std::vector<uint8_t> bytes;
};
struct NarrowPath {  // the way to the client takes IP packets of at most so many bytes
  Handle<Endpoint> endpoint;
  uint16_t bytes = 0;
};
struct CloseSession {  // close_notify goes out, if there is still a way
  Handle<Endpoint> endpoint;
};
using HandshakeRequest = std::variant<OpenSession, SessionDatagram, NarrowPath, CloseSession>;

// Handshake thread to worker.
struct SessionConnected {
  Handle<Endpoint> endpoint;
  dtls::KeyingMaterial keys;
  dtls::SessionInfo info;
};
struct SessionFailed {
  Handle<Endpoint> endpoint;
  std::string reason;  // one sentence
  bool timed_out = false;
};
struct SessionClosed {  // the client said goodbye
  Handle<Endpoint> endpoint;
};
using HandshakeReply =
    std::variant<std::monostate, SessionDatagram, SessionConnected, SessionFailed, SessionClosed>;

class HandshakePort {
 public:
  // `bell` wakes the handshake thread; null when nobody sleeps.
  explicit HandshakePort(Bell* bell = nullptr) : bell_(bell) {}

  // Worker. False when the ring is full.
  [[nodiscard]] bool post(HandshakeRequest request) {
    if (!requests_.push(std::move(request))) return false;
    if (bell_) bell_->ring();
    return true;
  }
  std::optional<HandshakeReply> take_reply() { return replies_.pop(); }

  // Handshake thread.
  bool has_replies() const { return replies_.size() > 0; }
  std::optional<HandshakeRequest> take_request() { return requests_.pop(); }
  [[nodiscard]] bool reply(HandshakeReply&& reply) { return replies_.push(std::move(reply)); }

 private:
  SpscRing<HandshakeRequest> requests_{limits::HandshakeRingEntries};
  SpscRing<HandshakeReply> replies_{limits::HandshakeRingEntries};
  Bell* bell_;
};

}  // namespace viaduct::path
