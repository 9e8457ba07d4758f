// Datagrams that arrive, and frames that are not what they claim to be.
#include <array>

#include "limits.h"
#include "tests/unit/ip/host_fixture.h"

namespace viaduct::dpdk::ip {
namespace {

using ReceiveTest = HostTest;

const Octets Media = octets("\x80 a packet of somebody's voice");

TEST_F(ReceiveTest, HandsOverADatagramWithItsSender) {
  for (const auto& [peer, us] : {std::pair(peer_v4, us_v4), std::pair(peer_v6, us_v6)}) {
    const Delivered got = deliver(udp_frame(peer, us, Media).build());
    ASSERT_EQ(got.verdict(), Verdict::Media);
    EXPECT_EQ(got.arrival.peer, peer);
    EXPECT_TRUE(std::ranges::equal(got.datagram(), Media));
  }
  EXPECT_EQ(host().counters().of(FrameKind::Media), 2u);
}

TEST_F(ReceiveTest, TakesEachOfItsAddresses) {
  EXPECT_EQ(deliver(udp_frame(peer_v4, at("192.0.2.77", Port), Media).build()).verdict(), Verdict::Media);
  expect_drop(FrameDrop::OtherAddress, udp_frame(peer_v4, at("192.0.2.78", Port), Media).build());
  expect_drop(FrameDrop::OtherAddress, udp_frame(peer_v6, at("2001:db8::2", Port), Media).build());
}

TEST_F(ReceiveTest, TakesAnEmptyDatagram) {
  const Delivered got = deliver(udp_frame(peer_v4, us_v4, {}).build());
  ASSERT_EQ(got.verdict(), Verdict::Media);
  EXPECT_EQ(got.arrival.length, 0u);
}

TEST_F(ReceiveTest, CutsWhatEthernetPads) {
  IpFrame frame = udp_frame(peer_v4, us_v4, octets("hi"));
  frame.padding = 16;
  EXPECT_TRUE(std::ranges::equal(deliver(frame.build()).datagram(), octets("hi")));
}

TEST_F(ReceiveTest, CutsWhatStandsBehindTheDatagramInItsPacket) {
  IpFrame frame = udp_frame(peer_v4, us_v4, octets("hi"));
  frame.payload.push_back('!');  // the UDP length does not count it, nor does the checksum
  EXPECT_TRUE(std::ranges::equal(deliver(frame.build()).datagram(), octets("hi")));
}

TEST_F(ReceiveTest, PassesOverIpOptions) {
  IpFrame frame = udp_frame(peer_v4, us_v4, Media);
  frame.options = {0x94, 4, 0, 0, 1, 1, 1, 0};
  EXPECT_TRUE(std::ranges::equal(deliver(frame.build()).datagram(), Media));
}

TEST_F(ReceiveTest, PassesOverHarmlessExtensionHeaders) {
  IpFrame frame = udp_frame(peer_v6, us_v6, Media);
  frame.first_extension = 0;                                      // hop by hop
  frame.extensions = {60, 0, 5, 2, 0, 0, 1, 0,                    // router alert, padding; then destination options
                      43, 1, 1, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // then routing
                      44, 0, 0, 0, 0, 0, 0, 0,                    // with no node left to visit; then fragment
                      17, 0, 0, 0, 1, 2, 3, 4};                   // of one piece
  EXPECT_TRUE(std::ranges::equal(deliver(frame.build()).datagram(), Media));
}

TEST_F(ReceiveTest, DropsExtensionHeadersThatMayNotBePassedOver) {
  IpFrame frame = udp_frame(peer_v6, us_v6, Media);
  const auto refuse = [&](uint8_t first, Octets headers) {
    frame.first_extension = first;
    frame.extensions = std::move(headers);
    expect_drop(FrameDrop::ExtensionHeaders, frame.build());
  };
  refuse(60, {17, 0, 0x45, 4, 0, 0, 0, 0});  // an unknown option of those that have a packet discarded
  refuse(60, {17, 0, 0x05, 9, 0, 0, 0, 0});  // an option that ends behind its header
  refuse(43, {17, 0, 0, 1, 0, 0, 0, 0});     // on its way to somewhere else
  refuse(60, {17, 200, 1, 4, 0, 0, 0, 0});   // longer than the packet
  Octets many;
  for (size_t i = 0; i < MaxExtensionHeaders; ++i) many.insert(many.end(), {60, 0, 1, 4, 0, 0, 0, 0});
  many.insert(many.end(), {17, 0, 1, 4, 0, 0, 0, 0});
  refuse(60, many);
}

TEST_F(ReceiveTest, DropsFragments) {
  IpFrame frame = udp_frame(peer_v4, us_v4, Media);
  for (const uint16_t fragment : std::to_array<uint16_t>({0x2000, 0x0001, 0x2008, 0x1fff})) {
    frame.fragment = fragment;
    expect_drop(FrameDrop::Fragment, frame.build());
  }
  IpFrame six = udp_frame(peer_v6, us_v6, Media);
  six.first_extension = 44;
  six.extensions = {17, 0, 0, 1, 0, 0, 0, 1};  // more to come
  expect_drop(FrameDrop::Fragment, six.build());
  six.extensions = {17, 0, 0, 8, 0, 0, 0, 1};  // not the first
  expect_drop(FrameDrop::Fragment, six.build());
}

TEST_F(ReceiveTest, DropsFramesToOtherDevices) {
  IpFrame frame = udp_frame(peer_v4, us_v4, Media);
  frame.to_mac = RouterMac;
  expect_drop(FrameDrop::OtherMac, frame.build());
  for (const auto& [peer, us] : {std::pair(peer_v4, us_v4), std::pair(peer_v6, us_v6)}) {
    IpFrame to_all = udp_frame(peer, us, Media);  // to one host by IP, to all by Ethernet
    to_all.to_mac = Broadcast;
    expect_drop(FrameDrop::OtherMac, to_all.build());
  }
}

TEST_F(ReceiveTest, DropsFramesFromNoDevice) {
  IpFrame frame = udp_frame(peer_v4, us_v4, Media);
  for (const MacAddress& mac : {Broadcast, MacAddress{{1, 0, 0x5e, 0, 0, 1}}, OurMac}) {
    frame.from_mac = mac;
    expect_drop(FrameDrop::BadMac, frame.build());
  }
}

TEST_F(ReceiveTest, DropsSourcesThatNoPeerCanHave) {
  for (const char* source : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
                             "192.0.2.255", "192.0.2.1", "192.0.2.77"}) {
    expect_drop(FrameDrop::BadSource, udp_frame(at(source, 5000), us_v4, Media).build());
  }
  for (const char* source : {"::", "::1", "ff02::1", "::ffff:192.0.2.9", "2001:db8::1"}) {
    expect_drop(FrameDrop::BadSource, udp_frame(at(source, 5000), us_v6, Media).build());
  }
  expect_drop(FrameDrop::BadSource, udp_frame(at("198.51.100.7", 0), us_v4, Media).build());
}

TEST_F(ReceiveTest, TakesALinkLocalPeer) {
  EXPECT_EQ(deliver(udp_frame(at("fe80::7", 5000), us_v6, Media).build()).verdict(), Verdict::Media);
}

TEST_F(ReceiveTest, NoticesEveryFlippedBit) {
  for (const auto& [peer, us] : {std::pair(peer_v4, us_v4), std::pair(peer_v6, us_v6)}) {
    const Octets sound = udp_frame(peer, us, Media).build();
    for (size_t bit = 14 * 8; bit < sound.size() * 8; ++bit) {
      Octets frame = sound;
      frame[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
      const Delivered got = deliver(frame);
      // IPv6 has no checksum over its class, flow label and hop limit.
      const bool is_version = bit / 8 == 14 && bit % 8 >= 4;
      const bool is_unprotected = us.ip.is_v6() && !is_version && (bit / 8 < 18 || bit / 8 == 21);
      EXPECT_EQ(got.verdict() == Verdict::Media, is_unprotected) << "bit " << bit;
    }
  }
}

TEST_F(ReceiveTest, TellsWhichChecksumIsWrong) {
  Octets frame = udp_frame(peer_v4, us_v4, Media).build();
  frame[14 + 8] ^= 1;  // time to live
  expect_drop(FrameDrop::IpChecksum, frame);
  frame[14 + 8] ^= 1;
  frame.back() ^= 1;
  expect_drop(FrameDrop::UdpChecksum, frame);
}

TEST_F(ReceiveTest, BelievesTheDeviceAboutChecksums) {
  Octets frame = udp_frame(peer_v4, us_v4, Media).build();
  expect_drop(FrameDrop::IpChecksum, frame, {.ip = Verified::Bad});
  expect_drop(FrameDrop::UdpChecksum, frame, {.udp = Verified::Bad});
  frame[14 + 8] ^= 1;
  frame.back() ^= 1;
  EXPECT_EQ(deliver(frame, Start, 128, {Verified::Good, Verified::Good}).verdict(), Verdict::Media);
}

TEST_F(ReceiveTest, TakesNoUdpChecksumOverIpv4AlthoughTheDeviceComplains) {
  IpFrame frame = udp_frame(peer_v4, us_v4, Media);
  frame.payload = udp_datagram(peer_v4, us_v4, Media, false);
  EXPECT_EQ(deliver(frame.build()).verdict(), Verdict::Media);
  EXPECT_EQ(deliver(frame.build(), Start, 128, {Verified::Good, Verified::Bad}).verdict(), Verdict::Media);
}

TEST_F(ReceiveTest, WantsAUdpChecksumOverIpv6AlthoughTheDeviceDoesNot) {
  IpFrame frame = udp_frame(peer_v6, us_v6, Media);
  frame.payload = udp_datagram(peer_v6, us_v6, Media, false);
  expect_drop(FrameDrop::NoUdpChecksum, frame.build());
  expect_drop(FrameDrop::NoUdpChecksum, frame.build(), {Verified::Good, Verified::Good});
}

TEST_F(ReceiveTest, DropsLengthsThatContradictEachOther) {
  const Octets sound = udp_frame(peer_v4, us_v4, Media).build();
  const auto change = [&](size_t offset, uint16_t value) {
    Octets frame = sound;
    store_be16(&frame[offset], value);
    return frame;
  };
  const RxChecksums good{Verified::Good, Verified::Good};
  const auto whole = static_cast<uint16_t>(sound.size() - 14);
  const auto datagram = static_cast<uint16_t>(Media.size() + 8);
  expect_drop(FrameDrop::Malformed, change(16, 19), good);  // the packet: less than its header
  expect_drop(FrameDrop::Malformed, change(16, static_cast<uint16_t>(whole + 1)), good);
  expect_drop(FrameDrop::Malformed, change(16, 27), good);  // no room for UDP
  expect_drop(FrameDrop::Malformed, change(38, 7), good);   // the datagram: less than its header
  expect_drop(FrameDrop::Malformed, change(38, static_cast<uint16_t>(datagram + 1)), good);
  expect_drop(FrameDrop::Malformed, change(14, 0x4400), good);  // a header of 16 bytes
  expect_drop(FrameDrop::Malformed, change(14, 0x5500), good);  // version 5
}

TEST_F(ReceiveTest, NeverReadsBeyondAFrameThatIsCutShort) {
  IpFrame six = udp_frame(peer_v6, us_v6, Media);
  six.first_extension = 0;
  six.extensions = {60, 0, 5, 2, 0, 0, 1, 0, 17, 0, 1, 4, 0, 0, 0, 0};
  IpFrame tagged = udp_frame(peer_v4, us_v4, Media);
  tagged.tag = 0;
  tagged.options = {1, 1, 1, 1};
  for (const Octets& whole : {udp_frame(peer_v4, us_v4, binding_request(1)).build(), six.build(), tagged.build()}) {
    ASSERT_EQ(deliver(whole, Start, 0).verdict(), Verdict::Media);
    for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
      const Octets cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(bytes));
      EXPECT_EQ(deliver(cut, Start, 0).verdict(), Verdict::Drop) << bytes;
      EXPECT_EQ(deliver(cut, Start, 0, {Verified::Good, Verified::Good}).verdict(), Verdict::Drop) << bytes;
      classify(Bytes(cut), interface());
    }
  }
}

