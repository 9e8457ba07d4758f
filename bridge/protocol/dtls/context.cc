#include "protocol/dtls/context.h"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <string>

#include "protocol/dtls/session.h"

namespace viaduct::dtls {
namespace {

using srtp::SrtpProfile;

// RSA for the peer's certificate where the peer is the server; ours is ECDSA.
constexpr const char* Ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-GCM-SHA384";
constexpr const char* Groups = "X25519:P-256:P-384";

// Bounds what a peer's certificate message may make OpenSSL allocate; a WebRTC certificate has 300 to 1,200 bytes.
constexpr long MaxCertificateChainBytes = 16 * 1024;

const char* openssl_name(SrtpProfile profile) {
  switch (profile) {
    case SrtpProfile::Aes128CmHmacSha1_80: return "SRTP_AES128_CM_SHA1_80";
    case SrtpProfile::AeadAes128Gcm: return "SRTP_AEAD_AES_128_GCM";
    case SrtpProfile::AeadAes256Gcm: return "SRTP_AEAD_AES_256_GCM";
  }
  return "";
}

std::string openssl_list(const std::vector<SrtpProfile>& preference) {
  std::string list;
  for (SrtpProfile profile : preference) list += (list.empty() ? "" : ":") + std::string(openssl_name(profile));
  return list;
}

// Stands in for OpenSSL's chain check, in the middle of the handshake, so that a stranger gets an alert and no
// keys are made.
int verify_peer(X509_STORE_CTX* store, void*) {
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const X509* certificate = X509_STORE_CTX_get0_cert(store);
  auto* session = static_cast<Session*>(SSL_get_app_data(ssl));
  const int verdict = certificate != nullptr ? session->judge_peer(*certificate) : X509_V_ERR_CERT_REJECTED;
  X509_STORE_CTX_set_error(store, verdict);
  return verdict == X509_V_OK ? 1 : 0;
}

}  // namespace

std::vector<SrtpProfile> default_srtp_preference() {
  return {SrtpProfile::AeadAes128Gcm, SrtpProfile::AeadAes256Gcm, SrtpProfile::Aes128CmHmacSha1_80};
}

Result<Context> Context::make(const Certificate& certificate, const std::vector<SrtpProfile>& preference) {
  if (preference.empty()) return Error{ErrorCode::InvalidArgument, "DTLS needs at least one SRTP profile to offer."};
  const std::shared_ptr<SSL_CTX> ctx(SSL_CTX_new(DTLS_method()), SSL_CTX_free);
  if (!ctx) return Error{ErrorCode::Unavailable, "OpenSSL has no DTLS."};

  SSL_CTX_set_options(ctx.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_QUERY_MTU);
  SSL_CTX_set_session_cache_mode(ctx.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(ctx.get(), MaxCertificateChainBytes);
  SSL_CTX_set_verify(ctx.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(ctx.get(), verify_peer, nullptr);
  // SSL_CTX_set_tlsext_use_srtp() alone of these answers 0 for success.
  if (SSL_CTX_set_min_proto_version(ctx.get(), DTLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(ctx.get(), Ciphers) != 1 || SSL_CTX_set1_groups_list(ctx.get(), Groups) != 1 ||
      SSL_CTX_set_tlsext_use_srtp(ctx.get(), openssl_list(preference).c_str()) != 0 ||
      SSL_CTX_use_certificate(ctx.get(), certificate.x509()) != 1 ||
      SSL_CTX_use_PrivateKey(ctx.get(), certificate.key()) != 1) {
    return Error{ErrorCode::Unavailable, "OpenSSL refused the DTLS certificate, ciphers, groups or SRTP profiles."};
  }
  return Context(ctx, certificate.fingerprint());
}

}  // namespace viaduct::dtls
