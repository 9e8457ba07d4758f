#include "tests/support/simulated_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include "limits.h"
#include "tests/support/simulated_io.h"

namespace viaduct::testing {
namespace {

using edge::Packet;

const SocketAddress Alice{IpAddress::v4(0x0a000001), 4000};
const SocketAddress Bob{IpAddress::v4(0x0a000002), 4000};
constexpr Timestamp Start{100s};

SimulatedNetwork network_of(uint64_t seed) {
  SimulatedNetwork network(seed);
  network.attach(Alice);
  network.attach(Bob);
  return network;
}

std::vector<std::string> texts(const std::vector<Datagram>& datagrams) {
  std::vector<std::string> all;
  for (const Datagram& datagram : datagrams) all.emplace_back(as_text(datagram.bytes));
  return all;
}

void send_numbers(SimulatedNetwork& network, int count, Duration apart = 1ms) {
  for (int i = 0; i < count; ++i) network.send(Alice, Bob, as_bytes(std::to_string(i)), Start + i * apart);
}

TEST(SimulatedNetwork, DeliversAtOnceAndInOrderOverPerfectLinks) {
  SimulatedNetwork network = network_of(1);
  for (const char* text : {"a", "b", "c"}) network.send(Alice, Bob, as_bytes(text), Start);
  const std::vector<Datagram> got = network.receive(Bob, Start);
  EXPECT_EQ(texts(got), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(got[0].from, Alice);
  EXPECT_EQ(got[0].arrived, Start);
  EXPECT_EQ(network.next_delivery(), Never);
}

TEST(SimulatedNetwork, SaysWhenTheNextDatagramMoves) {
  SimulatedNetwork network = network_of(1);
  network.set_uplink(Alice, {.delay = 30ms});
  network.set_downlink(Bob, {.delay = 5ms});
  network.send(Alice, Bob, as_bytes("x"), Start);
  EXPECT_EQ(network.next_delivery(), Start + 30ms);
  EXPECT_TRUE(network.receive(Bob, Start + 34ms).empty());
  EXPECT_EQ(network.next_delivery(), Start + 35ms);
  const std::vector<Datagram> got = network.receive(Bob, Start + 50ms);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].arrived, Start + 35ms);
}

TEST(SimulatedNetwork, TakesFromTheInboxNoMoreThanAskedFor) {
  SimulatedNetwork network = network_of(1);
  send_numbers(network, 3, 0ms);
  EXPECT_EQ(texts(network.receive(Bob, Start, 2)), (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(texts(network.receive(Bob, Start, 2)), (std::vector<std::string>{"2"}));
}

TEST(SimulatedNetwork, LosesAndDuplicatesAboutAsOftenAsTold) {
  SimulatedNetwork network = network_of(2);
  network.set_uplink(Alice, {.loss = 0.1});
  network.set_downlink(Bob, {.duplication = 0.05});
  send_numbers(network, 10'000);
  network.deliver(Start + 1h);
  const NetworkCounts& counts = network.counts();
  EXPECT_NEAR(static_cast<double>(counts.lost), 1000, 150);
  EXPECT_NEAR(static_cast<double>(counts.duplicated), 450, 100);
  EXPECT_EQ(counts.delivered, counts.sent - counts.lost + counts.duplicated);
}

TEST(SimulatedNetwork, KeepsTheOrderUnderJitterUnlessToldToReorder) {
  SimulatedNetwork network = network_of(3);
  network.set_uplink(Alice, {.delay = 10ms, .jitter = 8ms});
  send_numbers(network, 500);
  const std::vector<Datagram> ordered = network.receive(Bob, Start + 10s);
  const auto by_sending = [](const Datagram& a, const Datagram& b) { return a.sent < b.sent; };
  EXPECT_EQ(ordered.size(), 500u);
  EXPECT_TRUE(std::is_sorted(ordered.begin(), ordered.end(), by_sending));
  const auto spread = std::minmax_element(ordered.begin(), ordered.end(), [](const Datagram& a, const Datagram& b) {
    return a.arrived - a.sent < b.arrived - b.sent;
  });
  EXPECT_GE(spread.first->arrived - spread.first->sent, 10ms);
  EXPECT_GT(spread.second->arrived - spread.second->sent, 16ms);

  network.set_uplink(Alice, {.delay = 10ms, .reordering = 0.1});
  for (int i = 0; i < 500; ++i) network.send(Alice, Bob, as_bytes("x"), Start + 20s + i * 1ms);
  const std::vector<Datagram> reordered = network.receive(Bob, Start + 30s);
  EXPECT_EQ(reordered.size(), 500u);
  EXPECT_FALSE(std::is_sorted(reordered.begin(), reordered.end(), by_sending));
}

TEST(SimulatedNetwork, SpreadsABurstOverTheRateOfTheLink) {
  SimulatedNetwork network = network_of(4);
  network.set_uplink(Alice, {.rate = DataRate::kbps(1000)});
  const std::vector<uint8_t> bytes(972);  // 1,000 with IP and UDP: 8 ms each
  for (int i = 0; i < 4; ++i) network.send(Alice, Bob, bytes, Start);
  const std::vector<Datagram> got = network.receive(Bob, Start + 1s);
  ASSERT_EQ(got.size(), 4u);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(got[static_cast<size_t>(i)].arrived, Start + 8ms * (i + 1));
}

TEST(SimulatedNetwork, DropsWhatTheQueueOfALinkCannotHold) {
  SimulatedNetwork network = network_of(5);
  network.set_downlink(Bob, {.rate = DataRate::kbps(1000), .queue_bytes = 10'000});
  const std::vector<uint8_t> bytes(972);
  for (int i = 0; i < 50; ++i) network.send(Alice, Bob, bytes, Start);
  EXPECT_EQ(network.receive(Bob, Start + 10s).size(), 11u);  // ten waiting and the one being sent
  EXPECT_EQ(network.counts().overflowed, 39u);
}

TEST(SimulatedNetwork, RepeatsItselfFromTheSameSeed) {
  const auto run = [](uint64_t seed) {
    SimulatedNetwork network = network_of(seed);
    network.set_uplink(Alice, {.delay = 5ms, .jitter = 9ms, .loss = 0.05, .duplication = 0.02, .reordering = 0.05});
    send_numbers(network, 300);
    return texts(network.receive(Bob, Start + 10s));
  };
  EXPECT_EQ(run(6), run(6));
  EXPECT_NE(run(6), run(7));
}

TEST(SimulatedNetwork, ShowsAHostByItsOutsideAddressAndRebindsInMidFlight) {
  SimulatedNetwork network = network_of(8);
  const SocketAddress first{IpAddress::v4(0xc6336401), 61000};
  const SocketAddress second{IpAddress::v4(0xc6336401), 61001};
  network.set_outside_address(Alice, first);
  network.send(Alice, Bob, as_bytes("hello"), Start);
  EXPECT_EQ(network.receive(Bob, Start).at(0).from, first);
  network.send(Bob, first, as_bytes("back"), Start);
  EXPECT_EQ(texts(network.receive(Alice, Start)), (std::vector<std::string>{"back"}));

  network.set_downlink(Alice, {.delay = 20ms});
  network.send(Bob, first, as_bytes("on its way"), Start);
  network.set_outside_address(Alice, second);
  network.send(Bob, Alice, as_bytes("to the inside"), Start);
  EXPECT_TRUE(network.receive(Alice, Start + 1s).empty());
  EXPECT_EQ(network.counts().unroutable, 2u);
  network.send(Alice, Bob, as_bytes("moved"), Start + 1s);
  EXPECT_EQ(network.receive(Bob, Start + 1s).at(0).from, second);
}

TEST(SimulatedNetwork, CountsDatagramsToNobody) {
  SimulatedNetwork network = network_of(9);
  network.detach(Bob);
  network.send(Alice, Bob, as_bytes("x"), Start);
  network.deliver(Start);
  EXPECT_EQ(network.counts().unroutable, 1u);
}

TEST(SimulatedNetwork, ShowsEverySentDatagramToItsTapsEvenIfItIsLost) {
  SimulatedNetwork network = network_of(10);
  network.set_uplink(Alice, {.loss = 1});
  std::vector<Datagram> seen;
  network.add_tap([&](const Datagram& datagram) { seen.push_back(datagram); });
  network.send(Alice, Bob, as_bytes("x"), Start);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].to, Bob);
  EXPECT_EQ(seen[0].sent, Start);
  EXPECT_TRUE(network.receive(Bob, Start + 1s).empty());
}

const SocketAddress Bridge{IpAddress::v4(0xc0000201), 10000};

TEST(SimulatedIo, ReceivesAndSendsLikeAnyEdge) {
  SimulatedNetwork network = network_of(11);
  network.set_uplink(Alice, {.delay = 10ms});
  SimulatedIo io(network, {Bridge});
  network.send(Alice, Bridge, as_bytes("ping"), Start);
  std::array<Packet, 8> packets;
  EXPECT_EQ(io.receive(packets, Start + 9ms), 0u);
  ASSERT_EQ(io.receive(packets, Start + 15ms), 1u);
  EXPECT_EQ(as_text(packets[0].bytes()), "ping");
  EXPECT_EQ(packets[0].peer, Alice);
  EXPECT_EQ(packets[0].arrival, Start + 10ms);
  EXPECT_EQ(packets[0].headroom(), limits::PacketHeadroomBytes);
  EXPECT_EQ(packets[0].buffer_bytes, limits::PacketBufferBytes);
  io.send(std::span(packets).first(1));
  const std::vector<Datagram> back = network.receive(Alice, Start + 15ms);
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].from, Bridge);
  EXPECT_EQ(back[0].sent, Start + 15ms);
  EXPECT_EQ(io.free_packets(), io.pool_size());
}

TEST(SimulatedIo, LeavesPacketsInTheNetworkWhileItsPoolIsDry) {
  SimulatedNetwork network = network_of(12);
  SimulatedIo io(network, {Bridge}, 2);
  for (const char* text : {"1", "2", "3"}) network.send(Alice, Bridge, as_bytes(text), Start);
  std::array<Packet, 8> packets;
  ASSERT_EQ(io.receive(packets, Start), 2u);
  EXPECT_EQ(io.free_packets(), 0u);
  Packet blank;
  EXPECT_EQ(io.allocate({&blank, 1}), 0u);
  io.release(std::span(packets).first(2));
  ASSERT_EQ(io.receive(packets, Start), 1u);
  EXPECT_EQ(as_text(packets[0].bytes()), "3");
  io.release(std::span(packets).first(1));
}

TEST(SimulatedIo, AnswersEachFamilyFromItsOwnAddress) {
  SimulatedNetwork network = network_of(13);
  const SocketAddress bridge_v6{*IpAddress::parse("2001:db8::1"), 10000};
  const SocketAddress carol{*IpAddress::parse("2001:db8::2"), 4000};
  network.attach(carol);
  SimulatedIo io(network, {Bridge, bridge_v6});
  std::array<Packet, 2> packets;
  ASSERT_EQ(io.allocate(packets), 2u);
  packets[0].peer = Alice;
  packets[1].peer = carol;
  io.send(packets);
  EXPECT_EQ(network.receive(Alice, Timestamp{}).at(0).from, Bridge);
  EXPECT_EQ(network.receive(carol, Timestamp{}).at(0).from, bridge_v6);
}

TEST(SimulatedIo, DropsWhatIsLongerThanAPacketOrHasNoAddressToLeaveFrom) {
  SimulatedNetwork network = network_of(14);
  SimulatedIo io(network, {Bridge});
  network.send(Alice, Bridge, std::vector<uint8_t>(limits::MaxPacketBytes + 1), Start);
  std::array<Packet, 2> packets;
  EXPECT_EQ(io.receive(packets, Start), 0u);
  EXPECT_EQ(io.truncated(), 1u);
  ASSERT_EQ(io.allocate({packets.data(), 1}), 1u);
  packets[0].peer = {*IpAddress::parse("::1"), 9};
  io.send(std::span(packets).first(1));
  EXPECT_EQ(io.refused(), 1u);
  EXPECT_EQ(io.free_packets(), io.pool_size());
}

TEST(SimulatedIoDeathTest, AbortsWhenAPacketComesBackTwice) {
  SimulatedNetwork network = network_of(15);
  SimulatedIo io(network, {Bridge});
  Packet packet;
  io.allocate({&packet, 1});
  io.release({&packet, 1});
  EXPECT_DEATH(io.release({&packet, 1}), "handed_out_");
}

}  // namespace
}  // namespace viaduct::testing
