// Echo, port unreachable, and errors that are believed or not.
#include <array>

#include "tests/unit/ip/host_fixture.h"

namespace viaduct::dpdk::ip {
namespace {

const Octets Ping = octets("0123456789 of a ping");

class IcmpTest : public HostTest {
 protected:
  // An error by a router about a datagram of ours, of which it quotes so much.
  IpFrame error_about(const SocketAddress& us, const SocketAddress& peer, uint8_t type, uint8_t code, uint32_t rest,
                      size_t payload_bytes = 1400, size_t quoted = 28) {
    const IpFrame ours = udp_frame(us, peer, Octets(payload_bytes));
    const Octets whole = ours.build();
    const size_t bytes = quoted + (us.ip.is_v6() ? 20 : 0);
    return icmp_frame(viaduct::testing::ip(us.ip.is_v6() ? "2001:db8::fe" : "192.0.2.254"), us.ip, type, code, rest,
                      Bytes(whole).subspan(14, bytes));
  }
};

TEST_F(IcmpTest, AnswersAnEcho) {
  for (const auto& [from, us] : {std::pair(peer_v4.ip, us_v4.ip), std::pair(peer_v6.ip, us_v6.ip)}) {
    for (size_t bytes = 0; bytes < Ping.size(); ++bytes) {
      const bool v6 = us.is_v6();
      const Bytes body = Bytes(Ping).first(bytes);
      IpFrame ping = icmp_frame(from, us, v6 ? 128 : 8, 0, 0x12345678, body);
      ping.from_mac = RouterMac;
      const ReadFrame pong = deliver(ping.build()).answer();
      EXPECT_EQ(pong.to_mac, RouterMac);
      EXPECT_EQ(pong.from_mac, OurMac);
      EXPECT_EQ(pong.from, us);
      EXPECT_EQ(pong.to, from);
      EXPECT_EQ(pong.hops, 64);
      EXPECT_EQ(pong.body, icmp_message(us, from, v6 ? 129 : 0, 0, 0x12345678, body));
    }
  }
}

TEST_F(IcmpTest, AnswersAnEchoWithOptionsAndTagWithoutThem) {
  IpFrame ping = icmp_frame(peer_v4.ip, us_v4.ip, 8, 0, 1, Ping);
  ping.options = {0x94, 4, 0, 0};
  ping.tag = 0xe000;
  ping.padding = 7;
  const ReadFrame pong = deliver(ping.build(), Start, 0).answer();
  EXPECT_FALSE(pong.tag);
  EXPECT_EQ(pong.body, icmp_message(us_v4.ip, peer_v4.ip, 0, 0, 1, Ping));
}

TEST_F(IcmpTest, AnswersAnEchoWithoutAnyRoomBehindIt) {
  EXPECT_EQ(deliver(icmp_frame(peer_v4.ip, us_v4.ip, 8, 0, 1, Ping).build(), Start, 0).verdict(), Verdict::Answer);
  EXPECT_EQ(deliver(icmp_frame(peer_v6.ip, us_v6.ip, 128, 0, 1, Ping).build(), Start, 0).verdict(), Verdict::Answer);
}

TEST_F(IcmpTest, NoticesEveryFlippedBitOfAnEcho) {
  const Octets sound = icmp_frame(peer_v6.ip, us_v6.ip, 128, 0, 1, Ping).build();
  for (size_t bit = 54 * 8; bit < sound.size() * 8; ++bit) {
    Octets frame = sound;
    frame[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    EXPECT_EQ(deliver(frame).verdict(), Verdict::Drop) << bit;
  }
}

TEST_F(IcmpTest, AnswersNoEchoThatIsCutShort) {
  const Octets ping = icmp_frame(peer_v4.ip, us_v4.ip, 8, 0, 1, Ping).build();
  for (size_t bytes = 0; bytes < ping.size(); ++bytes) {
    EXPECT_EQ(deliver(Bytes(ping).first(bytes), Start, 0).verdict(), Verdict::Drop);
  }
  IpFrame tiny = icmp_frame(peer_v4.ip, us_v4.ip, 8, 0, 1, {});
  tiny.payload.resize(7);
  expect_drop(FrameDrop::Malformed, tiny.build());
}

TEST_F(IcmpTest, AnswersNoEchoToEveryone) {
  IpFrame ping = icmp_frame(peer_v4.ip, viaduct::testing::ip("192.0.2.255"), 8, 0, 1, Ping);
  ping.to_mac = Broadcast;
  expect_drop(FrameDrop::OtherAddress, ping.build());
  ping = icmp_frame(peer_v6.ip, viaduct::testing::ip("ff02::1"), 128, 0, 1, Ping);
  ping.to_mac = {{0x33, 0x33, 0, 0, 0, 1}};
  expect_drop(FrameDrop::OtherAddress, ping.build());
  expect_drop(FrameDrop::BadSource,
              icmp_frame(viaduct::testing::ip("::"), us_v6.ip, 128, 0, 1, Ping).build());
}

TEST_F(IcmpTest, AnswersNoEchoThatIsLongerThanItsMtu) {
  EXPECT_EQ(deliver(icmp_frame(peer_v4.ip, us_v4.ip, 8, 0, 1, Octets(1500 - 28)).build()).verdict(), Verdict::Answer);
  expect_drop(FrameDrop::NoRoom, icmp_frame(peer_v4.ip, us_v4.ip, 8, 0, 1, Octets(1500 - 27)).build());
}

TEST_F(IcmpTest, AnswersSoManyEchoesASecondAndNoMore) {
  const Octets ping = icmp_frame(peer_v4.ip, us_v4.ip, 8, 0, 1, Ping).build();
  const auto answered = [&](Timestamp now) {
    int answers = 0;
    for (int i = 0; i < 1000; ++i) answers += deliver(ping, now).verdict() == Verdict::Answer;
    return answers;
  };
  EXPECT_EQ(answered(Start), 200);
  EXPECT_EQ(answered(Start), 0);
  EXPECT_EQ(answered(Start + 500ms), 50);
  EXPECT_EQ(host().counters().of(FrameDrop::RateLimited), 2750u);
}

TEST_F(IcmpTest, TellsThatAPortIsClosed) {
  for (const auto& [from, us] : {std::pair(peer_v4, us_v4), std::pair(peer_v6, us_v6)}) {
    const bool v6 = us.ip.is_v6();
    const Octets frame = udp_frame(from, {us.ip, 9999}, Ping).build();
    const ReadFrame error = deliver(frame).answer();
    EXPECT_EQ(error.to_mac, PeerMac);
    EXPECT_EQ(error.from, us.ip);
    EXPECT_EQ(error.to, from.ip);
    EXPECT_EQ(error.body, icmp_message(us.ip, from.ip, v6 ? 1 : 3, v6 ? 4 : 3, 0, Bytes(frame).subspan(14)));
  }
  EXPECT_EQ(host().counters().of(FrameKind::ClosedPort), 2u);
}

TEST_F(IcmpTest, QuotesNoMoreThanAnyPathCarries) {
  ReadFrame error = deliver(udp_frame(peer_v4, {us_v4.ip, 9}, Octets(1400)).build(), Start, 0).answer();
  EXPECT_EQ(error.body.size() + 20, 576u);
  error = deliver(udp_frame(peer_v6, {us_v6.ip, 9}, Octets(1400)).build(), Start, 0).answer();
  EXPECT_EQ(error.body.size() + 40, 1280u);
}

TEST_F(IcmpTest, SaysNothingOfAClosedPortWhereTheAnswerDoesNotFit) {
  const Octets frame = udp_frame(peer_v4, {us_v4.ip, 9}, Ping).build();
  for (size_t room = 0; room < 28; ++room) {
    EXPECT_EQ(deliver(frame, Start, room).verdict(), Verdict::Drop);
  }
  EXPECT_EQ(host().counters().of(FrameDrop::NoRoom), 28u);
  EXPECT_EQ(deliver(frame, Start, 28).verdict(), Verdict::Answer);
}

TEST_F(IcmpTest, SaysNothingOfAClosedPortToWhoIsNotSound) {
  Octets frame = udp_frame(peer_v4, {us_v4.ip, 9}, Ping).build();
  frame.back() ^= 1;
  expect_drop(FrameDrop::UdpChecksum, frame);
  expect_drop(FrameDrop::BadSource, udp_frame(at("192.0.2.255", 5000), {us_v4.ip, 9}, Ping).build());
  IpFrame to_all = udp_frame(peer_v4, {us_v4.ip, 9}, Ping);
  to_all.to_mac = Broadcast;
  expect_drop(FrameDrop::OtherMac, to_all.build());
  expect_drop(FrameDrop::OtherAddress, udp_frame(peer_v4, at("192.0.2.255", 9), Ping).build());
}

TEST_F(IcmpTest, TellsOfClosedPortsSoManyTimesASecondAndNoMore) {
  const Octets frame = udp_frame(peer_v4, {us_v4.ip, 9}, Ping).build();
  int answers = 0;
  for (int i = 0; i < 1000; ++i) answers += deliver(frame).verdict() == Verdict::Answer;
  EXPECT_EQ(answers, 200);
  EXPECT_EQ(deliver(icmp_frame(peer_v4.ip, us_v4.ip, 8, 0, 1, Ping).build()).verdict(), Verdict::Answer)
      << "and echo has a measure of its own";
}

TEST_F(IcmpTest, ReportsWhatAPathCanCarry) {
  prove(peer_v4, us_v4, RouterMac);
  prove(peer_v6, us_v6, RouterMac);
  EXPECT_EQ(deliver(error_about(us_v4, peer_v4, 3, 4, 1300).build()).verdict(), Verdict::Drop) << "consumed";
  EXPECT_EQ(deliver(error_about(us_v6, peer_v6, 2, 0, 1340).build()).verdict(), Verdict::Drop);
  EXPECT_EQ(host().counters().of(FrameKind::PacketTooBig), 2u);
  EXPECT_EQ(host().take_path_mtu(), (PathMtu{peer_v4, 1300}));
  EXPECT_EQ(host().take_path_mtu(), (PathMtu{peer_v6, 1340}));
  EXPECT_EQ(host().take_path_mtu(), std::nullopt);
}

TEST_F(IcmpTest, TalksNobodyIntoLessThanAnyPathCarries) {
  prove(peer_v4, us_v4, RouterMac);
  prove(peer_v6, us_v6, RouterMac);
  deliver(error_about(us_v4, peer_v4, 3, 4, 68).build());
  deliver(error_about(us_v6, peer_v6, 2, 0, 0).build());
  EXPECT_EQ(host().take_path_mtu(), (PathMtu{peer_v4, 576}));
  EXPECT_EQ(host().take_path_mtu(), (PathMtu{peer_v6, 1280}));
}

TEST_F(IcmpTest, GuessesForARouterThatDoesNotTell) {
  prove(peer_v4, us_v4, RouterMac);
  deliver(error_about(us_v4, peer_v4, 3, 4, 0, 1472).build());
  EXPECT_EQ(host().take_path_mtu(), (PathMtu{peer_v4, 1492}));
  deliver(error_about(us_v4, peer_v4, 3, 4, 0, 1464).build());
  EXPECT_EQ(host().take_path_mtu(), (PathMtu{peer_v4, 1006}));
}

TEST_F(IcmpTest, BelievesNoErrorAboutWhatItCannotHaveSent) {
  expect_drop(FrameDrop::NotBelieved, error_about(us_v4, peer_v4, 3, 4, 1300).build());  // nobody that we talk to
  prove(peer_v4, us_v4, RouterMac);
  expect_drop(FrameDrop::NotBelieved, error_about(us_v4, at("198.51.100.7", 5001), 3, 4, 1300).build());
  expect_drop(FrameDrop::NotBelieved, error_about({us_v4.ip, 22}, peer_v4, 3, 4, 1300).build());
  expect_drop(FrameDrop::OtherWorker, error_about({us_v4.ip, FirstPort}, peer_v4, 3, 4, 1300).build());
  IpFrame quoting_another = error_about(at("192.0.2.50", Port), peer_v4, 3, 4, 1300);
  quoting_another.to = us_v4.ip;
  expect_drop(FrameDrop::NotBelieved, quoting_another.build());
  expect_drop(FrameDrop::NotBelieved, error_about(us_v4, peer_v4, 3, 4, 1428).build());  // as long as it was
  expect_drop(FrameDrop::NotBelieved, error_about(us_v4, peer_v4, 3, 4, 1300, 100).build());  // longer than it was
  expect_drop(FrameDrop::NotBelieved, error_about(us_v4, peer_v4, 3, 4, 1300, 1400, 27).build());  // without all ports
  Octets wrong = error_about(us_v4, peer_v4, 3, 4, 1300).build();
  wrong.back() ^= 1;
  expect_drop(FrameDrop::IcmpChecksum, wrong);
  EXPECT_EQ(host().take_path_mtu(), std::nullopt);
}

TEST_F(IcmpTest, CountsOtherErrorsAndNeverAnswersOne) {
  prove(peer_v4, us_v4, RouterMac);
  prove(peer_v6, us_v6, RouterMac);
  for (const uint8_t type : std::to_array<uint8_t>({3, 4, 5, 11, 12})) {
    EXPECT_EQ(deliver(error_about(us_v4, peer_v4, type, 3, 0).build()).verdict(), Verdict::Drop);
  }
  for (const uint8_t type : std::to_array<uint8_t>({1, 3, 4})) {
    EXPECT_EQ(deliver(error_about(us_v6, peer_v6, type, 4, 0).build()).verdict(), Verdict::Drop);
  }
  EXPECT_EQ(host().counters().of(FrameKind::IcmpError), 8u);
  EXPECT_EQ(host().take_path_mtu(), std::nullopt);
}

TEST_F(IcmpTest, KeepsTheLatestNewsOfFewPeers) {
  for (uint16_t port = 5000; port < 5000 + 2 * PathMtuReports::Capacity; ++port) {
    prove(at("198.51.100.7", port), us_v4, RouterMac, port);
    deliver(error_about(us_v4, at("198.51.100.7", port), 3, 4, 1400).build());
    deliver(error_about(us_v4, at("198.51.100.7", port), 3, 4, 1300).build());
  }
  size_t reports = 0;
  for (; const auto report = host().take_path_mtu(); ++reports) {
    EXPECT_EQ(report->bytes, 1300);
    EXPECT_EQ(report->peer.port, 5000 + PathMtuReports::Capacity + reports);
  }
  EXPECT_EQ(reports, PathMtuReports::Capacity);
}

}  // namespace
}  // namespace viaduct::dpdk::ip
