// STUN messages as ICE uses them: a checked view of a received one, and the three that an agent sends.
//
// RFC 8489 (STUN), RFC 8445 section 16.1 (ICE attributes). Only the short-term credential of ICE is known.
// Parsing reads nothing beyond the datagram and keeps no copy of it: a MessageView lives no longer than its bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/socket_address.h"

namespace viaduct::stun {

inline constexpr size_t HeaderBytes = 20;
inline constexpr uint16_t BindingMethod = 0x001;
inline constexpr size_t MaxUsernameBytes = 513;     // two ufrags of 256 characters and the colon (RFC 8839 section 5.4)
inline constexpr size_t MaxUnknownAttributes = 8;   // remembered for a 420 answer; more are only counted

using TransactionId = std::array<uint8_t, 12>;

enum class MessageClass : uint8_t { Request, Indication, Success, Error };

// Error codes of RFC 8489 section 14.8 and RFC 8445 section 7.3.1.1.
inline constexpr uint16_t BadRequest = 400;
inline constexpr uint16_t Unauthenticated = 401;
inline constexpr uint16_t UnknownAttribute = 420;
inline constexpr uint16_t RoleConflict = 487;

// A received message whose structure has been checked. An attribute that comes twice counts the first time; what stands
// behind MESSAGE-INTEGRITY is ignored but for FINGERPRINT (RFC 8489 section 14.5). None of it is authentic before
// integrity_ok() says so.
struct MessageView {
  Bytes bytes;                               // the whole datagram
  MessageClass message_class = MessageClass::Request;
  uint16_t method = 0;
  TransactionId transaction{};
  std::optional<std::string_view> username;
  std::optional<uint32_t> priority;
  std::optional<uint64_t> controlling;       // the tie breaker of ICE-CONTROLLING
  std::optional<uint64_t> controlled;        // the tie breaker of ICE-CONTROLLED
  bool use_candidate = false;
  bool has_fingerprint = false;              // and it is right: a wrong one does not parse
  std::optional<SocketAddress> mapped;       // XOR-MAPPED-ADDRESS
  std::optional<uint16_t> error_code;
  std::optional<size_t> integrity_offset;    // where the MESSAGE-INTEGRITY attribute begins
  std::array<uint16_t, MaxUnknownAttributes> unknown{};
  size_t unknown_count = 0;                  // comprehension-required attributes that nobody here understands

  // The types of the unknown attributes, as many as were remembered.
  std::span<const uint16_t> unknown_types() const {
    return std::span(unknown).first(unknown_count < unknown.size() ? unknown_count : unknown.size());
  }
};

// Tells STUN from what else may start with a byte of 0 to 3: magic cookie, and a length that is the datagram's.
bool looks_like_stun(Bytes datagram);

// Empty when the datagram is no STUN message, an attribute oversteps its end, an attribute known here has an impossible
// value, or FINGERPRINT is wrong or not the last attribute.
std::optional<MessageView> parse_message(Bytes datagram);

// Whether the message carries a MESSAGE-INTEGRITY made with `password`. Takes the same time however wrong it is.
bool integrity_ok(const MessageView& message, std::string_view password);

// A connectivity check (RFC 8445 section 7.2.2). Exactly one of the tie breakers is set.
struct BindingRequest {
  TransactionId transaction{};
  std::string_view username;                 // "ufrag of the receiver:ufrag of the sender"
  std::string_view password;                 // the receiver's
  uint32_t priority = 0;
  std::optional<uint64_t> controlling;
  std::optional<uint64_t> controlled;
  bool use_candidate = false;
};

// The smallest answer that ICE accepts (RFC 8445 section 7.3.1.2): header, XOR-MAPPED-ADDRESS, MESSAGE-INTEGRITY and,
// to a request that had one, FINGERPRINT. 64 bytes for IPv4 and 76 for IPv6, against at least 76 of a request with
// USERNAME, PRIORITY, MESSAGE-INTEGRITY and FINGERPRINT, which RFC 8445 section 7.1 demands. No SOFTWARE, nothing
// optional.
struct BindingSuccess {
  TransactionId transaction{};
  SocketAddress mapped;                      // where the request came from
  std::string_view password;                 // the sender's own, with which the request was made
  bool fingerprint = true;
};

// ERROR-CODE with an empty reason phrase, UNKNOWN-ATTRIBUTES where there are any, MESSAGE-INTEGRITY, FINGERPRINT.
struct BindingError {
  TransactionId transaction{};
  uint16_t code = BadRequest;                // 300 to 699
  std::span<const uint16_t> unknown;         // for UnknownAttribute
  std::string_view password;
  bool fingerprint = true;
};

// Each writes the whole message to the front of `out` and returns its size in bytes, or 0 when it does not fit.
size_t write_binding_request(MutableBytes out, const BindingRequest& request);
size_t write_binding_success(MutableBytes out, const BindingSuccess& success);
size_t write_binding_error(MutableBytes out, const BindingError& error);

}  // namespace viaduct::stun
