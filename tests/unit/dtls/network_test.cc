// Handshakes over networks that lose, cut, repeat and forge, on virtual time.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "tests/unit/dtls/dtls_records.h"
#include "tests/unit/dtls/session_pair.h"

namespace viaduct::dtls {
namespace {

using State = Session::State;

// Every second or third is left out: flights have so few datagrams that such a rhythm can lose the same one for
// ever.
TEST(DtlsNetwork, CompletesWhenEveryNthDatagramIsLost) {
  for (int n : {4, 5, 7}) {
    SessionPair pair;
    int sent = 0;
    pair.shake_hands([&](Role, ByteVector datagram) -> std::vector<ByteVector> {
      if (++sent % n == 0) return {};
      return {std::move(datagram)};
    });
    EXPECT_TRUE(pair.connected()) << "every " << n << "th: " << pair.client.failure() << pair.server.failure();
  }
}

TEST(DtlsNetwork, CompletesWhenOneInTenDatagramsIsLostAtRandom) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SeededRandom random(seed);
    SessionPair pair;
    pair.shake_hands([&](Role, ByteVector datagram) -> std::vector<ByteVector> {
      if (random.chance(0.1)) return {};
      return {std::move(datagram)};
    });
    EXPECT_TRUE(pair.connected()) << "seed " << seed << ": " << pair.client.failure() << pair.server.failure();
  }
}

TEST(DtlsNetwork, CompletesWhenDatagramsComeTwiceAndOutOfOrder) {
  SessionPair pair;
  std::map<Role, ByteVector> held;
  int sent = 0;
  pair.shake_hands([&](Role from, ByteVector datagram) -> std::vector<ByteVector> {
    if (++sent % 2 == 0) {
      const ByteVector late = std::exchange(held[from], {});
      return late.empty() ? std::vector{datagram, datagram} : std::vector{datagram, late, datagram};
    }
    const ByteVector late = std::exchange(held[from], datagram);
    return late.empty() ? std::vector<ByteVector>{} : std::vector<ByteVector>{late};
  });
  EXPECT_TRUE(pair.connected());
}

TEST(DtlsNetwork, RepeatsALostFlightAfterOneThreeSevenAndFifteenSeconds) {
  SessionPair pair;
  std::vector<int64_t> sent_ms;
  const Network black_hole = [&](Role, const ByteVector&) -> std::vector<ByteVector> {
    sent_ms.push_back(to_ms(pair.now - Start));
    return {};
  };
  pair.exchange(black_hole);
  while (pair.client.state() == State::Handshaking && pair.client.next_deadline() < Start + 20s) {
    pair.advance_to(pair.client.next_deadline());
    pair.exchange(black_hole);
  }
  EXPECT_EQ(sent_ms, (std::vector<int64_t>{0, 1'000, 3'000, 7'000, 15'000}));
}

// What a router says of a datagram that is too long for it, a tunnel's for example.
TEST(DtlsNetwork, SendsALostFlightAgainInDatagramsThatFitWhenItHearsThatThePathIsNarrow) {
  constexpr size_t Narrow = 576;
  constexpr size_t HeaderBytes = 48;
  SessionPair pair;
  bool told = false;
  pair.shake_hands([&](Role from, ByteVector datagram) -> std::vector<ByteVector> {
    const bool fits = from == Role::Client || datagram.size() + HeaderBytes <= Narrow;
    EXPECT_TRUE(fits || !told) << datagram.size();
    if (!fits) pair.server.narrow_path(Narrow);
    told = told || !fits;
    if (!fits) return {};
    return {std::move(datagram)};
  });
  EXPECT_TRUE(told) << "or nothing was too long";
  EXPECT_TRUE(pair.connected()) << pair.client.failure() << pair.server.failure();
}

