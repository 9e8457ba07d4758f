#include "control/token.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "control/signalling.h"

namespace viaduct::control {
namespace {

using nlohmann::json;

constexpr size_t MinSecretBytes = 32;  // RFC 7518 section 3.2
constexpr size_t Es256HalfBytes = 32;  // R and S of P-256 (RFC 7518 section 3.4)

Error refused(std::string text) { return {ErrorCode::PermissionDenied, std::move(text)}; }

const uint8_t* bytes_of(std::string_view text) { return as_bytes(text).data(); }

struct Parts {
  std::string_view header, payload, signature;
  std::string_view signed_part;  // header.payload
};

std::optional<Parts> split(std::string_view token) {
  const size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos)
    return std::nullopt;
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
               token.substr(second + 1), token.substr(0, second)};
}

// A flat JSON object, or null. Tokens have no reason to nest deeper than a list of audiences.
json parse_object(std::string_view encoded) {
  const std::optional<std::string> text = decode_base64url(encoded);
  if (!text) return nullptr;
  size_t openings = 0;
  for (const char c : *text) openings += c == '{' || c == '[';
  if (openings > 64) return nullptr;
  json object = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  return object.is_object() ? object : json(nullptr);
}

std::string string_claim(const json& claims, const char* name) {
  const auto found = claims.find(name);
  return found != claims.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// `aud` is one string or a list of them (RFC 7519 section 4.1.3).
bool names_audience(const json& claims, const std::string& audience) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return false;
  if (found->is_string()) return found->get_ref<const std::string&>() == audience;
  if (!found->is_array()) return false;
  for (const json& entry : *found) {
    if (entry.is_string() && entry.get_ref<const std::string&>() == audience) return true;
  }
  return false;
}

// The claim as seconds since 1970 (NumericDate); nothing when it is absent or no number that fits.
std::optional<double> date_claim(const json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end() || !found->is_number()) return std::nullopt;
  const double seconds = found->get<double>();
  return std::isfinite(seconds) ? std::optional(seconds) : std::nullopt;
}

bool hs256_holds(std::string_view secret, std::string_view signed_part,
                 std::string_view signature) {
  uint8_t expected[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (!HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes_of(signed_part),
            signed_part.size(), expected, &length)) {
    return false;
  }
  return signature.size() == length && CRYPTO_memcmp(signature.data(), expected, length) == 0;
}

// JWS carries R and S side by side; OpenSSL wants them as DER.
std::vector<uint8_t> to_der(std::string_view signature) {
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(ECDSA_SIG_new(), ECDSA_SIG_free);
  BIGNUM* r = BN_bin2bn(bytes_of(signature), Es256HalfBytes, nullptr);
  BIGNUM* s = BN_bin2bn(bytes_of(signature) + Es256HalfBytes, Es256HalfBytes, nullptr);
  if (!pair || !r || !s || ECDSA_SIG_set0(pair.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return {};
  }
  uint8_t* encoded = nullptr;
  const int length = i2d_ECDSA_SIG(pair.get(), &encoded);
  if (length <= 0) return {};
  std::vector<uint8_t> der(encoded, encoded + length);
  OPENSSL_free(encoded);
  return der;
}

bool es256_holds(evp_pkey_st* key, std::string_view signed_part, std::string_view signature) {
  if (signature.size() != 2 * Es256HalfBytes) return false;
  const std::vector<uint8_t> der = to_der(signature);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  if (der.empty() || !context) return false;
  const bool holds =
      EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
      EVP_DigestVerify(context.get(), der.data(), der.size(), bytes_of(signed_part),
                       signed_part.size()) == 1;
  ERR_clear_error();
  return holds;
}

bool is_p256(const EVP_PKEY* key) {
  char group[32] = {};
  size_t length = 0;
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, group, sizeof group, &length) == 1 &&
         std::string_view(group, length) == "prime256v1";
}

}  // namespace