TEST_F(ReceiveTest, DropsDatagramsThatAreLongerThanAnyPacket) {
  Interface jumbo = both_families();
  jumbo.mtu = 9000;
  use(jumbo);
  EXPECT_EQ(deliver(udp_frame(peer_v4, us_v4, Octets(limits::MaxPacketBytes)).build()).verdict(), Verdict::Media);
  expect_drop(FrameDrop::TooLong, udp_frame(peer_v4, us_v4, Octets(limits::MaxPacketBytes + 1)).build());
}

TEST_F(ReceiveTest, LeavesPortsOfOtherWorkersAlone) {
  expect_drop(FrameDrop::OtherWorker, udp_frame(peer_v4, at("192.0.2.1", FirstPort), Media).build());
  expect_drop(FrameDrop::OtherWorker, udp_frame(peer_v4, at("192.0.2.1", FirstPort + 3), Media).build());
}

TEST_F(ReceiveTest, TakesUntaggedFramesAndThoseWithAPriorityAlone) {
  IpFrame frame = udp_frame(peer_v4, us_v4, Media);
  frame.tag = 0xa000;
  EXPECT_TRUE(std::ranges::equal(deliver(frame.build()).datagram(), Media));
  frame.tag = 0xa005;
  expect_drop(FrameDrop::OtherVlan, frame.build());
}

