// libsrtp2 as an oracle: one session, one key, one direction.
#pragma once

#include <srtp2/srtp.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "protocol/srtp/srtp_profile.h"

namespace viaduct::testing {

class LibSrtp {
 public:
  // `inbound`: unprotects, with a replay window; else protects.
  LibSrtp(const srtp::SrtpKeys& keys, bool inbound) {
    static const bool initialised = srtp_init() == srtp_err_status_ok;
    CHECK(initialised);
    std::vector<uint8_t> key(keys.master_key.begin(), keys.master_key.end());
    key.insert(key.end(), keys.master_salt.begin(), keys.master_salt.end());
    srtp_policy_t policy{};
    set_profile(keys.profile, &policy.rtp);
    set_profile(keys.profile, &policy.rtcp);
    policy.ssrc.type = inbound ? ssrc_any_inbound : ssrc_any_outbound;
    policy.key = key.data();
    policy.window_size = 256;
    policy.allow_repeat_tx = 1;
    CHECK(srtp_create(&session_, &policy) == srtp_err_status_ok);
  }
  ~LibSrtp() { srtp_dealloc(session_); }
  LibSrtp(const LibSrtp&) = delete;
  LibSrtp& operator=(const LibSrtp&) = delete;

  // Sets the rollover count of a stream that has already carried a packet.
  void set_rollovers(uint32_t ssrc, uint32_t rollovers) {
    CHECK(srtp_set_stream_roc(session_, ssrc, rollovers) == srtp_err_status_ok);
  }

  using Output = std::optional<std::vector<uint8_t>>;  // nothing when libsrtp2 refuses the packet
  Output protect_rtp(Bytes packet) { return run(srtp_protect, packet); }
  Output protect_rtcp(Bytes packet) { return run(srtp_protect_rtcp, packet); }
  Output unprotect_rtp(Bytes packet) { return run(srtp_unprotect, packet); }
  Output unprotect_rtcp(Bytes packet) { return run(srtp_unprotect_rtcp, packet); }

 private:
  static void set_profile(srtp::SrtpProfile profile, srtp_crypto_policy_t* policy) {
    switch (profile) {
      case srtp::SrtpProfile::Aes128CmHmacSha1_80: srtp_crypto_policy_set_rtp_default(policy); return;
      case srtp::SrtpProfile::AeadAes128Gcm: srtp_crypto_policy_set_aes_gcm_128_16_auth(policy); return;
      case srtp::SrtpProfile::AeadAes256Gcm: srtp_crypto_policy_set_aes_gcm_256_16_auth(policy); return;
    }
  }

  template <typename Function>
  Output run(Function function, Bytes packet) {
    std::vector<uint8_t> buffer(packet.begin(), packet.end());
    buffer.resize(packet.size() + SRTP_MAX_TRAILER_LEN + 4);
    int length = static_cast<int>(packet.size());
    if (function(session_, buffer.data(), &length) != srtp_err_status_ok) return std::nullopt;
    buffer.resize(static_cast<size_t>(length));
    return buffer;
  }

  srtp_t session_ = nullptr;
};

}  // namespace viaduct::testing
