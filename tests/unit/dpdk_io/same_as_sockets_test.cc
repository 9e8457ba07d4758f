// The same datagrams through kernel sockets and, as a capture file, through DPDK: the path sees the same bytes in the
// same order, and what it sends arrives as the same bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>

#include "base/random.h"
#include "dpdk/dpdk_io.h"
#include "dpdk/eal.h"
#include "dpdk/inboxes.h"
#include "dpdk/mbuf_pool.h"
#include "dpdk/port.h"
#include "edge/socket_io.h"
#include "edge/udp_socket.h"
#include "limits.h"
#include "tests/support/frames/frames.h"
#include "tests/unit/dpdk_io/pcap_file.h"

namespace viaduct::dpdk {
namespace {

using testing::at;
using testing::Octets;

constexpr size_t Clients = 4;
constexpr size_t Datagrams = 400;
constexpr uint16_t FirstPort = 10'000;
constexpr uint16_t FirstClientPort = 5000;
constexpr Timestamp Now{100s};

struct Datagram {
  size_t client = 0;
  Octets bytes;
  friend bool operator==(const Datagram&, const Datagram&) = default;
};

// Each client proves itself, then all send what they like, at any length that a packet may have.
std::vector<Datagram> conversation() {
  SeededRandom random(11);
  std::vector<Datagram> datagrams;
  for (size_t i = 0; i < Clients; ++i) datagrams.push_back({i, testing::binding_request(static_cast<uint32_t>(i))});
  while (datagrams.size() < Datagrams) {
    Datagram datagram{random.below(Clients), Octets(1 + random.below(1400))};
    random.fill(datagram.bytes);
    datagram.bytes[0] |= 0x80;
    datagrams.push_back(std::move(datagram));
  }
  return datagrams;
}

// What one edge made of it.
struct Outcome {
  std::vector<Datagram> received;                 // by the path, in order
  std::map<size_t, std::vector<Octets>> answers;  // at each client, in order
};

// Stands for the path: STUN is answered, and everything else sent back with a byte changed and a tail.
void answer(edge::PacketIo& io, std::span<Packet> packets, size_t client) {
  for (Packet& packet : packets) {
    if (packet.bytes()[0] == 0) {
      const Octets response = testing::binding_response(static_cast<uint32_t>(client), true);
      packet.length = static_cast<uint32_t>(response.size());
      std::copy(response.begin(), response.end(), packet.bytes().begin());
    } else {
      packet.bytes()[0] ^= 0x40;
      packet.length += 10;
      std::fill_n(packet.bytes().end() - 10, 10, uint8_t{0x77});
    }
  }
  io.send(packets);
}

template <typename ClientOf>
size_t turn(edge::PacketIo& io, Outcome& outcome, ClientOf client_of) {
  std::array<Packet, limits::RxBatchPackets> packets;
  const size_t count = io.receive(packets, Now);
  for (Packet& packet : std::span(packets).first(count)) {
    const size_t client = client_of(packet.peer);
    const MutableBytes bytes = packet.bytes();
    outcome.received.push_back({client, {bytes.begin(), bytes.end()}});
    answer(io, {&packet, 1}, client);
  }
  return count;
}

std::unique_ptr<edge::SocketIo> open_socket() {
  edge::SocketIoSettings settings;
  settings.bind_addresses = {testing::ip("127.0.0.1")};
  settings.pool_packets = 1024;
  return std::move(edge::SocketIo::open(settings).value());
}

Outcome through_sockets(const std::vector<Datagram>& conversation) {
  Outcome outcome;
  const auto bridge = open_socket();
  std::vector<std::unique_ptr<edge::SocketIo>> clients;
  std::map<uint16_t, size_t> numbers;
  for (size_t i = 0; i < Clients; ++i) {
    clients.push_back(open_socket());
    numbers[clients[i]->port()] = i;
  }
  const auto client_of = [&](const SocketAddress& peer) { return numbers.at(peer.port); };
  for (const Datagram& datagram : conversation) {
    std::array<Packet, 1> packet;
    EXPECT_EQ(clients[datagram.client]->allocate(packet), 1u);
    packet[0].length = static_cast<uint32_t>(datagram.bytes.size());
    std::copy(datagram.bytes.begin(), datagram.bytes.end(), packet[0].bytes().begin());
    packet[0].peer = bridge->local_addresses()[0];
    clients[datagram.client]->send(packet);
    for (int tries = 0; tries < 100 && turn(*bridge, outcome, client_of) == 0; ++tries) bridge->wait(20ms);
  }
  for (size_t i = 0; i < Clients; ++i) {
    std::array<Packet, limits::RxBatchPackets> packets;
    while (const size_t count = clients[i]->receive(packets, Now)) {
      for (const Packet& packet : std::span(packets).first(count)) {
        outcome.answers[i].emplace_back(packet.bytes().begin(), packet.bytes().end());
      }
      clients[i]->release(std::span(packets).first(count));
    }
  }
  return outcome;
}

std::vector<Octets> frames_of(const std::vector<Datagram>& conversation) {
  std::vector<Octets> frames;
  for (const Datagram& datagram : conversation) {
    const SocketAddress from = at("198.51.100.7", static_cast<uint16_t>(FirstClientPort + datagram.client));
    frames.push_back(testing::udp_frame(from, at("192.0.2.1", FirstPort), datagram.bytes).build());
  }
  return frames;
}

void run_on_capture(const std::string& in, const std::string& out, Outcome& outcome) {
  const ip::Interface interface{.mac = testing::OurMac,
                                .addresses = {*InterfaceAddress::parse("192.0.2.1/24")},
                                .first_media_port = FirstPort};
  auto pool = MbufPool::open("capture", 2047, -1);
  auto inboxes = Inboxes::open(1);
  auto port = Port::open("net_pcap0,rx_pcap=" + in + ",tx_pcap=" + out);
  ASSERT_TRUE(pool && inboxes && port);
  const std::array<rte_mempool*, 1> pools{(*pool)->get()};
  ASSERT_TRUE((*port)->start({.descriptors = 64, .pools = pools}));
  Loan loan;
  {
    DpdkIo io({.port = (*port)->id()}, interface, **pool, **inboxes, loan);
    const auto client_of = [](const SocketAddress& peer) { return size_t{peer.port} - FirstClientPort; };
    while (turn(io, outcome, client_of) > 0) continue;
    turn(io, outcome, client_of);  // nothing comes: what waits to be sent leaves
  }
  port->reset();
  EXPECT_EQ(loan.packets, 0);
  EXPECT_EQ((*pool)->in_use(), 0u);
}

Outcome through_capture(const std::vector<Datagram>& conversation) {
  const std::string in = ::testing::TempDir() + "viaduct-in.pcap";
  const std::string out = ::testing::TempDir() + "viaduct-out.pcap";
  write_pcap(in, frames_of(conversation));
  Outcome outcome;
  run_on_capture(in, out, outcome);
  for (const Octets& bytes : read_pcap(out)) {
    const auto read = testing::read_frame(bytes);
    EXPECT_TRUE(read.frame) << read.why;
    if (!read.frame || read.frame->type == 0x0806) continue;  // its announcement
    outcome.answers[size_t{read.frame->to_port} - FirstClientPort].push_back(read.frame->datagram);
  }
  std::remove(in.c_str());
  std::remove(out.c_str());
  return outcome;
}

TEST(SameAsSocketsTest, GivesThePathTheSameDatagramsAndTheClientsTheSameAnswers) {
  const auto started = start_eal({.memory_mib = 128});
  ASSERT_TRUE(started) << started.error().text;
  const std::vector<Datagram> datagrams = conversation();
  const Outcome sockets = through_sockets(datagrams);
  const Outcome capture = through_capture(datagrams);
  EXPECT_EQ(sockets.received.size(), Datagrams);
  EXPECT_TRUE(sockets.received == datagrams);
  EXPECT_TRUE(capture.received == datagrams);
  ASSERT_EQ(capture.answers.size(), Clients);
  for (size_t i = 0; i < Clients; ++i) {
    EXPECT_GT(capture.answers.at(i).size(), Datagrams / Clients / 2);
    EXPECT_TRUE(capture.answers.at(i) == sockets.answers.at(i)) << "client " << i;
  }
}

}  // namespace
}  // namespace viaduct::dpdk
