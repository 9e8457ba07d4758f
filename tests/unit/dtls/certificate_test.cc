#include "protocol/dtls/certificate.h"

#include <gtest/gtest.h>
#include <openssl/asn1.h>
#include <openssl/x509.h>

#include "tests/unit/dtls/session_pair.h"

namespace viaduct::dtls {
namespace {

TEST(Certificate, IsValidFromADayAgoForThirtyDays) {
  const Certificate certificate = make_certificate(1);
  const std::time_t now = std::chrono::duration_cast<std::chrono::seconds>(WallAtStart).count();
  const auto compare = [&](const ASN1_TIME* time, std::time_t expected) {
    return ASN1_TIME_cmp_time_t(time, expected);
  };
  EXPECT_EQ(compare(X509_get0_notBefore(certificate.x509()), now - 86'400), 0);
  EXPECT_EQ(compare(X509_get0_notAfter(certificate.x509()), now + 30 * 86'400), 0);
}

TEST(Certificate, SignsItselfWithItsOwnKey) {
  const Certificate certificate = make_certificate(1);
  EXPECT_EQ(X509_verify(certificate.x509(), certificate.key()), 1);
}

TEST(Certificate, HasANewKeyAndFingerprintEachTime) {
  EXPECT_NE(make_certificate(1).fingerprint(), make_certificate(1).fingerprint());
}

TEST(Fingerprint, IsWrittenAsInSdp) {
  const Fingerprint fingerprint{"sha-256", {0xab, 0x0c, 0xff}};
  EXPECT_EQ(fingerprint.to_string(), "sha-256 AB:0C:FF");
}

TEST(Fingerprint, IsAcceptedOnlyUnderAStrongHashAndWholly) {
  EXPECT_TRUE(check_fingerprint({"sha-256", ByteVector(32)}).ok());
  EXPECT_TRUE(check_fingerprint({"sha-384", ByteVector(48)}).ok());
  EXPECT_TRUE(check_fingerprint({"sha-512", ByteVector(64)}).ok());
  for (const Fingerprint& weak : {Fingerprint{"sha-1", ByteVector(20)}, Fingerprint{"sha-224", ByteVector(28)},
                                  Fingerprint{"md5", ByteVector(16)}, Fingerprint{"", {}}, Fingerprint{"sha-256", {}},
                                  Fingerprint{"sha-256", ByteVector(31)}, Fingerprint{"sha-512", ByteVector(32)}}) {
    const Result<void> refused = check_fingerprint(weak);
    ASSERT_FALSE(refused.ok()) << weak.algorithm;
    EXPECT_NE(refused.error().text.find(weak.algorithm), std::string::npos) << refused.error().text;
  }
}

}  // namespace
}  // namespace viaduct::dtls
