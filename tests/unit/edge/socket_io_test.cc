// The kernel socket edge over real loopback sockets, on ports that the kernel chooses.
#include "edge/socket_io.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <thread>

#include "limits.h"
#include "tests/unit/edge/socket_io_helpers.h"

namespace viaduct::edge {
namespace {

using ::testing::HasSubstr;

uint64_t refused(const SocketIo& io, SendRefusal reason) {
  return io.counters().refused[static_cast<size_t>(reason)].value();
}

class SocketIoOn : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (ip(GetParam()).is_v6() && !has_ipv6()) GTEST_SKIP() << "no IPv6 here";
  }
};
INSTANTIATE_TEST_SUITE_P(Loopback, SocketIoOn, ::testing::Values("127.0.0.1", "::1"));

TEST_P(SocketIoOn, CarriesDatagramsBothWays) {
  const auto bridge = open({ip(GetParam())});
  const auto client = open({ip(GetParam())});
  send(*client, bridge->local_addresses()[0], "hello");
  const std::vector<Received> at_bridge = receive(*bridge);
  ASSERT_EQ(at_bridge.size(), 1u);
  EXPECT_EQ(at_bridge[0].text, "hello");
  EXPECT_EQ(at_bridge[0].from, client->local_addresses()[0]);

  send(*bridge, at_bridge[0].from, "welcome");
  const std::vector<Received> at_client = receive(*client);
  ASSERT_EQ(at_client.size(), 1u);
  EXPECT_EQ(at_client[0].text, "welcome");
  EXPECT_EQ(at_client[0].from, bridge->local_addresses()[0]);
  EXPECT_EQ(bridge->free_packets(), bridge->pool_size());
  EXPECT_EQ(client->free_packets(), client->pool_size());
}

TEST_P(SocketIoOn, RepliesFromTheWildcardAddressThatWasSpokenTo) {
  const auto bridge = open({ip(GetParam()).is_v6() ? ip("::") : ip("0.0.0.0")});
  const auto client = open({ip(GetParam())});
  const SocketAddress spoken_to{ip(GetParam()).is_v6() ? ip("::1") : ip("127.0.0.2"), bridge->port()};
  send(*client, spoken_to, "are you there");
  const std::vector<Received> at_bridge = receive(*bridge);
  ASSERT_EQ(at_bridge.size(), 1u);
  send(*bridge, at_bridge[0].from, "yes");
  const std::vector<Received> at_client = receive(*client);
  ASSERT_EQ(at_client.size(), 1u);
  EXPECT_EQ(at_client[0].from, spoken_to);
}

TEST(SocketIo, RepliesFromTheBoundAddressThatWasSpokenTo) {
  const auto bridge = open({ip("127.0.0.1"), ip("127.0.0.2"), ip("127.0.0.3")});
  const auto client = open({ip("127.0.0.1")});
  const SocketAddress spoken_to = bridge->local_addresses()[2];
  EXPECT_EQ(spoken_to, (SocketAddress{ip("127.0.0.3"), bridge->port()}));
  send(*client, spoken_to, "are you there");
  send(*bridge, receive(*bridge).at(0).from, "yes");
  EXPECT_EQ(receive(*client).at(0).from, spoken_to);
}

TEST(SocketIo, KeepsTheOrderOfABurstThatNeedsSeveralSystemCalls) {
  const auto bridge = open({ip("127.0.0.1")});
  const auto client = open({ip("127.0.0.1")});
  std::vector<Packet> burst;
  for (size_t i = 0; i < limits::TxBatchPackets + 20; ++i) {
    burst.push_back(make(*client, bridge->local_addresses()[0], std::to_string(i)));
  }
  client->send(burst);
  EXPECT_EQ(client->counters().packets_sent.value(), burst.size());
  EXPECT_GE(client->counters().batches_sent.value(), 2u);
  size_t next = 0;
  while (next < burst.size()) {
    const std::vector<Received> got = receive(*bridge);
    ASSERT_FALSE(got.empty()) << "after " << next;
    for (const Received& packet : got) EXPECT_EQ(packet.text, std::to_string(next++));
  }
  EXPECT_EQ(client->free_packets(), client->pool_size());
}

