#include "control/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/socket_address.h"
#include "secrecy/secret_file.h"

namespace viaduct::control {
namespace {

constexpr auto DaysValid = 30 * 24h;

// What OpenSSL last complained of.
std::string reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* text = ERR_reason_error_string(code);
  ERR_clear_error();
  return text ? text : "unknown reason";
}

Error failed(std::string text) { return {ErrorCode::InvalidArgument, std::move(text)}; }

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

// Not by OpenSSL's own file functions, which leave the key in a buffer of the C library.
Result<void> use_key_file(SSL_CTX* context, const std::string& path) {
  const auto unusable = [&](const std::string& why) {
    return failed("cannot use tls-key '" + path + "': " + why +
                  "; it must be a readable PEM file with the private key of tls-certificate");
  };
  const Result<secrecy::SecretString> pem = secrecy::read_secret_file(path);
  if (!pem) return unusable(pem.error().text);
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size())), BIO_free);
  const auto no_password = [](char*, int, int, void*) { return -1; };  // nobody to ask for one
  const Key key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr) : nullptr,
                EVP_PKEY_free);
  if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1) return unusable(reason());
  return {};
}

Result<void> use_files(SSL_CTX* context, const TlsSettings& settings) {
  if (SSL_CTX_use_certificate_chain_file(context, settings.certificate_path.c_str()) != 1) {
    return failed("cannot use tls-certificate '" + settings.certificate_path + "': " + reason() +
                  "; it must be a readable PEM file with the certificate and its chain");
  }
  return use_key_file(context, settings.key_path);
}

void add_subject_alt_name(X509* certificate, const std::string& host) {
  const std::string value = (IpAddress::parse(host) ? "IP:" : "DNS:") + host;
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, value.c_str());
  if (extension) X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  ERR_clear_error();  // a host that is no name does without
}

Certificate make_certificate(EVP_PKEY* key, const std::string& host, Duration wall) {
  Certificate certificate(X509_new(), X509_free);
  X509* x = certificate.get();
  const time_t now = std::chrono::duration_cast<std::chrono::seconds>(wall).count();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), static_cast<uint64_t>(wall.count()));
  ASN1_TIME_set(X509_getm_notBefore(x), now - 3600);  // clocks differ
  ASN1_TIME_set(X509_getm_notAfter(x), now + std::chrono::seconds(DaysValid).count());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("viaduct"), -1, -1, 0);
  X509_set_issuer_name(x, X509_get_subject_name(x));
  add_subject_alt_name(x, host);
  if (X509_set_pubkey(x, key) != 1 || X509_sign(x, key, EVP_sha256()) <= 0) certificate.reset();
  return certificate;
}

Result<void> use_ephemeral(SSL_CTX* context, const std::string& host, Duration wall) {
  const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Certificate certificate =
      key ? make_certificate(key.get(), host, wall) : Certificate(nullptr, X509_free);
  if (!certificate || SSL_CTX_use_certificate(context, certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return Error{ErrorCode::Unavailable,
                 "OpenSSL cannot make a certificate for the page: " + reason()};
  }
  return {};
}

}  // namespace

Result<SslContext> make_tls_context(const TlsSettings& settings, const std::string& host,
                                    Duration wall) {
  SslContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context)
    return Error{ErrorCode::Unavailable, "OpenSSL cannot start TLS for the page: " + reason()};
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  Result<void> used = settings.mode == TlsMode::Files ? use_files(context.get(), settings)
                                                      : use_ephemeral(context.get(), host, wall);
  if (!used) return used.error();
  if (SSL_CTX_check_private_key(context.get()) != 1) {
    return failed("tls-key '" + settings.key_path + "' does not belong to tls-certificate '" +
                  settings.certificate_path + "'");
  }
  return context;
}

}  // namespace viaduct::control