TEST(DtlsNetwork, NeverBelievesThatAPathIsWiderThanItBeganOrNarrowerThanANetworkCanBe) {
  SessionPair pair;
  pair.server.narrow_path(9'000);
  pair.client.narrow_path(0);
  pair.exchange([](Role from, ByteVector datagram) -> std::vector<ByteVector> {
    EXPECT_LE(datagram.size(), from == Role::Client ? 576u - 48u : limits::DtlsMtuBytes);
    return {std::move(datagram)};
  });
  EXPECT_TRUE(pair.connected()) << pair.client.failure() << pair.server.failure();
}

TEST(DtlsNetwork, GivesUpAfterTheHandshakeTimeout) {
  SessionPair pair;
  const Network black_hole = [](Role, const ByteVector&) -> std::vector<ByteVector> { return {}; };
  pair.shake_hands(black_hole);
  EXPECT_EQ(pair.client.state(), State::Failed);
  EXPECT_EQ(pair.server.state(), State::Failed);
  EXPECT_EQ(pair.client.failure(), "The DTLS handshake was not done within 30 s.");
  EXPECT_EQ(pair.now - Start, limits::HandshakeTimeout);
}

TEST(DtlsNetwork, AnswersARepeatedLastFlightAfterItIsConnected) {
  SessionPair pair;
  // The server is done once it has sent its last flight; lose that, and the client asks again.
  bool lost = false;
  pair.exchange([&](Role from, ByteVector datagram) -> std::vector<ByteVector> {
    if (from == Role::Server && pair.server.state() == State::Connected && !std::exchange(lost, true)) return {};
    return {std::move(datagram)};
  });
  ASSERT_TRUE(lost);
  ASSERT_EQ(pair.server.state(), State::Connected);
  ASSERT_EQ(pair.client.state(), State::Handshaking);
  pair.shake_hands();
  EXPECT_TRUE(pair.connected());
}

// Cuts the ClientHello into `pieces` datagrams, as browsers' come, and moves the client's later sequence
// numbers up to fit.
class FragmentedClientHello {
 public:
  explicit FragmentedClientHello(size_t pieces, bool reversed) : pieces_(pieces), reversed_(reversed) {}

  std::vector<ByteVector> operator()(Role from, const ByteVector& datagram) const {
    if (from == Role::Server) return {datagram};
    std::vector<ByteVector> arriving;
    for (ByteVector& record : split_records(datagram)) {
      if (epoch_of(record) != 0) {
        arriving.push_back(record);
      } else if (carries(record, ClientHelloMessage)) {
        arriving = fragment(record, pieces_, sequence_of(record) * pieces_);
        if (reversed_) std::ranges::reverse(arriving);
      } else {
        set_sequence(record, sequence_of(record) + pieces_ - 1);
        arriving.push_back(record);
      }
    }
    return arriving;
  }

 private:
  size_t pieces_;
  bool reversed_;
};

TEST(DtlsNetwork, ServerReassemblesAClientHelloFromFragmentsInAnyOrder) {
  for (size_t pieces : {2, 3, 9}) {
    for (bool reversed : {false, true}) {
      SessionPair pair;
      pair.exchange(FragmentedClientHello(pieces, reversed));
      EXPECT_TRUE(pair.connected()) << pieces << " pieces" << (reversed ? ", last first" : "") << ": "
                                    << pair.server.failure();
    }
  }
}

// The signature that proves the peer's key travels in clear; whoever changes it must not get through.
TEST(DtlsNetwork, RefusesAProofThatWasChangedOnTheWay) {
  for (uint8_t message : {ServerKeyExchangeMessage, CertificateVerifyMessage}) {
    SessionPair pair;
    int changed = 0;
    pair.exchange([&](Role, const ByteVector& datagram) -> std::vector<ByteVector> {
      ByteVector arriving;
      for (ByteVector& record : split_records(datagram)) {
        if (carries(record, message)) {
          record.back() ^= 1;
          ++changed;
        }
        arriving.insert(arriving.end(), record.begin(), record.end());
      }
      return {arriving};
    });
    EXPECT_EQ(changed, 1);
    const Session& verifier = message == ServerKeyExchangeMessage ? pair.client : pair.server;
    EXPECT_EQ(verifier.state(), State::Failed);
    EXPECT_FALSE(pair.connected());
  }
}

TEST(DtlsNetwork, BoundsWhatAFloodCanDo) {
  SeededRandom random(4);
  for (int kind = 0; kind < 3; ++kind) {
    SessionPair pair;
    ByteVector hello;
    ASSERT_TRUE(pair.client.poll_output(&hello));
    size_t received = 0, sent = 0;
    for (int i = 0; i < 1'000 && pair.server.state() == State::Handshaking; ++i) {
      ByteVector datagram;
      if (kind == 0) {  // noise behind a first byte that says DTLS
        datagram.resize(1'200);
        random.fill(datagram);
        datagram[0] = HandshakeRecord;
      } else if (kind == 1) {  // fragments that never become a message
        datagram = fragment(hello, 4, static_cast<uint64_t>(i))[1];
      } else {  // whole ClientHellos, each under a new sequence number
        datagram = hello;
        set_sequence(datagram, static_cast<uint64_t>(i));
      }
      received += datagram.size();
      pair.server.handle(datagram, pair.now);
      for (ByteVector out; pair.server.poll_output(&out);) sent += out.size();
    }
    EXPECT_NE(pair.server.state(), State::Connected);
    EXPECT_LE(received, limits::HandshakeBytes + 1'200) << "kind " << kind;
    EXPECT_LE(sent, received * 10) << "kind " << kind;
  }
}

TEST(DtlsNetwork, QueuesAFewDatagramsAtMostForSomeoneWhoNeverReads) {
  SessionPair pair;
  ByteVector hello;
  ASSERT_TRUE(pair.client.poll_output(&hello));
  for (uint64_t i = 0; i < 200; ++i) {
    set_sequence(hello, i);
    pair.server.handle(hello, pair.now);
    if (pair.server.next_deadline() != Never) pair.advance_to(pair.server.next_deadline());
  }
  size_t queued = 0;
  for (ByteVector out; pair.server.poll_output(&out);) ++queued;
  EXPECT_GT(queued, 0u);
  EXPECT_LE(queued, DatagramBio::QueuedDatagrams);
}

TEST(DtlsNetwork, SurvivesBytesOfARealHandshakeChangedAtRandom) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SeededRandom random(seed);
    SessionPair pair;
    pair.shake_hands([&](Role, ByteVector datagram) -> std::vector<ByteVector> {
      if (random.chance(0.3)) datagram[random.below(datagram.size())] ^= static_cast<uint8_t>(1 + random.below(255));
      if (random.chance(0.1)) datagram.resize(random.below(datagram.size() + 1));
      return {std::move(datagram)};
    });
    for (const Session* session : {&pair.client, &pair.server}) {
      EXPECT_NE(session->state(), State::Handshaking) << "seed " << seed;
      EXPECT_EQ(session->failure().empty(), session->state() != State::Failed) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace viaduct::dtls
