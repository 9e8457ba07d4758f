// A kernel behind the host: media stays ours, the kernel gets the rest as it came.
#include "tests/unit/ip/host_fixture.h"

namespace viaduct::dpdk::ip {
namespace {

const Octets Text = octets("something or other");

class KernelTest : public HostTest {
 protected:
  void SetUp() override {
    Interface with_kernel = both_families();
    with_kernel.kernel_behind = true;
    use(with_kernel);
  }

  void expect_kernel(const Octets& frame) {
    const Delivered got = deliver(frame);
    EXPECT_EQ(got.verdict(), Verdict::Kernel);
    EXPECT_TRUE(std::ranges::equal(got.start(frame.size()), frame)) << "unchanged";
  }
};

TEST_F(KernelTest, GetsTcpAndOtherPortsOfUdp) {
  for (const auto& [peer, us] : {std::pair(peer_v4, us_v4), std::pair(peer_v6, us_v6)}) {
    IpFrame tcp = udp_frame(peer, us, Text);
    tcp.protocol = 6;
    expect_kernel(tcp.build());
    expect_kernel(udp_frame(peer, {us.ip, 53}, Text).build());
    tcp.fragment = 0x2000;
    expect_kernel(tcp.build());
  }
  EXPECT_EQ(host().counters().of(FrameKind::Kernel), 6u);
}

TEST_F(KernelTest, GetsNoMedia) {
  EXPECT_EQ(deliver(udp_frame(peer_v4, us_v4, Text).build()).verdict(), Verdict::Media);
  expect_drop(FrameDrop::OtherWorker, udp_frame(peer_v4, {us_v4.ip, FirstPort}, Text).build());
  IpFrame cut = udp_frame(peer_v4, us_v4, Text);
  cut.fragment = 0x2000;
  expect_drop(FrameDrop::Fragment, cut.build());
  IpFrame six = udp_frame(peer_v6, us_v6, Text);
  six.first_extension = 44;
  six.extensions = {17, 0, 0, 1, 0, 0, 0, 1};
  expect_drop(FrameDrop::Fragment, six.build());
}

TEST_F(KernelTest, GetsNothingThatWasSentToOthers) {
  IpFrame frame = udp_frame(peer_v4, {us_v4.ip, 53}, Text);
  frame.to_mac = RouterMac;
  expect_drop(FrameDrop::OtherMac, frame.build());
}

TEST_F(KernelTest, GetsWhatIsSentToGroupsAndToOtherNetworks) {
  IpFrame frame = udp_frame(peer_v4, at("255.255.255.255", 68), Text);
  frame.to_mac = Broadcast;
  expect_kernel(frame.build());
  frame = udp_frame(peer_v6, at("ff02::fb", 5353), Text);
  frame.to_mac = {{0x33, 0x33, 0, 0, 0, 0xfb}};
  expect_kernel(frame.build());
  frame = udp_frame(peer_v4, us_v4, Text);
  frame.tag = 9;
  expect_kernel(frame.build());
  Octets lldp = udp_frame(peer_v4, us_v4, Text).build();
  store_be16(&lldp[12], 0x88cc);
  expect_kernel(lldp);
}

TEST_F(KernelTest, LeavesQuestionsAboutOurAddressesAndEchoToUs) {
  EXPECT_EQ(deliver(arp_frame(1, PeerMac, neighbour_v4.ip, us_v4.ip)).verdict(), Verdict::Answer);
  EXPECT_EQ(deliver(solicitation_frame(neighbour_v6.ip, us_v6.ip, us_v6.ip, 1, PeerMac).build()).verdict(),
            Verdict::Answer);
  EXPECT_EQ(deliver(icmp_frame(peer_v4.ip, us_v4.ip, 8, 0, 1, Text).build()).verdict(), Verdict::Answer);
}

TEST_F(KernelTest, HearsAnswersThatWeLearnFromToo) {
  const Octets reply = arp_frame(2, RouterMac, viaduct::testing::ip("192.0.2.254"), us_v4.ip, OurMac);
  const IpAddress router = viaduct::testing::ip("2001:db8::fe");
  const Octets advertisement = advertisement_frame(router, us_v6.ip, router, 0x60000000, 2, RouterMac).build();
  expect_kernel(reply);  // its own question, then
  own_frames(Start);
  expect_kernel(reply);
  expect_kernel(advertisement);
  EXPECT_EQ(sent_to(peer_v4, Text).to_mac, RouterMac);
  EXPECT_EQ(sent_to(peer_v6, Text).to_mac, RouterMac);
}

TEST_F(KernelTest, GetsErrorsAboutItsOwnPacketsAndNoneAboutOurs) {
  prove(peer_v4, us_v4, RouterMac);
  const auto error_about = [&](uint16_t port) {
    const Octets quoted = udp_frame({us_v4.ip, port}, peer_v4, Octets(1400)).build();
    return icmp_frame(viaduct::testing::ip("192.0.2.254"), us_v4.ip, 3, 4, 1300, Bytes(quoted).subspan(14, 28));
  };
  expect_kernel(error_about(53).build());
  EXPECT_EQ(deliver(error_about(Port).build()).verdict(), Verdict::Drop);
  EXPECT_TRUE(host().take_path_mtu());
  expect_drop(FrameDrop::OtherWorker, error_about(FirstPort).build());
}

TEST_F(KernelTest, GetsRouterAdvertisementsAndPongs) {
  expect_kernel(icmp_frame(peer_v4.ip, us_v4.ip, 0, 0, 1, Text).build());
  IpFrame router = icmp_frame(viaduct::testing::ip("fe80::1"), viaduct::testing::ip("ff02::1"), 134, 0, 0, Text);
  router.to_mac = {{0x33, 0x33, 0, 0, 0, 1}};
  expect_kernel(router.build());
}

}  // namespace
}  // namespace viaduct::dpdk::ip
