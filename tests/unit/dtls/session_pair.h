// A DTLS client and server joined by a network of the test's making, on virtual time that OpenSSL shares.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "limits.h"
#include "protocol/dtls/certificate.h"
#include "protocol/dtls/context.h"
#include "protocol/dtls/session.h"
#include "tests/support/virtual_gettimeofday.h"

namespace viaduct::dtls {

using ByteVector = std::vector<uint8_t>;

inline constexpr Timestamp Start{1'000'000s};
inline constexpr Duration WallAtStart = 1'750'000'000s;

inline Certificate make_certificate(uint64_t seed) {
  SeededRandom random(seed);
  return Certificate::make(random, WallAtStart).value();
}

// What becomes of one datagram on its way: what arrives in its place.
using Network = std::function<std::vector<ByteVector>(Role from, ByteVector datagram)>;
inline std::vector<ByteVector> perfect_network(Role, ByteVector datagram) { return {std::move(datagram)}; }

struct Side {
  Certificate certificate;
  std::vector<srtp::SrtpProfile> profiles = default_srtp_preference();
};

class SessionPair {
 public:
  SessionPair() : SessionPair({make_certificate(1)}, {make_certificate(2)}) {}
  SessionPair(const Side& client_side, const Side& server_side)
      : SessionPair(client_side, server_side, server_side.certificate.fingerprint(),
                    client_side.certificate.fingerprint()) {}
  // `expected_server` is what the client was told of the server, and the other way round.
  SessionPair(const Side& client_side, const Side& server_side, const Fingerprint& expected_server,
              const Fingerprint& expected_client)
      : client(context_of(client_side), Role::Client, expected_server, now),
        server(context_of(server_side), Role::Server, expected_client, now) {}

  // Carries datagrams to and fro until both sides are silent. Time stands still.
  void exchange(const Network& network = perfect_network) {
    for (bool moved = true; moved;) {
      const bool to_server = carry(client, server, Role::Client, network);
      const bool to_client = carry(server, client, Role::Server, network);
      moved = to_server || to_client;
    }
  }

  // Exchanges, and lets time pass from deadline to deadline while somebody is still shaking hands.
  void shake_hands(const Network& network = perfect_network) {
    exchange(network);
    while (client.state() == Session::State::Handshaking || server.state() == Session::State::Handshaking) {
      const Timestamp next = std::min(client.next_deadline(), server.next_deadline());
      ASSERT_GT(next, now) << "a deadline that time never leaves behind";
      ASSERT_NE(next, Never) << "nobody waits for anything and the handshake is not over";
      advance_to(next);
      exchange(network);
    }
  }

  void advance_to(Timestamp t) {
    now = t;
    testing::set_virtual_time(now);
    for (Session* session : {&client, &server}) {
      if (session->next_deadline() <= now) session->handle_timeout(now);
    }
  }

  bool connected() const {
    return client.state() == Session::State::Connected && server.state() == Session::State::Connected;
  }

  Timestamp now = (testing::set_virtual_time(Start), Start);  // before the sessions, whose timers start with them
  Session client;
  Session server;

 private:
  static Context context_of(const Side& side) { return Context::make(side.certificate, side.profiles).value(); }

  bool carry(Session& from, Session& to, Role role, const Network& network) {
    bool moved = false;
    for (ByteVector datagram; from.poll_output(&datagram); moved = true) {
      EXPECT_LE(datagram.size(), limits::DtlsMtuBytes);
      for (const ByteVector& arrived : network(role, datagram)) to.handle(arrived, now);
    }
    return moved;
  }
};

}  // namespace viaduct::dtls
