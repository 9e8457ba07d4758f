// Packets to one peer that leave as one datagram which the kernel cuts (UDP GSO), over loopback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "edge/socket_io.h"
#include "tests/unit/edge/socket_io_helpers.h"

namespace viaduct::edge {
namespace {

// A text of `bytes` bytes that no other `number` has.
std::string text_of(size_t bytes, size_t number) {
  std::string text = std::to_string(number);
  text.resize(bytes, static_cast<char>('a' + number % 26));
  return text;
}

// Sends one packet of each size as one burst and returns what has arrived, in order.
std::vector<std::string> carry(SocketIo& from, SocketIo& to, const std::vector<size_t>& sizes) {
  std::vector<Packet> burst;
  for (size_t i = 0; i < sizes.size(); ++i)
    burst.push_back(make(from, to.local_addresses()[0], text_of(sizes[i], i)));
  from.send(burst);
  std::vector<std::string> arrived;
  while (arrived.size() < sizes.size()) {
    const std::vector<Received> some = receive(to);
    if (some.empty()) break;
    for (const Received& packet : some) arrived.push_back(packet.text);
  }
  return arrived;
}

std::vector<std::string> texts_of(const std::vector<size_t>& sizes) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < sizes.size(); ++i) texts.push_back(text_of(sizes[i], i));
  return texts;
}

struct Case {
  const char* name;
  std::vector<size_t> sizes;
  uint64_t segmented;  // packets that share a datagram with others
};

class SegmentationOf : public ::testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(
    Bursts, SegmentationOf,
    ::testing::Values(Case{"One", {1200}, 0}, Case{"OfOneSize", {1200, 1200, 1200}, 3},
                      Case{"WithAShorterEnd", {1200, 1200, 300}, 3},
                      Case{"ThatGrow", {300, 1200, 1201}, 0},
                      Case{"ThatShrink", {1200, 1100, 1000, 900}, 4},
                      Case{"WithAShorterOneInside", {1200, 1200, 700, 1200, 1200}, 5},
                      Case{"WithAnEmptyOne", {1200, 1200, 0, 1200}, 2},
                      Case{"OfManySmall", std::vector<size_t>(150, 40), 150},
                      Case{"ThatNoDatagramHolds", std::vector<size_t>(60, 1400), 60},
                      Case{"ThatFillABatch", std::vector<size_t>(300, 100), 300}),
    [](const auto& test) { return test.param.name; });

TEST_P(SegmentationOf, BringsEachPacketAsItWasAndInOrder) {
  const auto bridge = open({ip("127.0.0.1")});
  const auto client = open({ip("127.0.0.1")});
  EXPECT_EQ(carry(*bridge, *client, GetParam().sizes), texts_of(GetParam().sizes));
  EXPECT_EQ(bridge->counters().packets_segmented.value(), GetParam().segmented);
  EXPECT_EQ(bridge->counters().packets_sent.value(), GetParam().sizes.size());
  uint64_t bytes = 0;
  for (const size_t size : GetParam().sizes) bytes += size;
  EXPECT_EQ(bridge->counters().bytes_sent.value(), bytes);
  EXPECT_EQ(bridge->free_packets(), bridge->pool_size());
}

TEST(Segmentation, NeverMixesPeers) {
  const auto bridge = open({ip("127.0.0.1")});
  const auto one = open({ip("127.0.0.1")});
  const auto other = open({ip("127.0.0.2")});
  const SocketAddress a = one->local_addresses()[0], b = other->local_addresses()[0];
  const std::vector<Packet> burst{make(*bridge, a, "1"), make(*bridge, a, "2"),
                                  make(*bridge, b, "3"), make(*bridge, b, "4")};
  bridge->send(burst);
  EXPECT_EQ(receive(*one).at(1).text, "2");
  EXPECT_EQ(receive(*other).at(0).text, "3");
  EXPECT_EQ(bridge->counters().packets_segmented.value(), 4u);
}

TEST(Segmentation, LeavesFromTheAddressThatWasSpokenTo) {
  const auto bridge = open({ip("0.0.0.0")});
  const auto client = open({ip("127.0.0.1")});
  const SocketAddress spoken_to{ip("127.0.0.9"), bridge->port()};
  send(*client, spoken_to, "hello");
  const SocketAddress peer = receive(*bridge).at(0).from;
  bridge->send(std::vector<Packet>{make(*bridge, peer, "1"), make(*bridge, peer, "2")});
  for (const Received& packet : receive(*client)) EXPECT_EQ(packet.from, spoken_to);
  EXPECT_EQ(bridge->counters().packets_segmented.value(), 2u);
}

TEST(Segmentation, CanBeSwitchedOff) {
  SocketIoSettings settings = on({ip("127.0.0.1")});
  settings.segmentation = false;
  const auto bridge = std::move(SocketIo::open(settings).value());
  const auto client = open({ip("127.0.0.1")});
  const std::vector<size_t> sizes(20, 1200);
  EXPECT_EQ(carry(*bridge, *client, sizes), texts_of(sizes));
  EXPECT_EQ(bridge->counters().packets_segmented.value(), 0u);
  EXPECT_FALSE(bridge->segments());
}

// Gives this process a network of its own whose loopback carries packets of `mtu` bytes at most.
bool enter_network_with_mtu(int mtu) {
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0 && unshare(CLONE_NEWNET) != 0) return false;
  const FileDescriptor fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_mtu = mtu;
  if (ioctl(fd.get(), SIOCSIFMTU, &request) != 0) return false;
  request.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
  return ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0;
}

TEST(Segmentation, SendsPacketsApartWhereThePathIsTooNarrowForASegment) {
  constexpr int NoNetwork = 77;
  const pid_t child = fork();
  if (child == 0) {
    if (!enter_network_with_mtu(1000)) _exit(NoNetwork);
    const auto bridge = open({ip("127.0.0.1")});
    const auto client = open({ip("127.0.0.1")});
    const std::vector<size_t> sizes(5, 1200);
    const bool arrived = carry(*bridge, *client, sizes) == texts_of(sizes);
    const bool counted = bridge->counters().packets_sent.value() == sizes.size() &&
                         bridge->counters().packets_segmented.value() == 0;
    _exit(arrived && counted && bridge->segments() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == NoNetwork) GTEST_SKIP() << "no network namespace here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace viaduct::edge
