// A packet path in which the test decides everything around it: clients, keys, time, the network,
// when ciphers finish.
//
// It plays the handshake thread itself: whoever has answered ICE gets known keys at once. At the
// end of each test everyone leaves, and every packet buffer and every key must be back.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "edge/reference_cipher.h"
#include "path/packet_path.h"
#include "protocol/rtcp/parse.h"
#include "protocol/rtcp/write.h"
#include "tests/packets/test_client.h"
#include "tests/support/simulated_io.h"

namespace viaduct::testing {

// A ReferenceCipher that can be held up or made to fail, and whose keys are watched.
class StagedCipher final : public edge::BatchCipher {
 public:
  explicit StagedCipher(edge::Direction direction) : inner_(direction, 64) {}

  Result<edge::KeySlot> add_key(const srtp::SrtpKeys& key) override;
  void remove_key(edge::KeySlot slot) override;
  void submit(edge::CipherBatch* batch) override;
  edge::CipherBatch* poll() override;
  const char* name() const override { return "staged"; }

  bool held = false;        // finishes nothing
  bool failing = false;     // finishes everything with AuthFailed
  size_t jobs = 0;          // submitted so far
  std::set<uint32_t> keys;  // in place now, by slot

 private:
  edge::ReferenceCipher inner_;
  std::deque<edge::CipherBatch*> submitted_;
};

// A SimulatedIo in which each datagram ends where its buffer ends, for AddressSanitizer to see a
// step past it.
class TightIo final : public edge::PacketIo {
 public:
  TightIo(SimulatedNetwork& network, const SocketAddress& address) : inner_(network, {address}) {}

  size_t receive(std::span<Packet> into, Timestamp now) override;
  size_t allocate(std::span<Packet> out) override { return inner_.allocate(out); }
  void send(std::span<const Packet> packets) override { inner_.send(packets); }
  void release(std::span<const Packet> packets) override { inner_.release(packets); }
  void wait(Duration) override {}
  void gather(Duration) override {}
  void wake() override {}
  size_t wipe_released(size_t at_most) override {
    most_wiped_at_once = std::max(most_wiped_at_once, at_most);
    return inner_.wipe_released(at_most);
  }
  size_t free_packets() const override { return inner_.free_packets(); }
  std::optional<edge::PathMtu> next_path_mtu() override {
    if (path_news.empty()) return std::nullopt;
    const edge::PathMtu news = path_news.front();
    path_news.pop_front();
    return news;
  }
  size_t unwiped() const { return inner_.unwiped(); }
  size_t pool_size() const { return inner_.pool_size(); }
  std::deque<edge::PathMtu> path_news;  // what the network has said of ways to peers
  size_t most_wiped_at_once = 0;
  bool tight = true;  // false: as any edge gives them, with room behind

 private:
  SimulatedIo inner_;
};

// The same numbers for everyone: a slot begins at 0x1010 and shortly after timestamp 0x10101010.
class ConstantRandom final : public Random {
 public:
  void fill(MutableBytes out) override { std::ranges::fill(out, uint8_t{0x10}); }
};

class PathFixture : public ::testing::Test, public path::TimeSource {
 public:
  PathFixture();
  void TearDown() override;
  Timestamp now() override { return now_; }

  // A client of the conference from which nothing has come yet.
  TestClient& add(TestClient::Options options);
  // The same with ICE and keys.
  TestClient& join(TestClient::Options options);
  TestClient& join(uint32_t number) { return join(TestClient::like_chromium(number)); }
  void leave(TestClient& client);
  // The same, and it has sent a packet of its microphone and one of its camera: others' slots carry
  // it from now on. What anyone has received until then is forgotten.
  struct FirstNumbers {
    uint16_t mic = 100, cam = 200;
  };
  TestClient& join_sender(TestClient::Options options) {
    return join_sender(std::move(options), FirstNumbers());
  }
  TestClient& join_sender(TestClient::Options options, FirstNumbers first);
  TestClient& join_sender(uint32_t number) {
    return join_sender(TestClient::like_chromium(number));
  }

