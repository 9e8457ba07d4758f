// The ICE-lite agent of one endpoint (RFC 8445 section 2.5) with consent (RFC 7675): it answers the client's checks,
// learns from them where the client can be reached, and knows where its media goes.
//
// The bridge never sends a check of its own and is always the controlled side. It answers nothing that is not
// authenticated, never with more bytes than the request had, and sends nothing to an address that no authenticated
// request came from. An ICE restart (RFC 8445 section 9) brings new credentials; addresses and consent stay.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/socket_address.h"
#include "base/time.h"
#include "limits.h"
#include "protocol/stun/stun.h"
#include "secrecy/secret_string.h"

namespace viaduct::ice {

// One side's. RFC 8839 section 5.4: ufrag of 4 to 256 characters, password of 22 to 256, all from the ice-char
// alphabet.
struct Credentials {
  std::string ufrag;
  secrecy::SecretString password;
};

// The part of a request's USERNAME that names its receiver: "local:remote" gives "local", which finds the endpoint. The
// whole text when there is no colon.
std::string_view local_ufrag(std::string_view username);

// How long the selected address may be silent before another that still checks takes its place. Above the longest gap
// between two consent checks (5 s * 1.2, RFC 7675 section 5.1), so that a client that is merely quiet keeps its
// address.
inline constexpr Duration SelectedAddressPatience = 8s;

class IceLite {
 public:
  IceLite(Credentials local, Credentials remote, Timestamp now);

  // What a message did. All of it is for the caller: replies to send, the address map to keep, reasons to count.
  struct Outcome {
    enum class Refusal : uint8_t {
      None,
      NotARequest,       // a response, an indication, or another method than Binding; the bridge sends no requests
      Malformed,         // no USERNAME or no MESSAGE-INTEGRITY
      WrongUsername,     // not "local:remote"
      WrongIntegrity,
      UnknownAttribute,  // authenticated, answered with 420
      RoleConflict,      // authenticated, answered with 487
    };
    size_t reply_bytes = 0;                // of `out`, to be sent back to `from`; 0: no reply
    Refusal refusal = Refusal::None;
    bool validated = false;                // `from` is new among validated()
    bool selected = false;                 // selected() is now `from` and was not before
    std::optional<SocketAddress> evicted;  // has left validated() to make room for `from`
    std::optional<std::string> retired;    // the local ufrag that a restart has replaced and that is answered no more
  };

  // Takes a message that came from `from` and writes the reply into `out`, which must not overlap the request. The
  // request selects its address when it nominates (USE-CANDIDATE; the last nomination wins, which is how a client moves
  // to another network or shows up behind a new NAT binding), or when the selected address has been silent for
  // SelectedAddressPatience and this one keeps checking: a client whose network went away without a new nomination.
  Outcome handle(const stun::MessageView& request, const SocketAddress& from, Timestamp now, MutableBytes out);

  // Takes new credentials of both sides. The earlier ones stay valid until the first request that the new ones
  // authenticate. The client gets the time of one more consent to get through, once for all restarts before that
  // request; that is time to be there, not consent to send.
  void restart(Credentials local, Credentials remote, Timestamp now);

  // What requests may be addressed to: by the credentials in use, and by those of a restart that no request has used.
  const std::string& local_ufrag() const { return current_.local.ufrag; }
  const std::string* next_local_ufrag() const { return next_ ? &next_->local.ufrag : nullptr; }

  // Whether an authenticated request came from there. Only such an address may be listened to or sent to.
  bool is_validated(const SocketAddress& address) const;
  // At most limits::ValidatedAddressesPerEndpoint, first come first; the one silent for longest makes room, never the
  // selected.
  std::span<const SocketAddress> validated() const { return std::span(addresses_).first(count_); }

  // Where media goes; empty before a nomination.
  const std::optional<SocketAddress>& selected() const { return selected_; }
  // Where to send now: the selected address, or before a nomination the first that was validated, since clients begin
  // DTLS on the first pair that works. Empty before any check.
  std::optional<SocketAddress> destination() const;

  // Whether the client has asked for traffic lately: an authenticated request within limits::ConsentTimeout. Without it
  // nothing may be sent.
  bool has_consent(Timestamp now) const;
  // When the client is lost: as consent runs out, or a restart's time; before the first check, when it is too late to
  // come.
  Timestamp next_deadline() const { return std::max(last_check_, restarted_at_) + limits::ConsentTimeout; }

 private:
  // What one side's checks are known by, from one (re)start to the next.
  struct Generation {
    Credentials local;
    Credentials remote;
    std::string username;  // what each request must carry
    Generation(Credentials of_bridge, Credentials of_client);
  };
  const Generation& generation_of(const stun::MessageView& request) const;
  Outcome::Refusal check(const stun::MessageView& request, const Generation& generation) const;
  size_t write_reply(const stun::MessageView& request, Outcome::Refusal refusal, const secrecy::SecretString& password,
                     const SocketAddress& from, MutableBytes out) const;
  void note_check(const stun::MessageView& request, const SocketAddress& from, Timestamp now, Outcome& outcome);
  bool selected_is_silent(Timestamp now) const;
  size_t find(const SocketAddress& address) const;  // count_ when it is not validated
  SocketAddress evict();

  Generation current_;
  std::optional<Generation> next_;  // of a restart, until a request uses it
  std::array<SocketAddress, limits::ValidatedAddressesPerEndpoint> addresses_;
  std::array<Timestamp, limits::ValidatedAddressesPerEndpoint> checked_at_;  // last authenticated request of each
  size_t count_ = 0;
  std::optional<SocketAddress> selected_;
  Timestamp last_check_;    // from any address; before the first, when this agent was made
  Timestamp restarted_at_;  // the first restart since last_check_ that had no other before it
};

// For counters: "none", "not_a_request", "malformed", ...
const char* to_string(IceLite::Outcome::Refusal refusal);

}  // namespace viaduct::ice