Result<TokenVerifier> TokenVerifier::create(const TokenSettings& settings) {
  if (settings.required && !settings.has_key()) {
    return Error{ErrorCode::InvalidArgument,
                 "join tokens are required but there is no key to check them with; set an HS256 "
                 "secret or an ES256 public key"};
  }
  if (!settings.hs256_secret.empty() && settings.hs256_secret.size() < MinSecretBytes) {
    return Error{ErrorCode::InvalidArgument,
                 "the HS256 token secret is too short; use at least 32 random bytes"};
  }
  TokenVerifier verifier(settings);
  if (settings.es256_public_key_pem.empty()) return verifier;

  const std::string& pem = settings.es256_public_key_pem;
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  verifier.es256_key_.reset(
      bio ? PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr) : nullptr, EVP_PKEY_free);
  ERR_clear_error();
  if (!verifier.es256_key_ || !is_p256(verifier.es256_key_.get())) {
    return Error{ErrorCode::InvalidArgument,
                 "the ES256 token key is not a P-256 public key in PEM; make one with 'openssl ec "
                 "-pubout' from a prime256v1 key"};
  }
  return verifier;
}

Result<TokenClaims> TokenVerifier::verify(std::string_view token, Duration wall) const {
  if (token.size() > MaxBytes) return refused("the token is too long");
  const std::optional<Parts> parts = split(token);
  if (!parts) return refused("the token is not a signed JSON Web Token");

  const json header = parse_object(parts->header);
  const std::optional<std::string> signature = decode_base64url(parts->signature);
  if (header.is_null() || !signature) return refused("the token is not a signed JSON Web Token");
  if (header.contains("crit"))
    return refused("the token asks for an extension that this bridge does not know");
  if (!signature_holds(string_claim(header, "alg"), parts->signed_part, *signature)) {
    return refused("the token's signature does not hold");
  }

  const json claims = parse_object(parts->payload);
  if (claims.is_null()) return refused("the token carries no claims");
  const std::optional<double> expiry = date_claim(claims, "exp");
  if (!expiry) return refused("the token does not say when it expires");
  if (to_seconds(wall) >= *expiry + to_seconds(ClockSkew)) return refused("the token has expired");
  if (claims.contains("nbf")) {
    const std::optional<double> start = date_claim(claims, "nbf");
    if (!start || to_seconds(wall) + to_seconds(ClockSkew) < *start)
      return refused("the token is not valid yet");
  }
  if (!settings_.issuer.empty() && string_claim(claims, "iss") != settings_.issuer) {
    return refused("the token comes from another issuer");
  }
  if (!settings_.audience.empty() && !names_audience(claims, settings_.audience)) {
    return refused("the token is meant for another service");
  }

  TokenClaims result{string_claim(claims, "conference"), std::nullopt, string_claim(claims, "sub")};
  if (result.conference.empty()) return refused("the token names no conference");
  if (claims.contains("name")) {
    result.name = string_claim(claims, "name");
    if (!is_name(*result.name)) return refused("the token's name is not a name");
  }
  if (claims.contains("e2ee")) {
    // Whoever wrote another word there meant something: better nobody in than without it.
    result.requires_e2ee = string_claim(claims, "e2ee") == "required";
    if (!result.requires_e2ee) return refused("the token's e2ee claim can only be \"required\"");
  }
  return result;
}

bool TokenVerifier::signature_holds(std::string_view algorithm, std::string_view signed_part,
                                    std::string_view signature) const {
  if (algorithm == "HS256" && !settings_.hs256_secret.empty()) {
    return hs256_holds(settings_.hs256_secret, signed_part, signature);
  }
  if (algorithm == "ES256" && es256_key_)
    return es256_holds(es256_key_.get(), signed_part, signature);
  return false;
}

std::optional<std::string> decode_base64url(std::string_view text) {
  std::string out;
  out.reserve(text.size() * 3 / 4);
  uint32_t bits = 0;
  unsigned held = 0;  // bits not yet written
  for (const char c : text) {
    uint32_t value = 0;
    if (c >= 'A' && c <= 'Z')
      value = static_cast<uint32_t>(c - 'A');
    else if (c >= 'a' && c <= 'z')
      value = static_cast<uint32_t>(c - 'a' + 26);
    else if (c >= '0' && c <= '9')
      value = static_cast<uint32_t>(c - '0' + 52);
    else if (c == '-')
      value = 62;
    else if (c == '_')
      value = 63;
    else
      return std::nullopt;
    bits = (bits << 6) | value;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<char>(bits >> held));
    }
    bits &= (1u << held) - 1;
  }
  // What is left are zero bits of padding: fewer than one character's worth.
  if (held >= 6 || bits != 0) return std::nullopt;
  return out;
}

}  // namespace viaduct::control
