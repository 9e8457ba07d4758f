#include "control/token.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <memory>

namespace viaduct::control {
namespace {

constexpr const char* Secret = "an example secret of 32 bytes or more";
constexpr Duration Noon = std::chrono::seconds(1'800'000'000);

std::string encode(std::string_view bytes) {
  static constexpr char Alphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<uint8_t>(c);
    for (held += 8; held >= 6; held -= 6) out.push_back(Alphabet[(bits >> (held - 6)) & 63]);
  }
  if (held > 0) out.push_back(Alphabet[(bits << (6 - held)) & 63]);
  return out;
}

std::string hmac(std::string_view text, std::string_view secret) {
  uint8_t mac[32];
  unsigned length = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const uint8_t*>(text.data()), text.size(), mac, &length);
  return {reinterpret_cast<char*>(mac), length};
}

std::string hs256(std::string_view claims,
                  std::string_view header = R"({"alg":"HS256","typ":"JWT"})",
                  std::string_view secret = Secret) {
  const std::string signed_part = encode(header) + "." + encode(claims);
  return signed_part + "." + encode(hmac(signed_part, secret));
}

TokenVerifier verifier(TokenSettings settings) {
  Result<TokenVerifier> made = TokenVerifier::create(settings);
  EXPECT_TRUE(made.ok()) << made.error().text;
  return *made;
}

TokenVerifier hs256_verifier() { return verifier({.required = true, .hs256_secret = Secret}); }

// What verify() says: "ok", or its sentence.
std::string verdict(const TokenVerifier& v, std::string_view token, Duration wall = Noon) {
  const Result<TokenClaims> claims = v.verify(token, wall);
  return claims.ok() ? "ok" : claims.error().text;
}

struct Es256Key {
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key;
  explicit Es256Key(const char* curve = "P-256") : key(EVP_EC_gen(curve), EVP_PKEY_free) {}

  std::string public_pem() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
    PEM_write_bio_PUBKEY(bio.get(), key.get());
    char* text = nullptr;
    const long length = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<size_t>(length)};
  }
  std::string sign(std::string_view claims, std::string_view header = R"({"alg":"ES256"})") const {
    const std::string signed_part = encode(header) + "." + encode(claims);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get());
    uint8_t der[128];
    size_t length = sizeof der;
    EVP_DigestSign(context.get(), der, &length,
                   reinterpret_cast<const uint8_t*>(signed_part.data()), signed_part.size());
    const uint8_t* at = der;
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(length)), ECDSA_SIG_free);
    uint8_t flat[64];
    BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), flat, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), flat + 32, 32);
    return signed_part + "." + encode({reinterpret_cast<char*>(flat), sizeof flat});
  }
};

constexpr const char* GoodClaims =
    R"({"exp":1800000060,"conference":"standup","name":"Ada","sub":"u1"})";

TEST(Token, ReadsTheClaimsOfAGoodOne) {
  const Result<TokenClaims> claims = hs256_verifier().verify(hs256(GoodClaims), Noon);
  ASSERT_TRUE(claims.ok()) << claims.error().text;
  EXPECT_EQ(claims->conference, "standup");
  EXPECT_EQ(claims->name, "Ada");
  EXPECT_EQ(claims->subject, "u1");
  EXPECT_TRUE(claims->allows("standup"));
  EXPECT_FALSE(claims->allows("other"));
}

TEST(Token, LetsAStarIntoEveryConference) {
  const auto claims =
      hs256_verifier().verify(hs256(R"({"exp":1800000060,"conference":"*"})"), Noon);
  ASSERT_TRUE(claims.ok());
  EXPECT_TRUE(claims->allows("anything"));
  EXPECT_FALSE(claims->name.has_value());
}

TEST(Token, RequiresEndToEndEncryptionByAClaimWithOneValueOnly) {
  const auto with = [](const char* value) {
    return hs256(std::string(R"({"exp":1800000060,"conference":"c","e2ee":)") + value + "}");
  };
  const Result<TokenClaims> claims = hs256_verifier().verify(with(R"("required")"), Noon);
  ASSERT_TRUE(claims.ok()) << claims.error().text;
  EXPECT_TRUE(claims->requires_e2ee);
  EXPECT_FALSE(hs256_verifier().verify(hs256(GoodClaims), Noon)->requires_e2ee);
  for (const char* other : {"true", "\"Required\"", "\"\"", "null"}) {
    EXPECT_NE(verdict(hs256_verifier(), with(other)).find("e2ee"), std::string::npos) << other;
  }
}

