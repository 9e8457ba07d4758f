#include "protocol/dtls/certificate.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <ctime>

namespace viaduct::dtls {
namespace {

constexpr long ValidDays = 30;
constexpr long SecondsADay = 24 * 60 * 60;
constexpr size_t NameBytes = 8;
constexpr size_t SerialBytes = 8;

const EVP_MD* digest_of(const std::string& algorithm) {
  if (algorithm == "sha-256") return EVP_sha256();
  if (algorithm == "sha-384") return EVP_sha384();
  if (algorithm == "sha-512") return EVP_sha512();
  return nullptr;
}

char hex_digit(int value) { return "0123456789ABCDEF"[value & 15]; }

std::string to_hex(Bytes bytes, std::string_view separator) {
  std::string text;
  for (uint8_t byte : bytes) {
    if (!text.empty()) text += separator;
    text += hex_digit(byte >> 4);
    text += hex_digit(byte);
  }
  return text;
}

bool set_random_name_and_serial(X509* x509, Random& random) {
  std::array<uint8_t, NameBytes> name;
  std::array<uint8_t, SerialBytes> serial;
  random.fill(name);
  random.fill(serial);
  serial[0] &= 0x7f;  // positive (RFC 5280 section 4.1.2.2)
  const std::string common_name = to_hex(name, "");

  X509_NAME* subject = X509_get_subject_name(x509);
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> number(BN_bin2bn(serial.data(), SerialBytes, nullptr), BN_free);
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509)) != nullptr &&
         X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1 &&
         X509_set_issuer_name(x509, subject) == 1;
}

// From a day ago, for peers whose clock is behind.
bool set_validity(X509* x509, Duration wall_since_1970) {
  const std::time_t now = std::chrono::duration_cast<std::chrono::seconds>(wall_since_1970).count();
  return ASN1_TIME_set(X509_getm_notBefore(x509), now - SecondsADay) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(x509), now + ValidDays * SecondsADay) != nullptr;
}

}  // namespace

std::string Fingerprint::to_string() const { return algorithm + " " + to_hex(digest, ":"); }

Result<void> check_fingerprint(const Fingerprint& fingerprint) {
  const EVP_MD* md = digest_of(fingerprint.algorithm);
  if (md == nullptr) {
    return Error{ErrorCode::InvalidArgument, "The fingerprint algorithm \"" + fingerprint.algorithm +
                                                 "\" is not accepted; sha-256, sha-384 and sha-512 are."};
  }
  if (fingerprint.digest.size() != static_cast<size_t>(EVP_MD_get_size(md))) {
    return Error{ErrorCode::InvalidArgument, "The fingerprint has " + std::to_string(fingerprint.digest.size()) +
                                                 " bytes, which is not the length of a " + fingerprint.algorithm +
                                                 " digest."};
  }
  return {};
}

Fingerprint fingerprint_of(const x509_st& certificate, const std::string& algorithm) {
  Fingerprint fingerprint{algorithm, {}};
  const EVP_MD* md = digest_of(algorithm);
  if (md == nullptr) return fingerprint;
  fingerprint.digest.resize(static_cast<size_t>(EVP_MD_get_size(md)));
  if (X509_digest(&certificate, md, fingerprint.digest.data(), nullptr) != 1) fingerprint.digest.clear();
  return fingerprint;
}

Result<Certificate> Certificate::make(Random& random, Duration wall_since_1970) {
  const std::shared_ptr<EVP_PKEY> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::shared_ptr<X509> x509(X509_new(), X509_free);
  if (!key || !x509 || X509_set_version(x509.get(), X509_VERSION_3) != 1 ||
      !set_random_name_and_serial(x509.get(), random) || !set_validity(x509.get(), wall_since_1970) ||
      X509_set_pubkey(x509.get(), key.get()) != 1 || X509_sign(x509.get(), key.get(), EVP_sha256()) == 0) {
    return Error{ErrorCode::Unavailable, "OpenSSL could not make the DTLS certificate."};
  }
  return Certificate(x509, key);
}

Certificate::Certificate(std::shared_ptr<x509_st> x509, std::shared_ptr<evp_pkey_st> key)
    : x509_(std::move(x509)), key_(std::move(key)), fingerprint_(fingerprint_of(*x509_, "sha-256")) {}

}  // namespace viaduct::dtls
