#include "tests/support/ice_client.h"

#include <utility>

#include "limits.h"

namespace viaduct::testing {
namespace {

// RFC 8489 section 6.2.1: RTO, Rc, Rm.
constexpr Duration FirstRetransmission = 500ms;
constexpr unsigned MaxTransmissions = 7;
constexpr Duration LastWait = 16 * FirstRetransmission;

constexpr Duration ConsentInterval = 5s;      // RFC 7675 section 5.1, times 0.8 to 1.2
constexpr uint32_t HostPriority = 0x7e7fffff;  // RFC 8445 section 5.1.2.1: type 126, preference 32767, component 1

}  // namespace

IceClient::IceClient(ice::Credentials local, ice::Credentials remote, const SocketAddress& remote_address,
                     Random& random, Timestamp now)
    : local_(std::move(local)),
      remote_(std::move(remote)),
      username_(remote_.ufrag + ":" + local_.ufrag),
      remote_address_(remote_address),
      random_(random),
      tie_breaker_(random.u64()) {
  restart_checks(now);
}

void IceClient::restart_checks(Timestamp now) {
  state_ = State::Checking;
  error_code_.reset();
  last_answer_ = now;
  transmissions_ = 1;
  retransmit_after_ = FirstRetransmission;
  begin_request();
  deadline_ = now + retransmit_after_;
}

bool IceClient::handle(Bytes datagram, const SocketAddress& from, Timestamp now) {
  const std::optional<stun::MessageView> answer = stun::parse_message(datagram);
  if (!answer || from != remote_address_ || answered_ || answer->transaction != transaction_) return false;
  if (!stun::integrity_ok(*answer, remote_.password)) return false;
  if (answer->message_class == stun::MessageClass::Error) {
    error_code_ = answer->error_code;
    fail();
    return true;
  }
  if (answer->message_class != stun::MessageClass::Success || !answer->mapped) return false;
  answered_ = true;
  send_now_ = false;
  mapped_ = answer->mapped;
  last_answer_ = now;
  if (state_ == State::Checking) wait_for_next_consent(now);
  state_ = State::Connected;
  return true;
}

bool IceClient::poll_output(std::vector<uint8_t>* datagram) {
  if (!std::exchange(send_now_, false)) return false;
  datagram->resize(limits::MaxPacketBytes);
  datagram->resize(stun::write_binding_request(*datagram, {.transaction = transaction_,
                                                           .username = username_,
                                                           .password = remote_.password,
                                                           .priority = HostPriority,
                                                           .controlling = tie_breaker_,
                                                           .controlled = std::nullopt,
                                                           .use_candidate = true}));
  return true;
}

void IceClient::handle_timeout(Timestamp now) {
  if (now < deadline_) return;
  if (state_ == State::Connected) {
    if (now - last_answer_ >= limits::ConsentTimeout) return fail();
    // Each consent check is a transaction of its own and is sent once (RFC 7675 section 5.1).
    begin_request();
    return wait_for_next_consent(now);
  }
  if (transmissions_ == MaxTransmissions) return fail();
  ++transmissions_;
  retransmit_after_ *= 2;
  send_now_ = true;
  deadline_ = now + (transmissions_ == MaxTransmissions ? LastWait : retransmit_after_);
}

void IceClient::begin_request() {
  random_.fill(transaction_);
  answered_ = false;
  send_now_ = true;
}

// After a random part of the interval, so that the checks of many clients do not fall together.
void IceClient::wait_for_next_consent(Timestamp now) {
  const Duration shortest = ConsentInterval * 4 / 5;
  const Duration spread = ConsentInterval * 2 / 5;
  deadline_ = now + shortest + Duration(static_cast<int64_t>(random_.u64() % static_cast<uint64_t>(spread.count())));
}

void IceClient::fail() {
  state_ = State::Failed;
  answered_ = true;  // what still comes is too late
  send_now_ = false;
  deadline_ = Never;
}

}  // namespace viaduct::testing