// RFC 7515 appendix A.1. Its signature must hold; its claims are not those of a join token, so it
// ends there.
TEST(Token, AcceptsTheSignatureOfRfc7515AppendixA1) {
  const auto key = decode_base64url(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  ASSERT_TRUE(key.has_value());
  const TokenVerifier v = verifier({.required = true, .hs256_secret = *key});
  const std::string token =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
      "fQ."
      "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  EXPECT_EQ(verdict(v, token, std::chrono::seconds(1300819000)), "the token names no conference");
  EXPECT_EQ(verdict(v, token), "the token has expired");
  std::string tampered = token;
  tampered.back() = 'g';  // the last character carries four bits of the signature
  EXPECT_EQ(verdict(v, tampered, std::chrono::seconds(1300819000)),
            "the token's signature does not hold");
}

// RFC 7515 appendix A.3: ES256.
TEST(Token, AcceptsTheSignatureOfRfc7515AppendixA3) {
  const TokenVerifier v = verifier(
      {.required = true,
       .es256_public_key_pem = "-----BEGIN PUBLIC KEY-----\n"
                               "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
                               "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
                               "-----END PUBLIC KEY-----\n"});
  const std::string token =
      "eyJhbGciOiJFUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
      "fQ."
      "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
  EXPECT_EQ(verdict(v, token, std::chrono::seconds(1300819000)), "the token names no conference");
}

TEST(Token, AcceptsEs256AndRefusesAnotherKeys) {
  const Es256Key key, other;
  const TokenVerifier v = verifier({.required = true, .es256_public_key_pem = key.public_pem()});
  EXPECT_EQ(verdict(v, key.sign(GoodClaims)), "ok");
  EXPECT_EQ(verdict(v, other.sign(GoodClaims)), "the token's signature does not hold");
}

TEST(Token, RefusesEveryAlterationOfASignedPart) {
  const TokenVerifier v = hs256_verifier();
  const std::string token = hs256(GoodClaims);
  const size_t signed_end = token.rfind('.');
  for (size_t i = 0; i < signed_end; ++i) {
    std::string altered = token;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    EXPECT_NE(verdict(v, altered), "ok") << i;
  }
}

TEST(Token, RefusesOtherAlgorithmsThanItsKeys) {
  const Es256Key key;
  const TokenVerifier hs_only = hs256_verifier();
  const TokenVerifier es_only =
      verifier({.required = true, .es256_public_key_pem = key.public_pem()});
  const std::string does_not_hold = "the token's signature does not hold";
  EXPECT_EQ(verdict(hs_only, encode(R"({"alg":"none"})") + "." + encode(GoodClaims) + "."),
            does_not_hold);
  EXPECT_EQ(verdict(hs_only, hs256(GoodClaims, R"({"alg":"none"})")), does_not_hold);
  EXPECT_EQ(verdict(hs_only, hs256(GoodClaims, R"({"alg":"HS512"})")), does_not_hold);
  EXPECT_EQ(verdict(hs_only, hs256(GoodClaims, R"({"alg":7})")), does_not_hold);
  EXPECT_EQ(verdict(hs_only, hs256(GoodClaims, R"({})")), does_not_hold);
  EXPECT_EQ(verdict(hs_only, key.sign(GoodClaims)), does_not_hold);
  // The public key is public: it must not serve as an HMAC secret.
  EXPECT_EQ(verdict(es_only, hs256(GoodClaims, R"({"alg":"HS256"})", key.public_pem())),
            does_not_hold);
  EXPECT_EQ(verdict(es_only, hs256(GoodClaims, R"({"alg":"HS256"})", "")), does_not_hold);
}

TEST(Token, RefusesACriticalExtension) {
  EXPECT_NE(
      verdict(hs256_verifier(), hs256(GoodClaims, R"({"alg":"HS256","crit":["b64"],"b64":false})")),
      "ok");
}

TEST(Token, HoldsFromNbfToExpGiveOrTakeTheSkew) {
  const TokenVerifier v = hs256_verifier();
  const std::string token = hs256(R"({"nbf":1000,"exp":2000,"conference":"c"})");
  const auto at = [](int64_t s) { return Duration(std::chrono::seconds(s)); };
  EXPECT_EQ(verdict(v, token, at(969)), "the token is not valid yet");
  EXPECT_EQ(verdict(v, token, at(970)), "ok");
  EXPECT_EQ(verdict(v, token, at(2029)), "ok");
  EXPECT_EQ(verdict(v, token, at(2030)), "the token has expired");
}

TEST(Token, NeedsAnExpiryThatIsANumber) {
  const TokenVerifier v = hs256_verifier();
  EXPECT_EQ(verdict(v, hs256(R"({"conference":"c"})")), "the token does not say when it expires");
  EXPECT_EQ(verdict(v, hs256(R"({"conference":"c","exp":"never"})")),
            "the token does not say when it expires");
  EXPECT_EQ(verdict(v, hs256(R"({"conference":"c","exp":1800000060,"nbf":"x"})")),
            "the token is not valid yet");
}

TEST(Token, ChecksIssuerAndAudienceOnlyWhereTheyAreSet) {
  const TokenVerifier v =
      verifier({.required = true, .hs256_secret = Secret, .issuer = "joe", .audience = "viaduct"});
  const auto token = [](std::string more) {
    return hs256(R"({"exp":1800000060,"conference":"c")" + more + "}");
  };
  EXPECT_EQ(verdict(v, token(R"(,"iss":"joe","aud":"viaduct")")), "ok");
  EXPECT_EQ(verdict(v, token(R"(,"iss":"joe","aud":["x","viaduct"])")), "ok");
  EXPECT_EQ(verdict(v, token(R"(,"iss":"jim","aud":"viaduct")")),
            "the token comes from another issuer");
  EXPECT_EQ(verdict(v, token(R"(,"iss":"joe","aud":["x",7])")),
            "the token is meant for another service");
  EXPECT_EQ(verdict(v, token(R"(,"iss":"joe")")), "the token is meant for another service");
  EXPECT_EQ(verdict(hs256_verifier(), token("")), "ok");
}

TEST(Token, RefusesWhatIsNoToken) {
  const TokenVerifier v = hs256_verifier();
  for (const std::string text :
       {"", ".", "..", "a.b", "a.b.c.d", "!!.??.##", "e30.e30.e30", "e30=.e30.e30"}) {
    EXPECT_NE(verdict(v, text), "ok") << text;
  }
  EXPECT_EQ(verdict(v, std::string(TokenVerifier::MaxBytes + 1, 'a')), "the token is too long");
  EXPECT_EQ(verdict(v, hs256("[1]")), "the token carries no claims");
  EXPECT_EQ(verdict(v, hs256(std::string(5000, '['))), "the token carries no claims");
  EXPECT_EQ(verdict(v, hs256(R"({"exp":1800000060,"conference":"c","name":"\n"})")),
            "the token's name is not a name");
}

TEST(Token, RefusesSettingsThatCannotProtectAnything) {
  EXPECT_FALSE(TokenVerifier::create({.required = true}).ok());
  EXPECT_FALSE(TokenVerifier::create({.hs256_secret = "short"}).ok());
  EXPECT_FALSE(
      TokenVerifier::create({.es256_public_key_pem = "-----BEGIN PUBLIC KEY-----\nAAAA\n"}).ok());
  EXPECT_FALSE(
      TokenVerifier::create({.es256_public_key_pem = Es256Key("P-384").public_pem()}).ok());
  EXPECT_TRUE(TokenVerifier::create({}).ok());
}

TEST(Base64Url, IsStrict) {
  EXPECT_EQ(decode_base64url(""), "");
  EXPECT_EQ(decode_base64url("Zg"), "f");
  EXPECT_EQ(decode_base64url("Zm9vYmFy"), "foobar");
  EXPECT_EQ(decode_base64url("-_8"), "\xfb\xff");
  for (const char* bad : {"Z", "Zm9vY", "Zh", "Zg==", "Zm 9", "+/8", "Zm9\n"})
    EXPECT_EQ(decode_base64url(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace viaduct::control