TEST(SocketIo, SendsAnInterleavedFanOutToEachReceiver) {
  const auto bridge = open({ip("127.0.0.1")});
  const std::array clients{open({ip("127.0.0.1")}), open({ip("127.0.0.2")}), open({ip("127.0.0.3")})};
  std::vector<Packet> fan_out;
  for (const char* text : {"a", "b", "c"}) {
    for (const auto& client : clients) fan_out.push_back(make(*bridge, client->local_addresses()[0], text));
  }
  bridge->send(fan_out);
  for (const auto& client : clients) {
    std::string all;
    for (const Received& packet : receive(*client)) all += packet.text;
    EXPECT_EQ(all, "abc");
  }
}

TEST(SocketIo, DropsDatagramsLongerThanAPacketMayBe) {
  const auto bridge = open({ip("127.0.0.1")});
  const auto client = open({ip("127.0.0.1")});
  const SocketAddress to = bridge->local_addresses()[0];
  send(*client, to, std::string(limits::MaxPacketBytes + 1, 'x'));
  send(*client, to, std::string(limits::MaxPacketBytes, 'y'));
  const std::vector<Received> got = receive(*bridge);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].text, std::string(limits::MaxPacketBytes, 'y'));
  EXPECT_EQ(bridge->counters().truncated.value(), 1u);
  EXPECT_EQ(bridge->counters().packets_received.value(), 1u);
  EXPECT_EQ(bridge->free_packets(), bridge->pool_size());
}

TEST(SocketIo, KnowsHowLongAPacketHasWaitedInTheSocket) {
  const auto bridge = open({ip("127.0.0.1")});
  const auto client = open({ip("127.0.0.1")});
  send(*client, bridge->local_addresses()[0], "early");
  bridge->gather(3ms);
  std::array<Packet, 1> packet;
  ASSERT_EQ(bridge->receive(packet, Now), 1u);
  EXPECT_LE(packet[0].arrival, Now - 3ms);
  bridge->release(packet);
}

TEST(SocketIo, ReceivesNothingWhenNothingCame) {
  const auto bridge = open({ip("127.0.0.1")});
  std::array<Packet, 4> packets;
  EXPECT_EQ(bridge->receive(packets, Now), 0u);
  EXPECT_EQ(bridge->receive({}, Now), 0u);
  EXPECT_EQ(bridge->free_packets(), bridge->pool_size());
}

TEST(SocketIo, CountsWhatTheKernelRefusesAndSendsTheRest) {
  const auto bridge = open({ip("127.0.0.1")});
  const auto client = open({ip("127.0.0.1")});
  const SocketAddress to = client->local_addresses()[0];
  const SocketAddress no_port{ip("127.0.0.1"), 0};
  const SocketAddress broadcast{ip("255.255.255.255"), 9};
  const SocketAddress other_family{ip("2001:db8::1"), 9};
  const std::array packets{make(*bridge, no_port, "lost"), make(*bridge, to, "first"), make(*bridge, broadcast, "lost"),
                           make(*bridge, other_family, "lost"), make(*bridge, to, "second")};
  bridge->send(packets);
  const std::vector<Received> got = receive(*client);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[1].text, "second");
  EXPECT_EQ(refused(*bridge, SendRefusal::Other), 1u);
  EXPECT_EQ(refused(*bridge, SendRefusal::NotPermitted), 1u);
  EXPECT_EQ(refused(*bridge, SendRefusal::NoSocket), 1u);
  EXPECT_EQ(bridge->counters().packets_sent.value(), 2u);
  EXPECT_EQ(bridge->free_packets(), bridge->pool_size());
}

