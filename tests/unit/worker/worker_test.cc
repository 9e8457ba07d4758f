// A worker with its real thread, sockets on loopback and the handshake thread beside it: what the
// simulation leaves out.
#include "worker.h"

#include <gmock/gmock.h>
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
    service_ = std::make_unique<path::HandshakeService>(*dtls::Context::make(certificate_));
    std::vector<edge::PacketIo*> ios;
    for (uint32_t i = 0; i < 2; ++i) ios.push_back(&add_worker(i));
    for (uint32_t i = 0; i < 2; ++i) workers_[i]->connect_relay(relay_.links_of(i, ios));
    for (const auto& worker : workers_) worker->start();
    handshakes_ = std::thread([this] {
      while (!stop_) {
        service_->turn(monotonic_now());
        for (const auto& worker : workers_) {
          if (worker->handshake_port().has_replies()) worker->wake();
        }
        bell_.wait(5ms);
      }
    });
  }
  ~WorkerTest() override {
    for (const auto& worker : workers_) worker->send(conference::Stop{});
    for (const auto& worker : workers_) worker->join();
    stop_ = true;
    bell_.ring();
    handshakes_.join();
  }
  edge::PacketIo& add_worker(uint32_t number) {
    auto io = edge::SocketIo::open({.bind_addresses = {*IpAddress::parse("127.0.0.1")},
                                    .pool_packets = 4096,
                                    .worker = std::to_string(number)});
    CHECK(io.ok());
    ports_.push_back((*io)->port());
    Worker::Parts parts{std::move(*io),
                        std::make_unique<edge::ReferenceCipher>(edge::Direction::Unprotect, 16),
                        std::make_unique<edge::ReferenceCipher>(edge::Direction::Protect, 16)};
    workers_.push_back(std::make_unique<Worker>(number, std::move(parts),
                                                std::vector<codec::CodecType>{codec::CodecType::Vp8},
                                                certificate_.fingerprint(), bell_));
    service_->serve(workers_.back()->handshake_port());
    return workers_.back()->io();
  }
  Worker& worker() { return *workers_[0]; }

  // The next report of the type, waiting for the worker's eventfd; null after ten seconds without.
  template <typename R>
  std::optional<R> next_report() {
    for (const Timestamp end = monotonic_now() + 10s; monotonic_now() < end;) {
      while (auto report = worker().poll()) {
        if (R* one = std::get_if<R>(&*report)) return std::move(*one);
      }
      pollfd fd{worker().report_fd(), POLLIN, 0};
      ::poll(&fd, 1, 100);
      uint64_t rung = 0;
      [[maybe_unused]] const ssize_t n = read(worker().report_fd(), &rung, sizeof rung);
    }
    return std::nullopt;
  }

  void carry_two(uint32_t worker_of_second);

  SystemRandom random_;
  dtls::Certificate certificate_;
  Bell bell_;
  std::vector<uint16_t> ports_;
  path::RelayMesh relay_{std::move(*path::RelayMesh::open(2))};
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<path::HandshakeService> service_;
  std::atomic<bool> stop_{false};
  std::thread handshakes_;
};

TEST_F(WorkerTest, AnswersASnapshotWhileItTurns) {
  ASSERT_TRUE(worker().send(conference::TakeSnapshot{42}));
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
  ASSERT_TRUE(worker().send(conference::Stop{}));
  EXPECT_TRUE(next_report<conference::Stopped>());
}

