// Whole handshakes between two sessions: what is agreed, what is refused, what ends them.
#include "protocol/dtls/session.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <algorithm>
#include <string>

#include "tests/support/hex.h"
#include "tests/unit/dtls/dtls_records.h"
#include "tests/unit/dtls/session_pair.h"

namespace viaduct::dtls {
namespace {

using srtp::SrtpProfile;
using State = Session::State;
using testing::to_hex;

void expect_crosswise(const srtp::SrtpKeys& ours, const srtp::SrtpKeys& theirs) {
  EXPECT_EQ(ours.profile, theirs.profile);
  EXPECT_EQ(to_hex(ours.master_key), to_hex(theirs.master_key));
  EXPECT_EQ(to_hex(ours.master_salt), to_hex(theirs.master_salt));
  EXPECT_EQ(ours.master_key.size(), srtp::master_key_bytes(ours.profile));
  EXPECT_EQ(ours.master_salt.size(), srtp::master_salt_bytes(ours.profile));
}

TEST(DtlsSession, ConnectsAndTellsWhatWasAgreed) {
  const Side client{make_certificate(1)}, server{make_certificate(2)};
  SessionPair pair(client, server);
  pair.exchange();
  ASSERT_TRUE(pair.connected()) << pair.client.failure() << pair.server.failure();

  EXPECT_EQ(pair.client.info().remote, server.certificate.fingerprint());
  EXPECT_EQ(pair.server.info().remote, client.certificate.fingerprint());
  for (const Session* session : {&pair.client, &pair.server}) {
    EXPECT_TRUE(session->info().version == "DTLSv1.2" || session->info().version == "DTLSv1.3")
        << session->info().version;
    EXPECT_NE(session->info().cipher.find("AES128-GCM-SHA256"), std::string::npos) << session->info().cipher;
    EXPECT_EQ(session->info().group, "X25519");
    EXPECT_EQ(session->next_deadline(), Never);
  }
}

TEST(DtlsSession, GivesBothSidesTheSameKeysCrosswise) {
  for (SrtpProfile profile : default_srtp_preference()) {
    SessionPair pair({make_certificate(1), {profile}}, {make_certificate(2)});
    pair.exchange();
    ASSERT_TRUE(pair.connected());
    EXPECT_EQ(pair.client.info().profile, profile);
    EXPECT_EQ(pair.server.info().profile, profile);

    const KeyingMaterial client = pair.client.export_keys(), server = pair.server.export_keys();
    expect_crosswise(client.local(), server.remote());
    expect_crosswise(server.local(), client.remote());
    EXPECT_NE(to_hex(client.local().master_key), to_hex(client.remote().master_key));
    EXPECT_NE(to_hex(client.local().master_salt), to_hex(client.remote().master_salt));
  }
}

TEST(DtlsSession, LetsTheServerPickTheSrtpProfile) {
  using enum SrtpProfile;
  struct Case {
    std::vector<SrtpProfile> offered;
    SrtpProfile picked;
  };
  const Case cases[] = {
      {{Aes128CmHmacSha1_80, AeadAes256Gcm, AeadAes128Gcm}, AeadAes128Gcm},  // as Chromium offers
      {{AeadAes128Gcm, AeadAes256Gcm, Aes128CmHmacSha1_80}, AeadAes128Gcm},  // as Firefox offers
      {{Aes128CmHmacSha1_80, AeadAes256Gcm}, AeadAes256Gcm},
      {{Aes128CmHmacSha1_80}, Aes128CmHmacSha1_80},
  };
  for (const Case& c : cases) {
    SessionPair pair({make_certificate(1), c.offered}, {make_certificate(2)});
    pair.exchange();
    ASSERT_TRUE(pair.connected());
    EXPECT_EQ(pair.server.info().profile, c.picked);
  }
}

TEST(DtlsSession, FailsWithoutACommonSrtpProfile) {
  SessionPair pair({make_certificate(1), {SrtpProfile::AeadAes256Gcm}},
                   {make_certificate(2), {SrtpProfile::Aes128CmHmacSha1_80}});
  pair.exchange();
  EXPECT_EQ(pair.client.state(), State::Failed);
  EXPECT_EQ(pair.client.failure(), "The peer supports no SRTP profile that the bridge does.");
  EXPECT_EQ(pair.server.state(), State::Failed);  // by the client's alert
}

TEST(DtlsSession, AcceptsEachStrongFingerprintAlgorithm) {
  const Side client{make_certificate(1)}, server{make_certificate(2)};
  for (const char* algorithm : {"sha-256", "sha-384", "sha-512"}) {
    SessionPair pair(client, server, fingerprint_of(*server.certificate.x509(), algorithm),
                     fingerprint_of(*client.certificate.x509(), algorithm));
    pair.exchange();
    EXPECT_TRUE(pair.connected()) << algorithm;
  }
}

TEST(DtlsSession, RefusesAFingerprintThatProvesNothingBeforeAnyByteIsSent) {
  const Context context = Context::make(make_certificate(1)).value();
  Session session(context, Role::Client, {"sha-1", ByteVector(20)}, Start);
  EXPECT_EQ(session.state(), State::Failed);
  EXPECT_NE(session.failure().find("sha-1"), std::string::npos);
  ByteVector datagram;
  EXPECT_FALSE(session.poll_output(&datagram));
  EXPECT_EQ(session.next_deadline(), Never);
  session.handle(ByteVector(100, 22), Start);
  session.handle_timeout(Start + 60s);
  session.close();
  EXPECT_EQ(session.state(), State::Failed);
}

TEST(DtlsSession, ServerRefusesAClientWithAnotherCertificate) {
  const Side client{make_certificate(1)}, server{make_certificate(2)};
  SessionPair pair(client, server, server.certificate.fingerprint(), make_certificate(3).fingerprint());
  pair.exchange();
  EXPECT_EQ(pair.server.state(), State::Failed);
  EXPECT_EQ(pair.server.failure(), "The peer's certificate is not the one that its session description names.");
  EXPECT_EQ(pair.client.state(), State::Failed);
  EXPECT_NE(pair.client.failure().find("bad certificate"), std::string::npos) << pair.client.failure();
}

TEST(DtlsSession, ClientRefusesAServerWithAnotherCertificate) {
  const Side client{make_certificate(1)}, server{make_certificate(2)};
  SessionPair pair(client, server, make_certificate(3).fingerprint(), client.certificate.fingerprint());
  pair.exchange();
  EXPECT_EQ(pair.client.state(), State::Failed);
  EXPECT_EQ(pair.client.failure(), "The peer's certificate is not the one that its session description names.");
  EXPECT_EQ(pair.server.state(), State::Failed);
}

// A certificate with `victim`'s public part, and so its fingerprint, held by someone who does not know its
// private key.
Certificate impersonate(const Certificate& victim) {
  EVP_PKEY* stranger = EVP_EC_gen("P-256");
  BIGNUM* private_key = nullptr;
  EVP_PKEY_get_bn_param(stranger, OSSL_PKEY_PARAM_PRIV_KEY, &private_key);
  uint8_t public_key[65];
  size_t public_bytes = 0;
  EVP_PKEY_get_octet_string_param(victim.key(), OSSL_PKEY_PARAM_PUB_KEY, public_key, sizeof public_key,
                                  &public_bytes);

  OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, public_key, public_bytes);
  OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, private_key);
  OSSL_PARAM* params = OSSL_PARAM_BLD_to_param(builder);
  EVP_PKEY_CTX* ctx = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY* forged = nullptr;
  EVP_PKEY_fromdata_init(ctx);
  EXPECT_EQ(EVP_PKEY_fromdata(ctx, &forged, EVP_PKEY_KEYPAIR, params), 1);
  EVP_PKEY_CTX_free(ctx);
  OSSL_PARAM_free(params);
  OSSL_PARAM_BLD_free(builder);
  BN_free(private_key);
  EVP_PKEY_free(stranger);

