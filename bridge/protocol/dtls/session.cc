#include "protocol/dtls/session.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "limits.h"

namespace viaduct::dtls {
namespace {

constexpr std::string_view ExporterLabel = "EXTRACTOR-dtls_srtp";  // RFC 5764 section 4.2

constexpr size_t LeastPathBytes = 576;      // RFC 791: what every host takes
constexpr size_t IpAndUdpHeaderBytes = 48;  // of IPv6, the longer ones

// The profile that the handshake has settled on by now.
const SRTP_PROTECTION_PROFILE* selected_profile(SSL* ssl) { return SSL_get_selected_srtp_profile(ssl); }

// Why the last call into OpenSSL failed, in its words.
std::string openssl_reason() {
  const unsigned long error = ERR_peek_last_error();
  const char* reason = error != 0 ? ERR_reason_error_string(error) : nullptr;
  return reason != nullptr ? reason : "the peer's messages make no sense";
}

std::string group_name(SSL* ssl) {
  const int nid = static_cast<int>(SSL_get_negotiated_group(ssl));
  const char* name = EC_curve_nid2nist(nid);
  if (name == nullptr) name = OBJ_nid2sn(nid);
  return name != nullptr ? name : "unknown";
}

}  // namespace

void Session::FreeSsl::operator()(ssl_st* ssl) const { SSL_free(ssl); }

Session::Session(const Context& context, Role role, Fingerprint expected_remote, Timestamp now)
    : role_(role), expected_remote_(std::move(expected_remote)), give_up_at_(now + limits::HandshakeTimeout) {
  if (Result<void> usable = check_fingerprint(expected_remote_); !usable) {
    fail(usable.error().text);
    return;
  }
  start(context);
  drive(now);
}

Session::~Session() = default;

void Session::start(const Context& context) {
  ssl_.reset(SSL_new(context.get()));
  BIO* bio = ssl_ ? bio_.make_bio() : nullptr;
  if (bio == nullptr) {
    fail("OpenSSL could not start a DTLS session.");
    return;
  }
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_mtu(ssl_.get(), static_cast<long>(limits::DtlsMtuBytes));
  if (role_ == Role::Server) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
  }
}

void Session::handle(Bytes datagram, Timestamp now) {
  if (!ssl_ || datagram.empty()) return;
  if (state_ == State::Handshaking) {
    received_bytes_ += datagram.size();
    if (received_bytes_ > limits::HandshakeBytes) {
      fail("The peer sent more than " + std::to_string(limits::HandshakeBytes) + " bytes for one DTLS handshake.");
      return;
    }
  }
  bio_.offer(datagram);
  drive(now);
  bio_.withdraw();
}

void Session::handle_timeout(Timestamp now) {
  if (!ssl_) return;
  if (state_ == State::Handshaking && now >= give_up_at_) {
    fail("The DTLS handshake was not done within " +
         std::to_string(std::chrono::duration_cast<std::chrono::seconds>(limits::HandshakeTimeout).count()) + " s.");
    return;
  }
  ERR_clear_error();
  if (DTLSv1_handle_timeout(ssl_.get()) < 0) {
    fail("The DTLS handshake failed: " + openssl_reason() + ".");
    return;
  }
  drive(now);
}

void Session::narrow_path(size_t bytes) {
  if (!ssl_) return;
  const size_t datagram = std::max(bytes, LeastPathBytes) - IpAndUdpHeaderBytes;
  if (datagram >= bio_.mtu()) return;
  bio_.set_mtu(datagram);
  SSL_set_mtu(ssl_.get(), static_cast<long>(datagram));
}

void Session::close() {
  if (state_ == State::Connected) SSL_shutdown(ssl_.get());  // queues close_notify; the peer's own is not waited for
  if (state_ != State::Failed) end(State::Closed);
}

KeyingMaterial Session::export_keys() {
  CHECK(state_ == State::Connected && !exported_);
  exported_ = true;
  srtp::SecretBytes<KeyingMaterial::MaxBytes> exported;
  CHECK(SSL_export_keying_material(ssl_.get(), exported.data(), KeyingMaterial::exported_bytes(info_.profile),
                                   ExporterLabel.data(), ExporterLabel.size(), nullptr, 0, 0) == 1);
  return KeyingMaterial(info_.profile, role_ == Role::Client, std::move(exported));
}

// The SRTP profile is settled before certificates are: the server chose it with its ServerHello.
int Session::judge_peer(const x509_st& certificate) {
  if (selected_profile(ssl_.get()) == nullptr) {
    refusal_ = "The peer supports no SRTP profile that the bridge does.";
    return X509_V_ERR_APPLICATION_VERIFICATION;
  }
  const Fingerprint shown = fingerprint_of(certificate, expected_remote_.algorithm);
  peer_accepted_ = shown.digest.size() == expected_remote_.digest.size() &&
                   CRYPTO_memcmp(shown.digest.data(), expected_remote_.digest.data(), shown.digest.size()) == 0;
  if (peer_accepted_) return X509_V_OK;
  refusal_ = "The peer's certificate is not the one that its session description names.";
  return X509_V_ERR_CERT_REJECTED;
}

// Lets OpenSSL work on whatever has come, then asks it when it wants to be woken.
void Session::drive(Timestamp now) {
  if (!ssl_) return;
  ERR_clear_error();
  if (state_ == State::Handshaking) shake_hands();
  if (state_ == State::Connected) discard_application_data();
  if (!ssl_) return;

  next_deadline_ = state_ == State::Handshaking ? give_up_at_ : Never;
  timeval left{};
  if (DTLSv1_get_timeout(ssl_.get(), &left) == 1) {
    const Duration wait = std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
    next_deadline_ = std::min(next_deadline_, now + wait);
  }
}

void Session::shake_hands() {
  const int done = SSL_do_handshake(ssl_.get());
  if (done == 1) {
    connected();
    return;
  }
  const int error = SSL_get_error(ssl_.get(), done);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
  fail(!refusal_.empty() ? refusal_ : "The DTLS handshake failed: " + openssl_reason() + ".");
}

void Session::connected() {
  const SRTP_PROTECTION_PROFILE* profile = selected_profile(ssl_.get());
  if (!peer_accepted_ || profile == nullptr) {  // no handshake of ours ends here without judge_peer()
    fail("The DTLS handshake ended without a proven peer.");
    return;
  }
  info_.version = SSL_get_version(ssl_.get());
  info_.cipher = SSL_get_cipher_name(ssl_.get());
  info_.group = group_name(ssl_.get());
  info_.profile = static_cast<srtp::SrtpProfile>(profile->id);
  info_.remote = expected_remote_;
  state_ = State::Connected;
}

// Reads on for the sake of alerts and of repeated flights, which OpenSSL answers.
void Session::discard_application_data() {
  std::array<uint8_t, 2048> scratch;
  int got = 0;
  while ((got = SSL_read(ssl_.get(), scratch.data(), static_cast<int>(scratch.size()))) > 0) {
  }
  OPENSSL_cleanse(scratch.data(), scratch.size());
  switch (SSL_get_error(ssl_.get(), got)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return;
    case SSL_ERROR_ZERO_RETURN: close(); return;
    default: fail("The DTLS session broke: " + openssl_reason() + ".");
  }
}

void Session::fail(std::string sentence) {
  failure_ = std::move(sentence);
  end(State::Failed);
}

void Session::end(State state) {
  state_ = state;
  next_deadline_ = Never;
  bio_.withdraw();
  ssl_.reset();
}

}  // namespace viaduct::dtls
