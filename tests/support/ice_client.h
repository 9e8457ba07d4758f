// The client's side of ICE for the simulation and the load tester: a controlling agent with one pair of addresses, as a
// browser is towards an ICE-lite bridge (RFC 8445 section 7.2, RFC 8489 section 6.2.1, RFC 7675).
//
// Sans-IO like the bridge's own cores. It answers no requests: a lite agent sends none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "base/socket_address.h"
#include "base/time.h"
#include "protocol/ice/ice_lite.h"
#include "protocol/stun/stun.h"

namespace viaduct::testing {

class IceClient {
 public:
  // Begins to check at `now`. `random` outlives the client.
  IceClient(ice::Credentials local, ice::Credentials remote, const SocketAddress& remote_address, Random& random,
            Timestamp now);

  // Takes a datagram that came from `from`. False when it is no answer to an outstanding request: not STUN, from
  // elsewhere, wrongly authenticated.
  bool handle(Bytes datagram, const SocketAddress& from, Timestamp now);

  // False when there is nothing to send. Otherwise `datagram` is overwritten with what goes to remote_address().
  bool poll_output(std::vector<uint8_t>* datagram);

  Timestamp next_deadline() const { return deadline_; }  // Never once it has failed
  void handle_timeout(Timestamp now);

  // The client's own address has changed: nominates the new pair with a check that is sent again until it is answered.
  void restart_checks(Timestamp now);

  // A check has been answered, and consent has not run out since.
  bool connected() const { return state_ == State::Connected; }
  // The checks were never answered, or were answered with an error.
  bool failed() const { return state_ == State::Failed; }
  const SocketAddress& remote_address() const { return remote_address_; }
  // This client's address as the bridge sees it.
  const std::optional<SocketAddress>& mapped_address() const { return mapped_; }
  // Of the answer that ended the checks, where it was an error.
  std::optional<uint16_t> error_code() const { return error_code_; }

 private:
  enum class State : uint8_t { Checking, Connected, Failed };

  void begin_request();
  void wait_for_next_consent(Timestamp now);
  void fail();

  const ice::Credentials local_;
  const ice::Credentials remote_;
  const std::string username_;
  const SocketAddress remote_address_;
  Random& random_;
  const uint64_t tie_breaker_;

  State state_ = State::Checking;
  stun::TransactionId transaction_{};
  bool answered_ = false;       // the request under transaction_
  bool send_now_ = false;
  unsigned transmissions_ = 0;  // of the check under transaction_
  Duration retransmit_after_{};
  Timestamp last_answer_;
  Timestamp deadline_ = Never;
  std::optional<SocketAddress> mapped_;
  std::optional<uint16_t> error_code_;
};

}  // namespace viaduct::testing