TEST(SocketIo, CountsWhatWasLostInAFullReceiveBuffer) {
  SocketIoSettings small = on({ip("127.0.0.1")});
  small.receive_buffer_bytes = 4096;
  const auto bridge = std::move(SocketIo::open(small).value());
  const auto client = open({ip("127.0.0.1")});
  for (int i = 0; i < 200; ++i) send(*client, bridge->local_addresses()[0], std::string(1000, 'x'));
  size_t got = receive(*bridge).size();
  send(*client, bridge->local_addresses()[0], "the next one tells");
  got += receive(*bridge).size();
  EXPECT_EQ(bridge->counters().kernel_drops.value(), 201 - got);
  EXPECT_GT(bridge->counters().kernel_drops.value(), 0u);
}

TEST(SocketIo, LeavesPacketsInTheSocketWhileItsPoolIsDry) {
  SocketIoSettings settings = on({ip("127.0.0.1")});
  settings.pool_packets = 2;
  const auto bridge = std::move(SocketIo::open(settings).value());
  const auto client = open({ip("127.0.0.1")});
  for (const char* text : {"1", "2", "3"}) send(*client, bridge->local_addresses()[0], text);
  bridge->wait(5s);
  std::array<Packet, 4> packets;
  ASSERT_EQ(bridge->receive(packets, Now), 2u);
  std::array<Packet, 4> more;
  EXPECT_EQ(bridge->receive(more, Now), 0u);
  EXPECT_GT(bridge->counters().pool_dry.value(), 0u);
  bridge->release(std::span(packets).first(2));
  EXPECT_EQ(receive(*bridge).at(0).text, "3");
}

class SocketIoThatWaits : public ::testing::TestWithParam<IoWait> {};
std::string name_of(const ::testing::TestParamInfo<IoWait>& test) {
  constexpr const char* Names[] = {"Blocking", "LookingAgain", "Polling"};
  return Names[static_cast<size_t>(test.param)];
}
INSTANTIATE_TEST_SUITE_P(By, SocketIoThatWaits, ::testing::Values(IoWait::Block, IoWait::Adaptive, IoWait::Poll),
                         name_of);

TEST_P(SocketIoThatWaits, MissesNothingThatComesWhileItWaits) {
  SocketIoSettings settings = on({ip("127.0.0.1")});
  settings.wait = GetParam();
  const auto bridge = std::move(SocketIo::open(settings).value());
  const auto client = open({ip("127.0.0.1")});
  constexpr size_t Packets = 200;
  std::thread sender([&] {
    for (size_t i = 0; i < Packets; ++i) send(*client, bridge->local_addresses()[0], "x");
    bridge->wake();
  });
  size_t got = 0;
  while (got < Packets) {  // the test's own time limit tells when a wait misses a packet
    bridge->wait(1h);
    std::array<Packet, limits::RxBatchPackets> packets;
    const size_t count = bridge->receive(packets, Now);
    bridge->release(std::span(packets).first(count));
    got += count;
  }
  sender.join();
  EXPECT_EQ(got, Packets);
}

TEST(SocketIo, EndsItsWaitWhenAnotherThreadWakesIt) {
  const auto bridge = open({ip("127.0.0.1")});
  std::thread waker([&] { bridge->wake(); });
  bridge->wait(1h);  // the test's own time limit tells when this hangs
  waker.join();
  bridge->wake();
  bridge->wake();
  bridge->wait(1h);  // woken before it waits, however often, it returns once
  bridge->wait(1ms);
  bridge->wait(-1s);
}