  X509_up_ref(victim.x509());
  return {std::shared_ptr<X509>(victim.x509(), X509_free), std::shared_ptr<EVP_PKEY>(forged, EVP_PKEY_free)};
}

// S22: the right fingerprint is no proof without the key.
TEST(DtlsSession, ServerRefusesTheRightCertificateWithoutItsKey) {
  const Side server{make_certificate(2)};
  const Certificate victim = make_certificate(1);
  const Side impostor{impersonate(victim)};
  ASSERT_EQ(impostor.certificate.fingerprint(), victim.fingerprint());
  SessionPair pair(impostor, server);
  pair.exchange();
  EXPECT_EQ(pair.server.state(), State::Failed);
  EXPECT_FALSE(pair.server.failure().empty());
  EXPECT_NE(pair.client.state(), State::Connected);
}

TEST(DtlsSession, ClientRefusesTheRightCertificateWithoutItsKey) {
  const Side client{make_certificate(1)};
  const Side impostor{impersonate(make_certificate(2))};
  SessionPair pair(client, impostor);
  pair.exchange();
  EXPECT_EQ(pair.client.state(), State::Failed);
  EXPECT_NE(pair.server.state(), State::Connected);
}

TEST(DtlsSession, EndsWithCloseNotifyOnBothSides) {
  SessionPair pair;
  pair.exchange();
  ASSERT_TRUE(pair.connected());
  pair.client.close();
  EXPECT_EQ(pair.client.state(), State::Closed);
  pair.exchange();
  EXPECT_EQ(pair.server.state(), State::Closed);
  EXPECT_EQ(pair.server.next_deadline(), Never);

  ByteVector datagram;
  pair.client.close();
  pair.client.handle(ByteVector(50, 23), pair.now);
  EXPECT_FALSE(pair.client.poll_output(&datagram));
}

TEST(DtlsSession, ClosesInMidHandshakeWithoutAWord) {
  SessionPair pair;
  ByteVector hello;
  ASSERT_TRUE(pair.client.poll_output(&hello));
  pair.client.close();
  EXPECT_EQ(pair.client.state(), State::Closed);
  EXPECT_FALSE(pair.client.poll_output(&hello));
}

TEST(DtlsSession, HoldsOnThroughGarbageAfterItIsConnected) {
  SessionPair pair;
  pair.exchange();
  ASSERT_TRUE(pair.connected());
  SeededRandom random(3);
  for (int i = 0; i < 2'000; ++i) {
    ByteVector garbage(1 + random.below(1'400));
    random.fill(garbage);
    garbage[0] = static_cast<uint8_t>(20 + random.below(44));  // what demultiplexing lets through (RFC 7983)
    pair.server.handle(garbage, pair.now);
  }
  EXPECT_EQ(pair.server.state(), State::Connected) << pair.server.failure();
  pair.client.close();
  pair.exchange();
  EXPECT_EQ(pair.server.state(), State::Closed);
}

TEST(DtlsContext, RefusesAnEmptyListOfProfiles) {
  const auto refused = Context::make(make_certificate(1), {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
}

}  // namespace
}  // namespace viaduct::dtls