// Two clients on the real network of loopback, driven by this thread, talk through the workers'
// threads. The second one is a client of the worker named.
void WorkerTest::carry_two(uint32_t worker_of_second) {
  testing::SimulatedNetwork unused(1);  // the clients' outbox and inbox; this test moves the bytes
  for (const uint16_t port : ports_) unused.attach({*IpAddress::parse("127.0.0.1"), port});
  struct Peer {
    std::unique_ptr<testing::FakeClient> client;
    std::unique_ptr<edge::SocketIo> io;
    SocketAddress bridge;
  };
  std::vector<Peer> peers;
  const auto certificate = *dtls::Certificate::make(random_, wall_since_1970());
  for (uint32_t i = 1; i <= 2; ++i) {
    const uint32_t home = i == 1 ? 0 : worker_of_second;
    Peer peer;
    peer.bridge = {*IpAddress::parse("127.0.0.1"), ports_[home]};
    peer.io = std::move(*edge::SocketIo::open(
        {.bind_addresses = {peer.bridge.ip}, .pool_packets = 512, .worker = "peer"}));
    testing::FakeClient::Options options;
    options.number = i;
    options.address = {peer.bridge.ip, peer.io->port()};
    peer.client = std::make_unique<testing::FakeClient>(options, unused, certificate, random_);
    auto description = peer.client->describe(EndpointId{i});
    if (worker_of_second != 0) {
      ASSERT_TRUE(workers_[1 - home]->send(conference::AddEndpoint{
          ConferenceId{1}, "room", std::make_unique<conference::EndpointDescription>(
                                       relayed_description(*description, home)),
          {}}));
    }
    ASSERT_TRUE(workers_[home]->send(
        conference::AddEndpoint{ConferenceId{1}, "room", std::move(description), {}}));
    peer.client->connect(peer.bridge, certificate_.fingerprint(), monotonic_now());
    peers.push_back(std::move(peer));
  }

  const auto heard = [&](size_t i) {
    return peers[i].client->received_from(static_cast<uint32_t>(2 - i), codec::MediaKind::Audio);
  };
  const auto seen = [&](size_t i) {
    return peers[i].client->received_from(static_cast<uint32_t>(2 - i), codec::MediaKind::Video);
  };
  const auto enough = [&](size_t i) { return heard(i) >= 20 && seen(i) >= 20; };
  for (const Timestamp end = monotonic_now() + 20s;
       monotonic_now() < end && !(enough(0) && enough(1));) {
    const Timestamp now = monotonic_now();
    for (Peer& p : peers) {
      std::array<Packet, 32> in;
      const size_t n = p.io->receive(in, now);
      for (size_t k = 0; k < n; ++k) unused.send(p.bridge, p.client->address(), in[k].bytes(), now);
      p.io->release(std::span(in).first(n));
      p.client->turn(now);
    }
    for (const uint16_t port : ports_) {
      const SocketAddress bridge{peers[0].bridge.ip, port};
      for (const testing::Datagram& d : unused.receive(bridge, now)) {
        Peer& from = d.from == peers[0].client->address() ? peers[0] : peers[1];
        Packet out;
        ASSERT_EQ(from.io->allocate({&out, 1}), 1u);
        std::ranges::copy(d.bytes, out.buffer + out.offset);
        out.length = static_cast<uint32_t>(d.bytes.size());
        out.peer = bridge;
        from.io->send({&out, 1});
      }
    }
    peers[0].io->wait(1ms);
  }
  EXPECT_TRUE(enough(0));
  EXPECT_TRUE(enough(1));
  EXPECT_TRUE(peers[0].client->faults().empty());
  EXPECT_TRUE(next_report<conference::EndpointConnected>());
}

// Takes the labels of one gauge.
class EngineReader final : public MetricVisitor {
 public:
  void counter(std::string_view, std::string_view, MetricLabels, double) override {}
  void gauge(std::string_view name, std::string_view, MetricLabels labels, double value) override {
    if (name != "viaduct_cipher_engine") return;
    EXPECT_EQ(value, 1);
    std::string line;
    for (const auto& [key, label] : labels) (line += key) += "=" + std::string(label) + " ";
    lines.push_back(line);
  }
  void histogram(std::string_view, std::string_view, MetricLabels, std::span<const double>,
                 std::span<const uint64_t>, double) override {}

  std::vector<std::string> lines;
};

TEST_F(WorkerTest, ShowsWhichCipherEnginesItRunsOn) {
  EngineReader reader;
  worker().visit(reader);
  EXPECT_THAT(reader.lines,
              ::testing::ElementsAre("worker=0 direction=unprotect engine=reference ",
                                     "worker=0 direction=protect engine=reference "));
}
TEST_F(WorkerTest, CarriesTwoClientsBetweenRealSocketsAndThreads) { carry_two(0); }

TEST_F(WorkerTest, CarriesTwoClientsOfDifferentWorkersByTheirRelay) { carry_two(1); }

}  // namespace
}  // namespace viaduct
