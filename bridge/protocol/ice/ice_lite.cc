#include "protocol/ice/ice_lite.h"

#include <algorithm>
#include <utility>

namespace viaduct::ice {

using Refusal = IceLite::Outcome::Refusal;

std::string_view local_ufrag(std::string_view username) { return username.substr(0, username.find(':')); }

IceLite::Generation::Generation(Credentials of_bridge, Credentials of_client)
    : local(std::move(of_bridge)), remote(std::move(of_client)), username(local.ufrag + ":" + remote.ufrag) {}

IceLite::IceLite(Credentials local, Credentials remote, Timestamp now)
    : current_(std::move(local), std::move(remote)), last_check_(now), restarted_at_(now) {}

void IceLite::restart(Credentials local, Credentials remote, Timestamp now) {
  if (!next_) restarted_at_ = now;
  next_.emplace(std::move(local), std::move(remote));
}

IceLite::Outcome IceLite::handle(const stun::MessageView& request, const SocketAddress& from, Timestamp now,
                                 MutableBytes out) {
  Outcome outcome;
  const Generation& generation = generation_of(request);
  outcome.refusal = check(request, generation);
  outcome.reply_bytes = write_reply(request, outcome.refusal, generation.local.password, from, out);
  if (outcome.refusal != Refusal::None) return outcome;
  note_check(request, from, now, outcome);
  if (next_ && &generation == &*next_) {
    outcome.retired = std::move(current_.local.ufrag);
    current_ = std::move(*next_);
    next_.reset();
  }
  return outcome;
}

const IceLite::Generation& IceLite::generation_of(const stun::MessageView& request) const {
  return next_ && request.username && *request.username == next_->username ? *next_ : current_;
}

// Cheap reasons first, the HMAC after them, and only then what an authenticated client is told.
Refusal IceLite::check(const stun::MessageView& request, const Generation& generation) const {
  if (request.message_class != stun::MessageClass::Request || request.method != stun::BindingMethod) {
    return Refusal::NotARequest;
  }
  if (!request.username || !request.integrity_offset) return Refusal::Malformed;
  if (*request.username != generation.username) return Refusal::WrongUsername;
  if (!stun::integrity_ok(request, generation.local.password)) return Refusal::WrongIntegrity;
  if (request.unknown_count > 0) return Refusal::UnknownAttribute;
  // A lite agent cannot take the controlling role, whatever the tie breakers say: the client has to (RFC 8445 section
  // 6.1.1). A client that is lite itself sends no requests and never comes here.
  if (request.controlled) return Refusal::RoleConflict;
  return Refusal::None;
}

// Nothing to whoever is not authenticated, and never more bytes than came: a forged source address is no amplifier. A
// request too short for its reply lacks what RFC 8445 section 7.1 demands, and stays unanswered.
size_t IceLite::write_reply(const stun::MessageView& request, Refusal refusal,
                            const secrecy::SecretString& password, const SocketAddress& from, MutableBytes out) const {
  out = out.first(std::min(out.size(), request.bytes.size()));
  switch (refusal) {
    case Refusal::None:
      return stun::write_binding_success(out, {.transaction = request.transaction,
                                               .mapped = from,
                                               .password = password,
                                               .fingerprint = request.has_fingerprint});
    case Refusal::UnknownAttribute:
    case Refusal::RoleConflict:
      return stun::write_binding_error(
          out, {.transaction = request.transaction,
                .code = refusal == Refusal::RoleConflict ? stun::RoleConflict : stun::UnknownAttribute,
                .unknown = request.unknown_types(),
                .password = password,
                .fingerprint = request.has_fingerprint});
    case Refusal::NotARequest:
    case Refusal::Malformed:
    case Refusal::WrongUsername:
    case Refusal::WrongIntegrity:
      break;
  }
  return 0;
}

void IceLite::note_check(const stun::MessageView& request, const SocketAddress& from, Timestamp now, Outcome& outcome) {
  size_t at = find(from);
  outcome.validated = at == count_;
  if (outcome.validated) {
    if (count_ == addresses_.size()) outcome.evicted = evict();
    at = count_++;
    addresses_[at] = from;
  }
  const bool nominated = request.use_candidate || (!outcome.validated && selected_is_silent(now));
  checked_at_[at] = now;
  last_check_ = now;
  if (nominated && selected_ != from) {
    selected_ = from;
    outcome.selected = true;
  }
}

bool IceLite::selected_is_silent(Timestamp now) const {
  return selected_ && now - checked_at_[find(*selected_)] >= SelectedAddressPatience;
}

size_t IceLite::find(const SocketAddress& address) const {
  const auto known = validated();
  return static_cast<size_t>(std::ranges::find(known, address) - known.begin());
}

// Takes the address that has been silent for longest out of the table. The others keep their order.
SocketAddress IceLite::evict() {
  size_t oldest = selected_ == addresses_[0] ? 1 : 0;
  for (size_t i = oldest + 1; i < count_; ++i) {
    if (checked_at_[i] < checked_at_[oldest] && selected_ != addresses_[i]) oldest = i;
  }
  const SocketAddress gone = addresses_[oldest];
  std::copy(addresses_.begin() + oldest + 1, addresses_.begin() + count_, addresses_.begin() + oldest);
  std::copy(checked_at_.begin() + oldest + 1, checked_at_.begin() + count_, checked_at_.begin() + oldest);
  --count_;
  return gone;
}

bool IceLite::is_validated(const SocketAddress& address) const { return find(address) < count_; }

std::optional<SocketAddress> IceLite::destination() const {
  if (selected_ || count_ == 0) return selected_;
  return addresses_[0];
}

bool IceLite::has_consent(Timestamp now) const { return count_ > 0 && now < last_check_ + limits::ConsentTimeout; }

const char* to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::None: return "none";
    case Refusal::NotARequest: return "not_a_request";
    case Refusal::Malformed: return "malformed";
    case Refusal::WrongUsername: return "wrong_username";
    case Refusal::WrongIntegrity: return "wrong_integrity";
    case Refusal::UnknownAttribute: return "unknown_attribute";
    case Refusal::RoleConflict: return "role_conflict";
  }
  return "unknown";
}

}  // namespace viaduct::ice
