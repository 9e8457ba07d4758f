// The WebSockets of all participants, on a thread of their own: joins, offers, and what the bridge
// says.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/time.h"
#include "protocol/codec/codec.h"
#include "tests/load/mailbox.h"
#include "tests/support/client/session_description.h"

namespace viaduct::load {

struct JoinRequest {
  uint32_t participant = 0;
  std::string conference;
  std::string name;
  std::string token;
  std::string from;                // the address to connect from; empty: the kernel chooses
  client::OfferDescription offer;  // with as many slots as are wanted; the bridge may give fewer
  bool sealed = false;             // asks for and declares end-to-end encryption
};

struct SignallingEvent {
  enum class Kind : uint8_t {
    Joined,    // the bridge has let the participant in
    Answered,  // with `answer`
    Ended,     // for good, with `why`; not after leave()
  };
  uint32_t participant = 0;
  Kind kind{};
  Timestamp at;
  client::AnswerView answer;
  std::string why;
};

class Signalling {
 public:
  // `host` is an IP address. `events` outlives it.
  Signalling(std::string host, std::string port, Mailbox<SignallingEvent>& events);
  ~Signalling();
  Signalling(const Signalling&) = delete;
  Signalling& operator=(const Signalling&) = delete;

  void join(JoinRequest request);
  void mute(uint32_t participant, codec::MediaKind kind, bool muted);
  void leave(uint32_t participant);

 private:
  class Thread;
  std::unique_ptr<Thread> thread_;
};

}  // namespace viaduct::load
