// A BatchCipher that can be given session keys themselves: published packets start from them, and one
// cipher may hand its keys to another.
#pragma once

#include "edge/batch_cipher.h"
#include "protocol/srtp/key_derivation.h"

namespace viaduct::edge {

class SessionCipher : public BatchCipher {
 public:
  Result<KeySlot> add_key(const srtp::SrtpKeys& keys) final {
    const Result<srtp::SessionKeys> derived = srtp::derive_session_keys(keys);
    if (!derived) return derived.error();
    return add_session_keys(keys.profile, *derived);
  }
  // ResourceExhausted when full.
  virtual Result<KeySlot> add_session_keys(srtp::SrtpProfile profile,
                                           const srtp::SessionKeys& keys) = 0;
};

}  // namespace viaduct::edge
