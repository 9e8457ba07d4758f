// One DTLS-SRTP handshake and what comes after (RFC 6347, RFC 5764), sans-IO: datagrams and time in, datagrams out.
//
// The peer must show a certificate whose fingerprint the signalling channel named, prove that it holds its key,
// and agree on an SRTP profile; anything else ends in Failed. Application data (data channels) is read and
// dropped. What a peer can make this hold is bounded: received bytes and time by limits.h, datagrams to send by
// DatagramBio.
//
// OpenSSL's retransmission timer reads the system's clock by itself. Deadlines are told as `now` plus what is
// left on that timer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "protocol/dtls/certificate.h"
#include "protocol/dtls/context.h"
#include "protocol/dtls/datagram_bio.h"
#include "protocol/dtls/keying_material.h"
#include "protocol/srtp/srtp_profile.h"

struct ssl_st;
struct x509_store_ctx_st;

namespace viaduct::dtls {

enum class Role : uint8_t { Server, Client };
constexpr const char* to_string(Role r) { return r == Role::Server ? "server" : "client"; }

// What was agreed, for the API and the screen.
struct SessionInfo {
  std::string version;        // "DTLSv1.2"
  std::string cipher;         // "ECDHE-ECDSA-AES128-GCM-SHA256"
  std::string group;          // "X25519"
  srtp::SrtpProfile profile{};
  Fingerprint remote;         // of the certificate that the peer proved, in the algorithm of the expected one
};

// Stays where it was made: OpenSSL's callbacks point to it.
class Session {
 public:
  enum class State : uint8_t { Handshaking, Connected, Failed, Closed };

  // A client has its ClientHello in the output queue at once. A fingerprint that proves nothing makes the
  // session Failed.
  Session(const Context& context, Role role, Fingerprint expected_remote, Timestamp now);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void handle(Bytes datagram, Timestamp now);
  void handle_timeout(Timestamp now);
  // The way to the peer takes IP packets of at most `bytes` (RFC 6347 section 4.1.1.1): from now on datagrams are no
  // longer, also those that are sent again. Never raises what was lowered, nor goes below what every network takes.
  void narrow_path(size_t bytes);
  // When to call handle_timeout(); Never when there is nothing to wait for. Changes with every call above.
  Timestamp next_deadline() const { return next_deadline_; }
  // Takes the oldest datagram to send, at most limits::DtlsMtuBytes long. False when there is none. What was
  // queued before Failed or Closed (an alert) is still given out.
  bool poll_output(std::vector<uint8_t>* datagram) { return bio_.poll_output(datagram); }

  State state() const { return state_; }
  const std::string& failure() const { return failure_; }  // one sentence, once Failed
  const SessionInfo& info() const { return info_; }        // once Connected

  // The SRTP keys. Once, and only while Connected.
  KeyingMaterial export_keys();

  // Queues close_notify if Connected; the session is Closed.
  void close();

  // Called from OpenSSL while the peer's certificate is judged; a number of x509_vfy.h, X509_V_OK when the peer
  // is who it must be.
  int judge_peer(const x509_st& certificate);

 private:
  struct FreeSsl { void operator()(ssl_st* ssl) const; };

  void start(const Context& context);
  void drive(Timestamp now);
  void shake_hands();
  void connected();
  void discard_application_data();
  void fail(std::string sentence);
  void end(State state);

  const Role role_;
  const Fingerprint expected_remote_;
  const Timestamp give_up_at_;
  DatagramBio bio_;
  std::unique_ptr<ssl_st, FreeSsl> ssl_;  // gone once Failed or Closed, and OpenSSL's copies of the secrets with it
  State state_ = State::Handshaking;
  Timestamp next_deadline_ = Never;
  size_t received_bytes_ = 0;
  bool peer_accepted_ = false;
  bool exported_ = false;
  std::string refusal_;                   // why judge_peer() said no
  std::string failure_;
  SessionInfo info_;
};

}  // namespace viaduct::dtls
