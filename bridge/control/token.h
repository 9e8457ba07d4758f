// Join tokens: verifying a JSON Web Token (RFC 7519) in compact form (RFC 7515 section 3.1), HS256
// and ES256 only.
//
// The algorithm is taken from which key is configured, never from the token alone: "none", a public
// key used as an HMAC secret and every other algorithm are refused (RFC 8725 section 3.1). Tokens
// must never be logged or echoed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "control/settings.h"

struct evp_pkey_st;

namespace viaduct::control {

// What a verified token says.
struct TokenClaims {
  std::string conference;           // an exact name, or "*"
  std::optional<std::string> name;  // overrides what the client calls itself
  std::string subject;              // `sub`, empty when absent
  bool requires_e2ee = false;       // `e2ee` is "required"

  bool allows(std::string_view wanted) const { return conference == "*" || conference == wanted; }
};

class TokenVerifier {
 public:
  static constexpr Duration ClockSkew = 30s;  // by which exp and nbf may be off
  static constexpr size_t MaxBytes = 8 * 1024;

  // InvalidArgument when the secret is shorter than 32 bytes, the PEM is no P-256 public key, or
  // tokens are required without a key.
  static Result<TokenVerifier> create(const TokenSettings& settings);

  // Checks signature, times, issuer and audience. `wall` is the time since 1970. PermissionDenied
  // with a sentence that may be shown to the client.
  Result<TokenClaims> verify(std::string_view token, Duration wall) const;

  bool required() const { return settings_.required; }
  bool has_key() const { return settings_.has_key(); }

 private:
  explicit TokenVerifier(TokenSettings settings) : settings_(std::move(settings)) {}

  bool signature_holds(std::string_view algorithm, std::string_view signed_part,
                       std::string_view signature) const;

  TokenSettings settings_;
  std::shared_ptr<evp_pkey_st> es256_key_;
};

// base64url without padding (RFC 7515 section 2), strict: no other character, no stray bits in the
// last one.
std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace viaduct::control
