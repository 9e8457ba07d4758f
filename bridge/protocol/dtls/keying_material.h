// The SRTP master keys and salts of one session (RFC 5764 section 4.2), for both directions.
//
// Secret: moves and never copies, and is wiped when it goes.
#pragma once

#include <cstddef>
#include <utility>

#include "base/bytes.h"
#include "protocol/srtp/secret_bytes.h"
#include "protocol/srtp/srtp_profile.h"

namespace viaduct::dtls {

class KeyingMaterial {
 public:
  static constexpr size_t MaxBytes = 2 * (32 + 14);

  // `exported` is the extractor's output: client key, server key, client salt, server salt.
  KeyingMaterial(srtp::SrtpProfile profile, bool local_is_client, srtp::SecretBytes<MaxBytes> exported)
      : profile_(profile), local_is_client_(local_is_client), exported_(std::move(exported)) {}

  static constexpr size_t exported_bytes(srtp::SrtpProfile p) {
    return 2 * (srtp::master_key_bytes(p) + srtp::master_salt_bytes(p));
  }

  srtp::SrtpProfile profile() const { return profile_; }
  srtp::SrtpKeys local() const { return keys_of(local_is_client_); }    // what we send with
  srtp::SrtpKeys remote() const { return keys_of(!local_is_client_); }  // what the peer sends with

 private:
  srtp::SrtpKeys keys_of(bool client) const {
    const size_t key = srtp::master_key_bytes(profile_);
    const size_t salt = srtp::master_salt_bytes(profile_);
    return {profile_, exported_.slice(client ? 0 : key, key), exported_.slice(2 * key + (client ? 0 : salt), salt)};
  }

  srtp::SrtpProfile profile_;
  bool local_is_client_;
  srtp::SecretBytes<MaxBytes> exported_;
};

}  // namespace viaduct::dtls
