// A worker with its real thread, sockets on loopback and the handshake thread beside it: what the
// simulation leaves out.
#include "worker.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>

#include "base/clock.h"
#include "edge/reference_cipher.h"
#include "edge/socket_io.h"
#include "path/handshake_service.h"
#include "tests/support/fake_client.h"

namespace viaduct {
namespace {

using conference::ConferenceId;
using conference::EndpointId;

class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest() : certificate_(*dtls::Certificate::make(random_, wall_since_1970())) {
    auto io = edge::SocketIo::open(
        {.bind_addresses = {*IpAddress::parse("127.0.0.1")}, .pool_packets = 4096, .worker = "0"});
    CHECK(io.ok());
    port_ = (*io)->port();
    Worker::Parts parts{std::move(*io),
                        std::make_unique<edge::ReferenceCipher>(edge::Direction::Unprotect, 16),
                        std::make_unique<edge::ReferenceCipher>(edge::Direction::Protect, 16)};
    worker_ = std::make_unique<Worker>(0, std::move(parts),
                                       std::vector<codec::CodecType>{codec::CodecType::Vp8},
                                       certificate_.fingerprint(), bell_);
    service_ = std::make_unique<path::HandshakeService>(*dtls::Context::make(certificate_));
    service_->serve(worker_->handshake_port());
    worker_->start();
    handshakes_ = std::thread([this] {
      while (!stop_) {
        service_->turn(monotonic_now());
        if (worker_->handshake_port().has_replies()) worker_->wake();
        bell_.wait(5ms);
      }
    });
  }
  ~WorkerTest() override {
    worker_->send(conference::Stop{});
    worker_->join();
    stop_ = true;
    bell_.ring();
    handshakes_.join();
  }

  // The next report of the type, waiting for the worker's eventfd; null after ten seconds without.
  template <typename R>
  std::optional<R> next_report() {
    for (const Timestamp end = monotonic_now() + 10s; monotonic_now() < end;) {
      while (auto report = worker_->poll()) {
        if (R* one = std::get_if<R>(&*report)) return std::move(*one);
      }
      pollfd fd{worker_->report_fd(), POLLIN, 0};
      ::poll(&fd, 1, 100);
      uint64_t rung = 0;
      [[maybe_unused]] const ssize_t n = read(worker_->report_fd(), &rung, sizeof rung);
    }
    return std::nullopt;
  }

  SystemRandom random_;
  dtls::Certificate certificate_;
  Bell bell_;
  uint16_t port_ = 0;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<path::HandshakeService> service_;
  std::atomic<bool> stop_{false};
  std::thread handshakes_;
};

TEST_F(WorkerTest, AnswersASnapshotWhileItTurns) {
  ASSERT_TRUE(worker_->send(conference::TakeSnapshot{42}));
  const auto taken = next_report<conference::SnapshotTaken>();
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->request, 42u);
  EXPECT_TRUE(taken->snapshot.conferences.empty());
}

TEST_F(WorkerTest, SaysOnceASecondHowBusyItIs) {
  const auto load = next_report<conference::LoadMeasured>();
  ASSERT_TRUE(load);
  EXPECT_GE(load->busy, 0.0);
  EXPECT_LE(load->busy, 1.0);
}

TEST_F(WorkerTest, SaysThatItHasStopped) {
  ASSERT_TRUE(worker_->send(conference::Stop{}));
  EXPECT_TRUE(next_report<conference::Stopped>());
}

// Two clients on the real network of loopback, driven by this thread, talk through the worker's
// threads.
TEST_F(WorkerTest, CarriesTwoClientsBetweenRealSocketsAndThreads) {
  testing::SimulatedNetwork unused(1);  // the clients' outbox and inbox; this test moves the bytes
  const SocketAddress bridge{*IpAddress::parse("127.0.0.1"), port_};
  unused.attach(bridge);
  struct Peer {
    std::unique_ptr<testing::FakeClient> client;
    std::unique_ptr<edge::SocketIo> io;
  };
  std::vector<Peer> peers;
  const auto certificate = *dtls::Certificate::make(random_, wall_since_1970());
  for (uint32_t i = 1; i <= 2; ++i) {
    Peer peer;
    peer.io = std::move(*edge::SocketIo::open(
        {.bind_addresses = {bridge.ip}, .pool_packets = 512, .worker = "peer"}));
    testing::FakeClient::Options options;
    options.number = i;
    options.address = {bridge.ip, peer.io->port()};
    peer.client = std::make_unique<testing::FakeClient>(options, unused, certificate, random_);
    conference::AddEndpoint command{ConferenceId{1}, "room", peer.client->describe(EndpointId{i})};
    ASSERT_TRUE(worker_->send(std::move(command)));
    peer.client->connect(bridge, certificate_.fingerprint(), monotonic_now());
    peers.push_back(std::move(peer));
  }

  const auto heard = [&](size_t i) {
    return peers[i].client->received_from(static_cast<uint32_t>(2 - i), codec::MediaKind::Audio);
  };
  for (const Timestamp end = monotonic_now() + 20s;
       monotonic_now() < end && (heard(0) < 20 || heard(1) < 20);) {
    const Timestamp now = monotonic_now();
    for (Peer& p : peers) {
      std::array<Packet, 32> in;
      const size_t n = p.io->receive(in, now);
      for (size_t k = 0; k < n; ++k) unused.send(bridge, p.client->address(), in[k].bytes(), now);
      p.io->release(std::span(in).first(n));
      p.client->turn(now);
    }
    for (const testing::Datagram& d : unused.receive(bridge, now)) {
      Peer& from = d.from == peers[0].client->address() ? peers[0] : peers[1];
      Packet out;
      ASSERT_EQ(from.io->allocate({&out, 1}), 1u);
      std::ranges::copy(d.bytes, out.buffer + out.offset);
      out.length = static_cast<uint32_t>(d.bytes.size());
      out.peer = bridge;
      from.io->send({&out, 1});
    }
    peers[0].io->wait(1ms);
  }
  EXPECT_GE(heard(0), 20u);
  EXPECT_GE(heard(1), 20u);
  EXPECT_TRUE(peers[0].client->faults().empty());
  EXPECT_TRUE(next_report<conference::EndpointConnected>());
}

}  // namespace
}  // namespace viaduct
