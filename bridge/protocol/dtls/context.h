// What all DTLS sessions of this process share: certificate, versions, ciphers, groups and SRTP profiles.
//
// DTLS 1.2 at least and 1.3 where the library has it. No resumption, tickets, renegotiation or compression:
// each session is one full handshake that proves the peer's key.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/result.h"
#include "protocol/dtls/certificate.h"
#include "protocol/srtp/srtp_profile.h"

struct ssl_ctx_st;

namespace viaduct::dtls {

// The order in which the DTLS server picks: AEAD_AES_128_GCM costs half of SHA1_80; each is first-class.
std::vector<srtp::SrtpProfile> default_srtp_preference();

// A value; copies share. May be used by one thread at a time.
class Context {
 public:
  // `preference` names the SRTP profiles to offer or accept, most wanted first; when this side is the DTLS
  // server it picks by that order. InvalidArgument for an empty preference, Unavailable when OpenSSL refuses.
  static Result<Context> make(const Certificate& certificate,
                              const std::vector<srtp::SrtpProfile>& preference = default_srtp_preference());

  const Fingerprint& fingerprint() const { return fingerprint_; }  // of our certificate
  ssl_ctx_st* get() const { return context_.get(); }

 private:
  Context(std::shared_ptr<ssl_ctx_st> context, Fingerprint fingerprint)
      : context_(std::move(context)), fingerprint_(std::move(fingerprint)) {}

  std::shared_ptr<ssl_ctx_st> context_;
  Fingerprint fingerprint_;
};

}  // namespace viaduct::dtls