TEST_F(ReceiveTest, TakesFramesOfItsVlanAlone) {
  Interface tagged = both_families();
  tagged.vlan = 7;
  use(tagged);
  IpFrame frame = udp_frame(peer_v6, us_v6, Media);
  frame.tag = 0xa007;
  EXPECT_TRUE(std::ranges::equal(deliver(frame.build()).datagram(), Media));
  for (const std::optional<uint16_t> other : {std::optional<uint16_t>(8), std::optional<uint16_t>(0), {}}) {
    frame.tag = other;
    expect_drop(FrameDrop::OtherVlan, frame.build());
  }
}

TEST_F(ReceiveTest, DropsOtherProtocols) {
  Octets frame = udp_frame(peer_v4, us_v4, Media).build();
  store_be16(&frame[12], 0x88cc);  // LLDP
  expect_drop(FrameDrop::OtherProtocol, frame);
  IpFrame tcp = udp_frame(peer_v4, us_v4, Media);
  tcp.protocol = 6;
  expect_drop(FrameDrop::OtherProtocol, tcp.build());
}

TEST_F(ReceiveTest, DropsDatagramsToGroups) {
  IpFrame frame = udp_frame(peer_v4, at("224.0.0.251", 5353), Media);
  frame.to_mac = {{1, 0, 0x5e, 0, 0, 0xfb}};
  expect_drop(FrameDrop::OtherAddress, frame.build());
  frame = udp_frame(peer_v4, at("192.0.2.255", Port), Media);
  frame.to_mac = Broadcast;
  expect_drop(FrameDrop::OtherAddress, frame.build());
  frame = udp_frame(peer_v6, at("ff02::1", Port), Media);
  frame.to_mac = {{0x33, 0x33, 0, 0, 0, 1}};
  expect_drop(FrameDrop::OtherAddress, frame.build());
}

}  // namespace
}  // namespace viaduct::dpdk::ip
