// ARP and neighbour discovery: who is told about us, whom we ask, and what we believe.
#include "tests/unit/ip/host_fixture.h"

namespace viaduct::dpdk::ip {
namespace {

const MacAddress Stranger{{2, 0, 0, 0, 0, 0x66}};
const Octets Media = octets("\x80 media");

class NeighboursTest : public HostTest {
 protected:
  const IpAddress router_v4 = viaduct::testing::ip("192.0.2.254");
  const IpAddress router_v6 = viaduct::testing::ip("2001:db8::fe");

  // The MACs that ARP requests, or solicitations, among the host's own frames are sent to.
  std::vector<MacAddress> asked(Timestamp now, uint16_t type) {
    std::vector<MacAddress> macs;
    for (const ReadFrame& frame : own_frames(now)) {
      if (frame.type == type) macs.push_back(frame.to_mac);
    }
    return macs;
  }
  Octets router_replies(const MacAddress& mac = RouterMac) {
    return arp_frame(2, mac, router_v4, us_v4.ip, OurMac);
  }
  Octets router_advertises(uint32_t flags = 0x60000000, const MacAddress& mac = RouterMac) {
    return advertisement_frame(router_v6, us_v6.ip, router_v6, flags, 2, mac).build();
  }
};

constexpr uint16_t Arp = 0x0806;
constexpr uint16_t Six = 0x86dd;

TEST_F(NeighboursTest, AnswersWhoAsksForItsAddresses) {
  for (const char* own : {"192.0.2.1", "192.0.2.77"}) {
    const Delivered got = deliver(arp_frame(1, PeerMac, neighbour_v4.ip, viaduct::testing::ip(own)));
    const ReadFrame answer = got.answer();
    EXPECT_EQ(answer.to_mac, PeerMac);
    EXPECT_EQ(answer.from_mac, OurMac);
    EXPECT_EQ(got.arrival.length, 14u + 28u);
    const Octets reply = arp_frame(2, OurMac, viaduct::testing::ip(own), neighbour_v4.ip, PeerMac);
    EXPECT_TRUE(std::ranges::equal(answer.body, Bytes(reply).subspan(14, 28)));
  }
  EXPECT_EQ(host().counters().of(FrameKind::ArpRequest), 2u);
}

TEST_F(NeighboursTest, AnswersAProbeSoThatNobodyTakesItsAddress) {
  const Delivered got = deliver(arp_frame(1, PeerMac, viaduct::testing::ip("0.0.0.0"), us_v4.ip));
  EXPECT_EQ(got.answer().to_mac, PeerMac);
}

TEST_F(NeighboursTest, AnswersNobodyWhoAsksForOthers) {
  expect_drop(FrameDrop::OtherAddress, arp_frame(1, PeerMac, neighbour_v4.ip, router_v4));
}

TEST_F(NeighboursTest, DropsArpThatIsNotOfEthernetAndIpv4) {
  const Octets sound = arp_frame(1, PeerMac, neighbour_v4.ip, us_v4.ip);
  for (const size_t offset : {15u, 16u, 18u, 19u, 21u}) {
    Octets frame = sound;
    frame[offset] ^= 0x10;
    expect_drop(FrameDrop::Malformed, frame);
  }
  for (size_t bytes = 14; bytes < 42; ++bytes) {
    EXPECT_EQ(deliver(Bytes(sound).first(bytes), Start, 0).verdict(), Verdict::Drop);
  }
}

TEST_F(NeighboursTest, CountsWhoClaimsItsAddress) {
  expect_drop(FrameDrop::AddressConflict, arp_frame(1, Stranger, us_v4.ip, us_v4.ip));
  expect_drop(FrameDrop::AddressConflict, arp_frame(2, Stranger, us_v4.ip, neighbour_v4.ip));
  IpFrame claim = advertisement_frame(us_v6.ip, viaduct::testing::ip("ff02::1"), us_v6.ip, 0x20000000, 2, Stranger);
  claim.to_mac = {{0x33, 0x33, 0, 0, 0, 1}};
  expect_drop(FrameDrop::BadSource, claim.build());
  claim = advertisement_frame(viaduct::testing::ip("fe80::66"), viaduct::testing::ip("ff02::1"), us_v6.ip, 0x20000000,
                              2, Stranger);
  claim.to_mac = {{0x33, 0x33, 0, 0, 0, 1}};
  expect_drop(FrameDrop::AddressConflict, claim.build());
}

TEST_F(NeighboursTest, AnswersASolicitationAtItsGroupAndAtItsAddress) {
  for (const char* to : {"ff02::1:ff00:1", "2001:db8::1"}) {
    IpFrame asking = solicitation_frame(neighbour_v6.ip, viaduct::testing::ip(to), us_v6.ip, 1, PeerMac);
    if (to[0] == 'f') asking.to_mac = {{0x33, 0x33, 0xff, 0, 0, 1}};
    const ReadFrame answer = deliver(asking.build()).answer();
    EXPECT_EQ(answer.to_mac, PeerMac);
    EXPECT_EQ(answer.from, us_v6.ip);
    EXPECT_EQ(answer.to, neighbour_v6.ip);
    EXPECT_EQ(answer.hops, 255);
    const IpFrame expected = advertisement_frame(us_v6.ip, neighbour_v6.ip, us_v6.ip, 0x60000000, 2, OurMac);
    EXPECT_EQ(answer.body, expected.payload);
  }
}

TEST_F(NeighboursTest, TellsEveryoneWhenSomebodyTriesToGetItsAddress) {
  IpFrame probe = solicitation_frame(viaduct::testing::ip("::"), viaduct::testing::ip("ff02::1:ff00:1"), us_v6.ip, 0,
                                     PeerMac);
  probe.to_mac = {{0x33, 0x33, 0xff, 0, 0, 1}};
  const ReadFrame answer = deliver(probe.build()).answer();
  EXPECT_EQ(answer.to, viaduct::testing::ip("ff02::1"));
  EXPECT_EQ(answer.to_mac, (MacAddress{{0x33, 0x33, 0, 0, 0, 1}}));
  EXPECT_EQ(load_be32(&answer.body[4]), 0x20000000u) << "not solicited";
}

TEST_F(NeighboursTest, DropsNeighbourMessagesThatRfc4861Discards) {
  const IpFrame sound = solicitation_frame(neighbour_v6.ip, us_v6.ip, us_v6.ip, 1, PeerMac);
  ASSERT_EQ(deliver(sound.build()).verdict(), Verdict::Answer);
  IpFrame frame = sound;
  frame.hops = 254;  // it has passed a router
  expect_drop(FrameDrop::Malformed, frame.build());
  const auto with_body = [&](const Octets& body, uint8_t code = 0) {
    frame = sound;
    frame.payload = icmp_message(neighbour_v6.ip, us_v6.ip, 135, code, 0, body);
    return frame.build();
  };
  const Octets target(us_v6.ip.bytes().begin(), us_v6.ip.bytes().end());
  const auto with_option = [&](const Octets& option) {
    Octets body = target;
    body.insert(body.end(), option.begin(), option.end());
    return with_body(body);
  };
  ASSERT_EQ(deliver(with_body(target)).verdict(), Verdict::Answer);
  expect_drop(FrameDrop::Malformed, with_body(target, 1));
  expect_drop(FrameDrop::Malformed, with_body(Octets(target.begin(), target.end() - 1)));
  expect_drop(FrameDrop::Malformed, with_option({1, 0, 0, 0, 0, 0, 0, 0}));     // an option without a length
  expect_drop(FrameDrop::Malformed, with_option({1, 2, 0, 0, 0, 0, 0, 0}));     // one that is cut short
  expect_drop(FrameDrop::Malformed, with_option({1}));
  Octets group = target;
  group[0] = 0xff;
  expect_drop(FrameDrop::Malformed, with_body(group));
  frame = solicitation_frame(viaduct::testing::ip("::"), us_v6.ip, us_v6.ip, 0, PeerMac);
  expect_drop(FrameDrop::Malformed, frame.build());  // who has no address asks the group
  frame = advertisement_frame(router_v6, viaduct::testing::ip("ff02::1"), router_v6, 0x60000000, 2, RouterMac);
  frame.to_mac = {{0x33, 0x33, 0, 0, 0, 1}};
  expect_drop(FrameDrop::Malformed, frame.build());  // nobody solicits for everyone
}

TEST_F(NeighboursTest, NoticesEveryFlippedBitOfAnAdvertisement) {
  own_frames(Start);  // the gateways are asked for
  const Octets sound = router_advertises();
  for (size_t bit = 54 * 8; bit < sound.size() * 8; ++bit) {
    Octets frame = sound;
    frame[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    EXPECT_EQ(deliver(frame).verdict(), Verdict::Drop);
  }
  EXPECT_EQ(host().counters().of(FrameKind::Advertisement), 0u);
  EXPECT_EQ(refusal_of(peer_v6, Media), Refusal::NoRoute);
}

TEST_F(NeighboursTest, AsksForItsGatewaysAtOnceAndSendsThroughThem) {
  EXPECT_LE(host().next_own_frame(), Start);
  const std::vector<ReadFrame> questions = own_frames(Start);
  ASSERT_EQ(questions.size(), 2u);
  EXPECT_EQ(questions[0].to_mac, Broadcast);
  const Octets request = arp_frame(1, OurMac, us_v4.ip, router_v4);
  EXPECT_TRUE(std::ranges::equal(questions[0].body, Bytes(request).subspan(14, 28)));
  EXPECT_EQ(questions[1].to, viaduct::testing::ip("ff02::1:ff00:fe"));
  EXPECT_EQ(questions[1].to_mac, (MacAddress{{0x33, 0x33, 0xff, 0, 0, 0xfe}}));
  EXPECT_EQ(questions[1].body, solicitation_frame(us_v6.ip, questions[1].to, router_v6, 1, OurMac).payload);
  EXPECT_EQ(refusal_of(peer_v4, Media), Refusal::NoRoute);

  EXPECT_EQ(deliver(router_replies()).verdict(), Verdict::Drop) << "consumed";
  EXPECT_EQ(deliver(router_advertises()).verdict(), Verdict::Drop);
  EXPECT_EQ(host().counters().of(FrameKind::ArpReply), 1u);
  EXPECT_EQ(host().counters().of(FrameKind::Advertisement), 1u);
  for (const auto& [peer, us] : {std::pair(peer_v4, us_v4), std::pair(peer_v6, us_v6)}) {
    const ReadFrame frame = sent_to(peer, Media);
    EXPECT_EQ(frame.to_mac, RouterMac);
    EXPECT_EQ(frame.from, us.ip);
    EXPECT_EQ(frame.to, peer.ip);
  }
  EXPECT_EQ(host().next_own_frame(), Start + Neighbours::AnswersHold);
}

TEST_F(NeighboursTest, AsksForAPeerOnItsLink) {
  own_frames(Start);
  for (const auto& [peer, us] : {std::pair(neighbour_v4, us_v4), std::pair(neighbour_v6, us_v6)}) {
    EXPECT_EQ(refusal_of(peer, Media), Refusal::NoRoute);
    EXPECT_LE(host().next_own_frame(), Start);
    const auto question = own_frame(Start);
    ASSERT_TRUE(question);
    deliver(us.ip.is_v6() ? advertisement_frame(peer.ip, us.ip, peer.ip, 0x60000000, 2, PeerMac).build()
                          : arp_frame(2, PeerMac, peer.ip, us.ip, OurMac));
    EXPECT_EQ(sent_to(peer, Media).to_mac, PeerMac);
  }
}

TEST_F(NeighboursTest, BelievesNothingThatItDidNotAskFor) {
  expect_drop(FrameDrop::NotAsked, arp_frame(2, Stranger, router_v4, us_v4.ip, OurMac));
  expect_drop(FrameDrop::NotAsked, router_advertises(0x60000000, Stranger));
  own_frames(Start);
  expect_drop(FrameDrop::NotAsked, arp_frame(2, Stranger, neighbour_v4.ip, us_v4.ip, OurMac));
  deliver(router_replies());
  deliver(router_advertises());
  // The question is answered: another answer is not welcome.
  expect_drop(FrameDrop::NotAsked, router_replies(Stranger));
  expect_drop(FrameDrop::NotAsked, router_advertises(0x20000000, Stranger));
  // Nor is a question an answer, whatever it says of its sender.
  deliver(arp_frame(1, Stranger, router_v4, us_v4.ip));
  deliver(arp_frame(1, Stranger, router_v4, router_v4));
  deliver(solicitation_frame(router_v6, us_v6.ip, us_v6.ip, 1, Stranger).build());
  EXPECT_EQ(sent_to(peer_v4, Media).to_mac, RouterMac);
  EXPECT_EQ(sent_to(peer_v6, Media).to_mac, RouterMac);
}

TEST_F(NeighboursTest, TakesNoGroupForANeighboursMac) {
  own_frames(Start);
  Octets reply = router_replies();
  reply[14 + 8] |= 1;
  expect_drop(FrameDrop::BadMac, reply);
  expect_drop(FrameDrop::BadMac, router_advertises(0x60000000, {{0x33, 0x33, 0, 0, 0, 1}}));
}

TEST_F(NeighboursTest, AsksAgainAfterASecondAndGivesUpAfterThree) {
  own_frames(Start);
  deliver(router_replies());
  deliver(router_advertises());
  EXPECT_EQ(refusal_of(neighbour_v4, Media), Refusal::NoRoute);
  Timestamp now = Start;
  for (int question = 0; question < Neighbours::Questions; ++question) {
    EXPECT_EQ(host().next_own_frame(), now);
    EXPECT_EQ(asked(now, Arp), std::vector{Broadcast});
    EXPECT_FALSE(own_frame(now + Neighbours::Patience - 1ns));
    now += Neighbours::Patience;
  }
  EXPECT_TRUE(asked(now, Arp).empty());
  EXPECT_EQ(host().next_own_frame(), Start + Neighbours::AnswersHold) << "the gateways' turn";
  EXPECT_EQ(refusal_of(neighbour_v4, Media, now), Refusal::NoRoute);
  EXPECT_EQ(asked(now, Arp).size(), 1u) << "who wants to send again has it asked again";
}

TEST_F(NeighboursTest, RefreshesItsGatewayAloneFirstAndThenByAskingEveryone) {
  own_frames(Start);
  deliver(router_replies());
  Timestamp now = Start + Neighbours::AnswersHold;
  EXPECT_EQ(asked(now, Arp), std::vector{RouterMac});
  EXPECT_EQ(sent_to(peer_v4, Media, now).to_mac, RouterMac) << "still good while it is being asked";
  now += Neighbours::Patience;
  EXPECT_EQ(asked(now, Arp), std::vector{RouterMac});
  now += Neighbours::Patience;
  EXPECT_EQ(asked(now, Arp), std::vector{Broadcast});
  EXPECT_EQ(sent_to(peer_v4, Media, now).to_mac, RouterMac);
  now += Neighbours::Patience;
  EXPECT_EQ(asked(now, Arp), std::vector{Broadcast});
  EXPECT_EQ(refusal_of(peer_v4, Media, now), Refusal::NoRoute) << "it is gone";
  deliver(router_replies(PeerMac), now);
  EXPECT_EQ(sent_to(peer_v4, Media, now).to_mac, PeerMac) << "and somebody else has taken over";
}

TEST_F(NeighboursTest, KeepsAGatewaysMacWhenAnAnswerDoesNotOverride) {
  own_frames(Start);
  deliver(router_advertises());
  const Timestamp later = Start + Neighbours::AnswersHold;
  ASSERT_FALSE(asked(later, Six).empty());
  deliver(router_advertises(0x40000000, Stranger), later);
  EXPECT_EQ(sent_to(peer_v6, Media, later).to_mac, RouterMac);
  deliver(router_advertises(0x60000000, PeerMac), later);
  EXPECT_EQ(sent_to(peer_v6, Media, later).to_mac, PeerMac);
}

TEST_F(NeighboursTest, TakesAnAnswerWithoutAMacForAConfirmation) {
  own_frames(Start);
  deliver(router_advertises());
  const Timestamp later = Start + Neighbours::AnswersHold;
  ASSERT_FALSE(asked(later, Six).empty());
  IpFrame confirmation = advertisement_frame(router_v6, us_v6.ip, router_v6, 0x60000000, 0, {});
  confirmation.from_mac = RouterMac;
  deliver(confirmation.build(), later);
  EXPECT_TRUE(asked(later + Neighbours::Patience, Six).empty());
  EXPECT_EQ(sent_to(peer_v6, Media, later + Neighbours::Patience).to_mac, RouterMac);
}

TEST_F(NeighboursTest, ForgetsANeighbourThatNobodySendsTo) {
  own_frames(Start);
  EXPECT_EQ(refusal_of(neighbour_v4, Media), Refusal::NoRoute);
  own_frames(Start);
  deliver(arp_frame(2, PeerMac, neighbour_v4.ip, us_v4.ip, OurMac));
  const Timestamp later = Start + Neighbours::AnswersHold;
  for (const ReadFrame& frame : own_frames(later)) EXPECT_NE(frame.to_mac, PeerMac);
  EXPECT_EQ(refusal_of(neighbour_v4, Media, later), Refusal::NoRoute);
}

TEST_F(NeighboursTest, AsksForNoMoreNeighboursThanItHasRoomForButKeepsThoseThatAnswer) {
  own_frames(Start);
  EXPECT_EQ(refusal_of(neighbour_v4, Media), Refusal::NoRoute);
  own_frames(Start);
  deliver(arp_frame(2, PeerMac, neighbour_v4.ip, us_v4.ip, OurMac));
  size_t questions = 0;
  for (int host_number = 10; host_number < 250; ++host_number) {
    refusal_of(at("192.0.2." + std::to_string(host_number), 5000), Media);
    questions += own_frames(Start).size();
  }
  EXPECT_GT(questions, 100u);
  EXPECT_LE(own_frames(Start + Neighbours::Patience).size(), 70u);
  EXPECT_EQ(sent_to(neighbour_v4, Media).to_mac, PeerMac);
}

TEST_F(NeighboursTest, AnnouncesItsAddressesThreeTimesASecondApart) {
  Interface quiet = both_families();
  quiet.gateways.clear();
  use(quiet, {}, true);
  for (int round = 0; round < Announcements::Rounds; ++round) {
    const Timestamp now = Start + round * Announcements::Interval;
    EXPECT_LE(host().next_own_frame(), now);
    const std::vector<ReadFrame> frames = own_frames(now);
    ASSERT_EQ(frames.size(), 3u);
    const Octets announcement = arp_frame(1, OurMac, us_v4.ip, us_v4.ip);
    EXPECT_EQ(frames[0].to_mac, Broadcast);
    EXPECT_TRUE(std::ranges::equal(frames[0].body, Bytes(announcement).subspan(14, 28)));
    EXPECT_EQ(frames[1].to_mac, Broadcast);
    EXPECT_EQ(frames[2].to, viaduct::testing::ip("ff02::1"));
    EXPECT_EQ(frames[2].body, advertisement_frame(us_v6.ip, frames[2].to, us_v6.ip, 0x20000000, 2, OurMac).payload);
    EXPECT_TRUE(own_frames(now + Announcements::Interval - 1ns).empty());
  }
  EXPECT_EQ(host().next_own_frame(), Never);
  EXPECT_EQ(host().counters().of(OwnFrame::Announcement), 9u);
}

TEST_F(NeighboursTest, LeavesTheAnnouncingToOneWorker) {
  Interface quiet = both_families();
  quiet.gateways.clear();
  use(quiet, {}, false);
  EXPECT_EQ(host().next_own_frame(), Never);
  EXPECT_FALSE(own_frame(Start));
}

}  // namespace
}  // namespace viaduct::dpdk::ip
