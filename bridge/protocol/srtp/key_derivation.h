// Session keys from a master key and salt: RFC 3711 section 4.3, RFC 6188 for 256-bit keys, RFC 7714 section 11
// for GCM.
//
// The key derivation rate is 0: session keys are derived once and live as long as the master key, which is all
// that DTLS-SRTP can negotiate (RFC 5764 section 4.1.2).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/srtp/secret_bytes.h"
#include "protocol/srtp/srtp_profile.h"

namespace viaduct::srtp {

// What a derived key is for; the values are the labels of RFC 3711 section 4.3.2.
enum class KeyLabel : uint8_t {
  RtpEncryption = 0,
  RtpAuthentication = 1,
  RtpSalt = 2,
  RtcpEncryption = 3,
  RtcpAuthentication = 4,
  RtcpSalt = 5,
};

inline constexpr size_t MaxSessionKeyBytes = 32;
inline constexpr size_t MaxSessionSaltBytes = 14;
inline constexpr size_t AuthenticationKeyBytes = 20;  // HMAC-SHA1 (RFC 3711 section 5.2)

// The keys of SRTP, or of SRTCP. How much of each holds meaning follows from the profile.
struct SessionKey {
  SecretBytes<MaxSessionKeyBytes> encryption;           // master_key_bytes(profile)
  SecretBytes<MaxSessionSaltBytes> salt;                // master_salt_bytes(profile)
  SecretBytes<AuthenticationKeyBytes> authentication;   // all of it for SHA1_80, nothing for GCM
};
struct SessionKeys {
  SessionKey rtp;
  SessionKey rtcp;
};

// Fills `out` (at most 64 bytes) with the key for `label`. InvalidArgument when key or salt have not the
// profile's size.
Result<void> derive_key(const SrtpKeys& master, KeyLabel label, MutableBytes out);

// All session keys of one direction. InvalidArgument as above.
Result<SessionKeys> derive_session_keys(const SrtpKeys& master);

}  // namespace viaduct::srtp
