// Datagrams that leave, and which way.
#include "base/random.h"
#include "tests/unit/ip/host_fixture.h"

namespace viaduct::dpdk::ip {
namespace {

using SendTest = HostTest;

const Octets Media = octets("\x80 a packet of somebody's voice");

TEST_F(SendTest, WritesSoundHeadersOfBothFamilies) {
  prove(peer_v4, us_v4, RouterMac);
  prove(peer_v6, us_v6, RouterMac);
  for (const auto& [peer, us] : {std::pair(peer_v4, us_v4), std::pair(peer_v6, us_v6)}) {
    const ReadFrame frame = sent_to(peer, Media);
    EXPECT_EQ(frame.to_mac, RouterMac);
    EXPECT_EQ(frame.from_mac, OurMac);
    EXPECT_FALSE(frame.tag);
    EXPECT_EQ(frame.from, us.ip);
    EXPECT_EQ(frame.from_port, Port);
    EXPECT_EQ(frame.to, peer.ip);
    EXPECT_EQ(frame.to_port, peer.port);
    EXPECT_EQ(frame.hops, 64);
    EXPECT_EQ(frame.datagram, Media);
    EXPECT_EQ(frame.fragment, us.ip.is_v6() ? 0 : 0x4000) << "not to be fragmented";
  }
}

TEST_F(SendTest, IsUnderstoodByAHostAtTheOtherEnd) {
  Interface other = both_families();
  other.mac = PeerMac;
  other.addresses = {*InterfaceAddress::parse("192.0.2.9/24"), *InterfaceAddress::parse("2001:db8::9/64")};
  other.first_media_port = 5000;
  UdpHost far(other, 5000, {}, false);
  SeededRandom random(5);
  for (const auto& [peer, us] : {std::pair(neighbour_v4, us_v4), std::pair(neighbour_v6, us_v6)}) {
    prove(peer, us, PeerMac);
    for (size_t bytes = 0; bytes <= 200; ++bytes) {
      Octets payload(bytes, 0x80);
      random.fill(payload);
      const Delivered got = deliver_to(far, send_to(peer, payload).frame, Start, 0);
      ASSERT_EQ(got.verdict(), Verdict::Media) << bytes;
      EXPECT_EQ(got.arrival.peer, us);
      EXPECT_TRUE(std::ranges::equal(got.datagram(), payload));
    }
  }
}

TEST_F(SendTest, WritesAChecksumOfZeroAsItsOtherForm) {
  prove(peer_v4, us_v4, RouterMac);
  int zeros = 0;
  for (uint32_t word = 0; word < 65536; ++word) {
    const Octets payload{static_cast<uint8_t>(word >> 8), static_cast<uint8_t>(word)};
    const Octets frame = send_to(peer_v4, payload).frame;
    const uint16_t checksum = load_be16(&frame[14 + 20 + 6]);
    ASSERT_NE(checksum, 0);
    if (checksum == 0xffff) ++zeros;
  }
  EXPECT_EQ(zeros, 1);
}

TEST_F(SendTest, TagsFramesOfItsVlan) {
  Interface tagged = both_families();
  tagged.vlan = 7;
  use(tagged);
  IpFrame request = udp_frame(peer_v4, us_v4, binding_request(1));
  request.tag = 7;
  ASSERT_EQ(deliver(request.build()).verdict(), Verdict::Media);
  const Sent sent = send_to(peer_v4, binding_response(1, true));
  EXPECT_EQ(sent.departure.l2_bytes, 18);
  EXPECT_EQ(sent.departure.header_bytes, 18 + 20 + 8);
  EXPECT_EQ(read_frame(sent.frame).frame->tag, 7);
}

TEST_F(SendTest, LeavesToTheDeviceWhatItOffers) {
  for (const auto& [peer, us] : {std::pair(peer_v4, us_v4), std::pair(peer_v6, us_v6)}) {
    use(both_families());
    prove(peer, us, RouterMac);
    const Octets plain = send_to(peer, Media).frame;
    use(both_families(), {.ip = true, .udp = true});
    ASSERT_EQ(deliver(udp_frame(peer, us, binding_request(1)).build()).verdict(), Verdict::Media);
    ASSERT_EQ(send_to(peer, binding_response(1, true)).departure.refused, Refusal::None);
    const Sent offloaded = send_to(peer, Media);
    EXPECT_EQ(offloaded.departure.v6, us.ip.is_v6());
    EXPECT_EQ(offloaded.departure.l2_bytes, 14);
    EXPECT_EQ(offloaded.departure.l3_bytes, us.ip.is_v6() ? 40 : 20);
    Octets frame = offloaded.frame;
    const size_t udp = offloaded.departure.header_bytes - 8u;
    // The device adds what stands there to the rest, and writes the complement.
    store_be16(&frame[udp + 6], naive_checksum(Bytes(frame).subspan(udp)));
    if (!us.ip.is_v6()) {
      EXPECT_EQ(load_be16(&frame[24]), 0);
      store_be16(&frame[24], naive_checksum(Bytes(frame).subspan(14, 20)));
    }
    EXPECT_TRUE(std::ranges::equal(Bytes(frame).subspan(6), Bytes(plain).subspan(6)));
  }
}

TEST_F(SendTest, RefusesWhatIsLongerThanTheMtu) {
  prove(peer_v4, us_v4, RouterMac);
  EXPECT_EQ(refusal_of(peer_v4, Octets(1500 - 28)), Refusal::None);
  EXPECT_EQ(refusal_of(peer_v4, Octets(1500 - 27)), Refusal::TooLong);
  EXPECT_EQ(refusal_of(peer_v4, Octets(70'000)), Refusal::TooLong);
  prove(peer_v6, us_v6, RouterMac);
  EXPECT_EQ(refusal_of(peer_v6, Octets(1500 - 48)), Refusal::None);
  EXPECT_EQ(refusal_of(peer_v6, Octets(1500 - 47)), Refusal::TooLong);
}

TEST_F(SendTest, RefusesAFamilyThatItHasNoAddressOf) {
  Interface four = both_families();
  four.addresses.pop_back();
  use(four);
  EXPECT_EQ(refusal_of(peer_v6, Media), Refusal::NoAddress);
  EXPECT_EQ(host().next_own_frame(), Timestamp{}) << "one gateway is asked for";
  EXPECT_EQ(own_frames(Start).size(), 1u) << "the other's family has nobody to ask";
}

TEST_F(SendTest, RefusesAddressesThatNoPeerCanHave) {
  for (const char* to : {"0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.255", "192.0.2.1", "::1",
                         "ff02::1", "2001:db8::1"}) {
    EXPECT_EQ(refusal_of(at(to, 5000), Media), Refusal::NoRoute) << to;
  }
  EXPECT_EQ(refusal_of(at("192.0.2.9", 0), Media), Refusal::NoRoute);
}

TEST_F(SendTest, AnswersByTheWayOfTheLastAuthenticatedRequest) {
  prove(peer_v4, us_v4, RouterMac, 1);
  EXPECT_EQ(sent_to(peer_v4, Media).to_mac, RouterMac);
  prove(peer_v4, at("192.0.2.77", Port), PeerMac, 2);
  const ReadFrame moved = sent_to(peer_v4, Media);
  EXPECT_EQ(moved.to_mac, PeerMac);
  EXPECT_EQ(moved.from, viaduct::testing::ip("192.0.2.77"));
  EXPECT_EQ(host().counters().paths_confirmed.value(), 2u);
}

TEST_F(SendTest, ChangesNoWayForARequestThatIsNotAnsweredWithSuccess) {
  const MacAddress stranger{{2, 0, 0, 0, 0, 0x66}};
  prove(peer_v4, us_v4, RouterMac, 1);
  IpFrame forged = udp_frame(peer_v4, at("192.0.2.77", Port), binding_request(2));
  forged.from_mac = stranger;
  ASSERT_EQ(deliver(forged.build()).verdict(), Verdict::Media);
  EXPECT_EQ(sent_to(peer_v4, Media).to_mac, RouterMac);
  const ReadFrame error = sent_to(peer_v4, binding_response(2, false));
  EXPECT_EQ(error.to_mac, stranger) << "whoever asked is told";
  EXPECT_EQ(error.from, viaduct::testing::ip("192.0.2.77"));
  EXPECT_EQ(sent_to(peer_v4, Media).to_mac, RouterMac);
  EXPECT_EQ(host().counters().paths_confirmed.value(), 1u);
}

TEST_F(SendTest, TakesASuccessForNoOtherPeersOrTransactionsRequest) {
  ASSERT_EQ(deliver(udp_frame(peer_v4, us_v4, binding_request(1)).build()).verdict(), Verdict::Media);
  EXPECT_EQ(refusal_of(peer_v4, binding_response(2, true)), Refusal::NoRoute);
  EXPECT_EQ(refusal_of(at("198.51.100.7", 5001), binding_response(1, true)), Refusal::NoRoute);
  EXPECT_EQ(refusal_of(peer_v4, Media), Refusal::NoRoute);
  EXPECT_EQ(host().counters().paths_confirmed.value(), 0u);
  EXPECT_EQ(refusal_of(peer_v4, binding_response(1, true)), Refusal::None);
}

TEST_F(SendTest, AnswersAsManyRequestsAsOneTurnBrings) {
  for (uint32_t i = 0; i < ReturnPaths::RememberedRequests; ++i) {
    const SocketAddress peer = at("198.51.100.7", static_cast<uint16_t>(1000 + i));
    ASSERT_EQ(deliver(udp_frame(peer, us_v4, binding_request(i)).build()).verdict(), Verdict::Media);
  }
  for (uint32_t i = 0; i < ReturnPaths::RememberedRequests; ++i) {
    const SocketAddress peer = at("198.51.100.7", static_cast<uint16_t>(1000 + i));
    EXPECT_EQ(sent_to(peer, binding_response(i, true)).to_mac, PeerMac);
  }
}

TEST_F(SendTest, KeepsTheWaysOfManyPeersApart) {
  for (uint32_t i = 0; i < 300; ++i) {
    const MacAddress mac{{2, 0, 0, 1, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)}};
    prove(at("198.51.100.7", static_cast<uint16_t>(1000 + i)), us_v4, mac, i);
  }
  for (uint32_t i = 0; i < 300; ++i) {
    const ReadFrame frame = sent_to(at("198.51.100.7", static_cast<uint16_t>(1000 + i)), Media);
    EXPECT_EQ(frame.to_mac.bytes[5], static_cast<uint8_t>(i));
    EXPECT_EQ(frame.to_port, 1000 + i);
  }
}

}  // namespace
}  // namespace viaduct::dpdk::ip
