// The certificate that this process shows its peers, and the fingerprints by which SDP names certificates (RFC
// 8122).
//
// WebRTC certificates are self-signed: what proves a peer is the fingerprint that came over the signalling
// channel, never a chain, a name or a date. Includes no OpenSSL header, so that nobody else has to.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"

struct x509_st;
struct evp_pkey_st;

namespace viaduct::dtls {

struct Fingerprint {
  std::string algorithm;        // as in SDP, lower case: "sha-256"
  std::vector<uint8_t> digest;

  // "sha-256 AB:CD:...", the value of an SDP a=fingerprint line.
  std::string to_string() const;
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

// Whether a fingerprint can prove anything: sha-256, sha-384 or sha-512, and a digest of that length.
// InvalidArgument, with a sentence, for others; SHA-1 and SHA-224 among them (RFC 8122 section 5 no longer
// counts on SHA-1).
Result<void> check_fingerprint(const Fingerprint& fingerprint);

// The fingerprint of a certificate under one of the algorithms above; an empty digest for another algorithm.
Fingerprint fingerprint_of(const x509_st& certificate, const std::string& algorithm);

// ECDSA P-256, self-signed, valid for 30 days. A value; copies share the key.
class Certificate {
 public:
  // `random` makes the name and the serial number; the key comes from OpenSSL's own generator, whatever
  // `random` is. `wall_since_1970` is the present time. Unavailable when OpenSSL refuses.
  static Result<Certificate> make(Random& random, Duration wall_since_1970);

  // Takes a certificate and its key that were made elsewhere.
  Certificate(std::shared_ptr<x509_st> x509, std::shared_ptr<evp_pkey_st> key);

  const Fingerprint& fingerprint() const { return fingerprint_; }  // sha-256
  x509_st* x509() const { return x509_.get(); }
  evp_pkey_st* key() const { return key_.get(); }

 private:
  std::shared_ptr<x509_st> x509_;
  std::shared_ptr<evp_pkey_st> key_;
  Fingerprint fingerprint_;
};

}  // namespace viaduct::dtls