  // What arrives with the next turn.
  void send(const SocketAddress& from, Bytes datagram);
  void send(TestClient& from, Bytes datagram) { send(from.address, datagram); }
  void send(TestClient& from, const Rtp& packet) { send(from, protect(from, packet)); }
  std::vector<uint8_t> protect(TestClient& client, const Rtp& packet);
  // `write(rtcp::CompoundWriter&)` fills a compound packet.
  template <typename Write>
  void send_rtcp(TestClient& from, Write&& write) {
    uint8_t space[1200];
    rtcp::CompoundWriter writer(space);
    write(writer);
    send(from, from.srtp->protect_rtcp(writer.written()));
  }
  // A STUN request that is right but for what the test changes.
  struct Check {
    std::string username, password;
    bool use_candidate = true;
    bool controlled = false;
  };
  Check check_of(const TestClient& client) const {
    return {client.bridge_ufrag + ":" + client.ufrag, client.bridge_password};
  }
  void send_check(const SocketAddress& from, const Check& check);

  // One turn of the path, of the handshake thread and of the clients.
  void turn();
  // Turns every 10 ms, and consent checks as they fall due.
  void run_for(Duration time);
  void send_now(TestClient& from, const Rtp& packet) {
    send(from, packet);
    turn();
  }
  void nack(TestClient& receiver, uint32_t slot_ssrc, const std::vector<uint16_t>& sequences) {
    send_rtcp(receiver,
              [&](rtcp::CompoundWriter& w) { w.nack(receiver.ssrc(1), slot_ssrc, sequences); });
    turn();
  }
  // The receiver's next transport-wide feedback says that these arrive now.
  void report_arrivals(TestClient& receiver, const std::vector<ReceivedRtp>& arrived);
  void pli(TestClient& receiver, uint32_t slot_ssrc) {
    send_rtcp(receiver, [&](rtcp::CompoundWriter& w) { w.pli(receiver.ssrc(1), slot_ssrc); });
    turn();
  }
  // What the handshake thread does with a client that has answered ICE.
  void give_keys(const path::OpenSession& open);
  // As the admin API shows the client.
  conference::EndpointSnapshot snapshot_of(const TestClient& client);

  uint64_t drops(path::Drop reason) const {
    return counters.drops[static_cast<size_t>(reason)].value();
  }
  // The names of all reasons for which something was dropped so far.
  std::vector<std::string> dropped() const;
  void forget_received();
  // Calls f(const rtcp::Packet&) for everything that the client got by RTCP.
  template <typename F>
  static void for_each_rtcp(const TestClient& client, F&& f) {
    for (const auto& compound : client.rtcp) EXPECT_TRUE(rtcp::for_each_packet(compound, f));
  }
  template <typename R>
  std::vector<R> reports_of() const {
    std::vector<R> found;
    for (const auto& r : reports) {
      if (const R* one = std::get_if<R>(&r)) found.push_back(*one);
    }
    return found;
  }
  // Takes packet buffers away, until the edge has just `count` left.
  void leave_free(size_t count);
  void give_packets_back();

  const SocketAddress bridge{IpAddress::v4(0x0a000001), 10'000};
  const NtpClock ntp{Timestamp{}, 1'700'000'000s};
  SimulatedNetwork network{1};
  TightIo io{network, bridge};
  StagedCipher opener{edge::Direction::Unprotect};
  StagedCipher sealer{edge::Direction::Protect};
  path::HandshakePort port;
  std::unique_ptr<audio::MixPort> mix_port = std::move(*audio::MixPort::open());
  path::PathCounters counters{"0"};
  std::vector<conference::Report> reports;
  std::vector<path::HandshakeRequest>
      requests;  // what the handshake thread was asked, but for OpenSession
  std::map<uint32_t, Handle<conference::Endpoint>>
      handles;                      // by the client's number, once it has answered ICE
  bool handshakes_stalled = false;  // the handshake thread takes nothing
  bool gives_keys = true;           // it answers OpenSession

 protected:
  Timestamp now_{10s};

 private:
  void play_handshake_thread();
  void collect(TestClient& client);

  ConstantRandom constant_;
  SeededRandom random_{7};

 public:
  path::PacketPath path;
  std::vector<std::unique_ptr<TestClient>> clients;

 private:
  std::vector<Packet> withheld_;
};

}  // namespace viaduct::testing
