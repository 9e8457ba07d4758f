// Which worker a frame belongs to.
#include "dpdk/ip/classify.h"

#include "base/random.h"
#include "tests/unit/ip/host_fixture.h"

namespace viaduct::dpdk::ip {
namespace {

const Octets Media = octets("\x80 media");

class ClassifyTest : public HostTest {
 protected:
  Destination of(const Octets& frame) const { return classify(frame, interface()); }
  static Destination worker(uint16_t i) { return {Target::Worker, i}; }
};

TEST_F(ClassifyTest, SendsMediaToTheWorkerOfItsPort) {
  for (uint16_t i = 0; i < 4; ++i) {
    const auto port = static_cast<uint16_t>(FirstPort + i);
    EXPECT_EQ(of(udp_frame(peer_v4, {us_v4.ip, port}, Media).build()), worker(i));
    EXPECT_EQ(of(udp_frame(peer_v4, at("192.0.2.77", port), Media).build()), worker(i));
    EXPECT_EQ(of(udp_frame(peer_v6, {us_v6.ip, port}, Media).build()), worker(i));
  }
}

TEST_F(ClassifyTest, KeepsTheRestWhereItCame) {
  EXPECT_EQ(of(udp_frame(peer_v4, {us_v4.ip, FirstPort - 1}, Media).build()), Destination{});
  EXPECT_EQ(of(udp_frame(peer_v4, {us_v4.ip, FirstPort + 4}, Media).build()), Destination{});
  EXPECT_EQ(of(udp_frame(peer_v4, at("192.0.2.50", Port), Media).build()), Destination{});
  EXPECT_EQ(of(icmp_frame(peer_v4.ip, us_v4.ip, 8, 0, 1, Media).build()), Destination{});
  EXPECT_EQ(of(arp_frame(1, PeerMac, neighbour_v4.ip, us_v4.ip)), Destination{});
  EXPECT_EQ(of(solicitation_frame(neighbour_v6.ip, us_v6.ip, us_v6.ip, 1, PeerMac).build()), Destination{});
  IpFrame fragment = udp_frame(peer_v4, us_v4, Media);
  fragment.fragment = 0x2000;
  EXPECT_EQ(of(fragment.build()), Destination{});
  IpFrame tagged = udp_frame(peer_v4, us_v4, Media);
  tagged.tag = 5;
  EXPECT_EQ(of(tagged.build()), Destination{});
}

TEST_F(ClassifyTest, TellsEveryoneWhatNeighboursAnswer) {
  EXPECT_EQ(of(arp_frame(2, PeerMac, neighbour_v4.ip, us_v4.ip, OurMac)).target, Target::Everyone);
  EXPECT_EQ(of(advertisement_frame(neighbour_v6.ip, us_v6.ip, neighbour_v6.ip, 0, 2, PeerMac).build()).target,
            Target::Everyone);
}

TEST_F(ClassifyTest, SendsErrorsToTheWorkerThatTheyAreAbout) {
  for (uint16_t i = 0; i < 4; ++i) {
    const auto port = static_cast<uint16_t>(FirstPort + i);
    const Octets four = udp_frame({us_v4.ip, port}, peer_v4, Media).build();
    EXPECT_EQ(of(icmp_frame(peer_v4.ip, us_v4.ip, 3, 4, 1300, Bytes(four).subspan(14, 28)).build()), worker(i));
    const Octets six = udp_frame({us_v6.ip, port}, peer_v6, Media).build();
    EXPECT_EQ(of(icmp_frame(peer_v6.ip, us_v6.ip, 2, 0, 1300, Bytes(six).subspan(14)).build()), worker(i));
  }
  const Octets other = udp_frame({us_v4.ip, 53}, peer_v4, Media).build();
  EXPECT_EQ(of(icmp_frame(peer_v4.ip, us_v4.ip, 3, 3, 0, Bytes(other).subspan(14)).build()), Destination{});
}

// Whatever receive() would take for media, on whichever worker, classify() sends there: options, extension headers,
// tags and padding at random.
TEST_F(ClassifyTest, AgreesWithReceiveAboutAllMedia) {
  std::vector<std::unique_ptr<UdpHost>> hosts;
  for (uint16_t i = 0; i < 4; ++i) {
    hosts.push_back(std::make_unique<UdpHost>(interface(), FirstPort + i, TxOffloads{}, false));
  }
  SeededRandom random(6);
  int media = 0;
  for (int round = 0; round < 20'000; ++round) {
    const bool v6 = random.chance(0.5);
    const auto port = static_cast<uint16_t>(FirstPort - 1 + random.below(6));
    Octets payload(random.below(60));
    random.fill(payload);
    IpFrame frame = udp_frame(v6 ? peer_v6 : peer_v4, {v6 ? us_v6.ip : us_v4.ip, port}, payload);
    if (random.chance(0.3)) frame.tag = static_cast<uint16_t>(random.chance(0.5) ? 0xe000 : random.below(65536));
    frame.padding = random.below(20);
    frame.options.assign(4 * random.below(6), 1);
    if (v6 && random.chance(0.5)) {
      frame.first_extension = random.chance(0.5) ? 60 : 44;
      frame.extensions = {17, 0, 0, static_cast<uint8_t>(random.chance(0.2)), 0, 0, 0, 0};
    }
    Octets bytes = frame.build();
    if (random.chance(0.2)) bytes[14 + random.below(28)] ^= static_cast<uint8_t>(1u << random.below(8));
    const Destination destination = of(bytes);
    for (uint16_t i = 0; i < 4; ++i) {
      if (deliver_to(*hosts[i], bytes, Start, 128).verdict() != Verdict::Media) continue;
      ++media;
      ASSERT_EQ(destination, worker(i)) << "round " << round;
    }
  }
  EXPECT_GT(media, 5000);
}

}  // namespace
}  // namespace viaduct::dpdk::ip