TEST(SocketIo, BindsBothFamiliesToOnePort) {
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 here";
  const auto bridge = open({ip("0.0.0.0"), ip("::")});
  EXPECT_NE(bridge->port(), 0);
  EXPECT_THAT(bridge->local_addresses(), ::testing::ElementsAre(SocketAddress{ip("0.0.0.0"), bridge->port()},
                                                                SocketAddress{ip("::"), bridge->port()}));
  const auto client = open({ip("127.0.0.1"), ip("::1")});
  for (const char* host : {"127.0.0.1", "::1"}) {
    send(*client, {ip(host), bridge->port()}, host);
    const std::vector<Received> got = receive(*bridge);
    ASSERT_EQ(got.size(), 1u);
    EXPECT_EQ(got[0].from, (SocketAddress{ip(host), client->port()}));
  }
}

TEST(SocketIo, NamesAddressPortAndRemedyWhenThePortIsInUse) {
  const auto first = open({ip("127.0.0.1")});
  SocketIoSettings settings = on({ip("127.0.0.1")});
  settings.port = first->port();
  const Result<std::unique_ptr<SocketIo>> second = SocketIo::open(settings);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::AlreadyExists);
  EXPECT_THAT(second.error().text, HasSubstr("127.0.0.1:" + std::to_string(first->port())));
  EXPECT_THAT(second.error().text, HasSubstr("choose another media port"));
}

TEST(SocketIo, SaysWhatIsWrongWithABindAddress) {
  const auto foreign = SocketIo::open(on({ip("192.0.2.1")}));
  ASSERT_FALSE(foreign.ok());
  EXPECT_EQ(foreign.error().code, ErrorCode::InvalidArgument);
  EXPECT_THAT(foreign.error().text, HasSubstr("192.0.2.1"));
  const auto none = SocketIo::open(on({}));
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, ErrorCode::InvalidArgument);
}

// Keeps the values of one reading by name and by the label that is not the worker.
class Readings final : public MetricVisitor {
 public:
  using MetricVisitor::histogram;
  void counter(std::string_view name, std::string_view help, MetricLabels labels, double value) override {
    note(name, help, labels, value);
  }
  void gauge(std::string_view name, std::string_view help, MetricLabels labels, double value) override {
    note(name, help, labels, value);
  }
  void histogram(std::string_view, std::string_view, MetricLabels, std::span<const double>, std::span<const uint64_t>,
                 double) override {
    FAIL() << "this edge has no histogram";
  }
  double at(const std::string& key) const { return values_.at(key); }

 private:
  void note(std::string_view name, std::string_view help, MetricLabels labels, double value) {
    EXPECT_TRUE(name.starts_with("viaduct_io_"));
    EXPECT_FALSE(help.empty());
    std::string key(name);
    for (const auto& [label, text] : labels) {
      if (label == "worker") {
        EXPECT_EQ(text, "3");
      } else {
        key += " " + std::string(text);
      }
    }
    EXPECT_TRUE(values_.emplace(key, value).second) << key << " came twice";
  }
  std::map<std::string, double> values_;
};

TEST(SocketIo, ShowsItsNumbersAsMetrics) {
  const auto bridge = open({ip("127.0.0.1")});
  const auto client = open({ip("127.0.0.1")});
  send(*client, bridge->local_addresses()[0], "12345");
  receive(*bridge);
  const Packet held = make(*bridge, {}, "");
  Readings readings;
  bridge->visit(readings);
  EXPECT_EQ(readings.at("viaduct_io_packets_total in"), 1);
  EXPECT_EQ(readings.at("viaduct_io_bytes_total in"), 5);
  EXPECT_EQ(readings.at("viaduct_io_packets_total out"), 0);
  EXPECT_EQ(readings.at("viaduct_io_batches_total in"), 1);
  EXPECT_EQ(readings.at("viaduct_io_send_refusals_total buffer_full"), 0);
  EXPECT_EQ(readings.at("viaduct_io_pool_packets"), 1024);
  EXPECT_EQ(readings.at("viaduct_io_pool_free_packets"), 1023);
  EXPECT_GE(readings.at("viaduct_io_socket_buffer_bytes in"), 4096);
  bridge->release({&held, 1});
}

}  // namespace
}  // namespace viaduct::edge
