// A recorded conversation through DPDK's net_pcap port: what leaves has to be the recorded answers, byte for byte, and
// what is heard and said has to be what kernel sockets hear and say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netinet/in.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dpdk/dpdk_io.h"
#include "dpdk/eal.h"
#include "dpdk/inboxes.h"
#include "dpdk/mbuf_pool.h"
#include "dpdk/port.h"
#include "tests/unit/dpdk_pcap/conversation.h"
#include "tests/unit/dpdk_pcap/pcap_file.h"
#include "tests/unit/edge/socket_io_helpers.h"

namespace viaduct {
namespace {

using testing::Heard;
using testing::Octets;
using testing::ReadFrame;

constexpr uint16_t MediaPort = 10'000;
constexpr size_t PoolBuffers = 2048;
constexpr Timestamp Begin{100s};

const std::filesystem::path Golden = std::filesystem::path(VIADUCT_SOURCE_DIR) / "tests/unit/dpdk_pcap/golden";

struct Conversation {
  std::vector<Heard> heard;
  std::vector<Octets> frames;  // that left
};

// The announcements of a host that has come up are the unit tests' business.
bool is_announcement(const Octets& frame) { return (frame[0] & 1) != 0; }

Conversation hold_over_dpdk(const std::string& out) {
  Conversation all;
  const dpdk::ip::Interface interface{
      .mac = testing::OurMac,
      .addresses = {*InterfaceAddress::parse("192.0.2.1/24"), *InterfaceAddress::parse("2001:db8::1/64")},
      .first_media_port = MediaPort};
  dpdk::Loan loan;
  auto pool = std::move(dpdk::MbufPool::open("golden", PoolBuffers, -1).value());
  auto inboxes = std::move(dpdk::Inboxes::open(1).value());
  auto port = std::move(
      dpdk::Port::open("net_pcap0,rx_pcap=" + (Golden / "conversation.pcap").string() + ",tx_pcap=" + out).value());
  rte_mempool* const pools[] = {pool->get()};
  EXPECT_TRUE(port->start({.pools = pools}));
  {
    dpdk::DpdkIo io({.port = port->id()}, interface, *pool, *inboxes, loan);
    for (std::vector<Heard> heard = testing::answer_all(io, Begin); !heard.empty();
         heard = testing::answer_all(io, Begin))
      all.heard.insert(all.heard.end(), heard.begin(), heard.end());
  }
  port.reset();
  EXPECT_EQ(pool->in_use(), 0u);
  all.frames = testing::read_pcap(out);
  std::erase_if(all.frames, is_announcement);
  return all;
}

class GoldenPcap : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto started = dpdk::start_eal({.memory_mib = 64});
    ASSERT_TRUE(started) << started.error().text;
    out_ = ::testing::TempDir() + "viaduct-golden-" + std::to_string(getpid()) + ".pcap";
    over_dpdk_ = hold_over_dpdk(out_);
  }
  static void TearDownTestSuite() { std::filesystem::remove(out_); }

  static std::vector<ReadFrame> datagrams(const std::vector<Octets>& frames) {
    std::vector<ReadFrame> found;
    for (const Octets& bytes : frames) {
      const auto read = testing::read_frame(bytes);
      const bool whole = read.frame && (read.frame->fragment & 0x3fff) == 0;
      if (whole && read.frame->protocol == IPPROTO_UDP) found.push_back(*read.frame);
    }
    return found;
  }

  static inline std::string out_;
  static inline Conversation over_dpdk_;
};

TEST_F(GoldenPcap, AnswersARecordedConversationByTheRecordedFrames) {
  const std::vector<Octets> golden = testing::read_pcap(Golden / "answers.pcap");
  EXPECT_GE(golden.size(), 25u);
  // Of ARP, neighbour discovery and echo it is not said when they are answered.
  EXPECT_THAT(over_dpdk_.frames, ::testing::UnorderedElementsAreArray(golden));
}

TEST_F(GoldenPcap, KeepsTheOrderOfDatagrams) {
  const std::vector<ReadFrame> expected = datagrams(testing::read_pcap(Golden / "answers.pcap"));
  const std::vector<ReadFrame> said = datagrams(over_dpdk_.frames);
  ASSERT_EQ(said.size(), expected.size());
  for (size_t i = 0; i < said.size(); ++i) EXPECT_EQ(said[i].datagram, expected[i].datagram) << i;
}

// Every datagram of the recording that is sound goes through real sockets, one for each peer.
TEST_F(GoldenPcap, HearsAndSaysWhatKernelSocketsHearAndSay) {
  const auto bridge = edge::open({edge::ip("127.0.0.1")});
  std::map<std::string, std::unique_ptr<edge::SocketIo>> peers;
  std::map<std::string, std::vector<Octets>> heard;
  std::map<std::string, std::vector<Octets>> answers;
  for (const ReadFrame& frame : datagrams(testing::read_pcap(Golden / "conversation.pcap"))) {
    const std::string from = SocketAddress{frame.from, frame.from_port}.to_string();
    auto& peer = peers[from];
    if (!peer) peer = edge::open({edge::ip("127.0.0.1")});
    edge::send(*peer, bridge->local_addresses()[0],
               {reinterpret_cast<const char*>(frame.datagram.data()), frame.datagram.size()});
    bridge->wait(5s);
    for (const Heard& each : testing::answer_all(*bridge, Begin)) heard[from].push_back(each.datagram);
    for (const edge::Received& each : edge::receive(*peer)) answers[from].push_back(testing::octets(each.text));
  }
  EXPECT_EQ(peers.size(), 3u);

  std::map<std::string, std::vector<Octets>> heard_by_dpdk;
  std::map<std::string, std::vector<Octets>> said_by_dpdk;
  for (const Heard& each : over_dpdk_.heard) heard_by_dpdk[each.from.to_string()].push_back(each.datagram);
  for (const ReadFrame& frame : datagrams(over_dpdk_.frames))
    said_by_dpdk[SocketAddress{frame.to, frame.to_port}.to_string()].push_back(frame.datagram);
  EXPECT_EQ(heard_by_dpdk, heard);
  EXPECT_EQ(said_by_dpdk, answers);
}

}  // namespace
}  // namespace viaduct
