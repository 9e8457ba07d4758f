// Step 2: what kind of packet is it, and whose?
#include "protocol/stun/message_writer.h"
#include "tests/packets/path_fixture.h"

namespace viaduct::testing {
namespace {

using path::Drop;
using path::PacketKind;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const SocketAddress Stranger{IpAddress::v4(0x0a000909), 999};
const SocketAddress Elsewhere{IpAddress::v4(0x0a000808), 888};

class Demux : public PathFixture {
 protected:
  uint64_t received(PacketKind kind) const {
    return counters.received[static_cast<size_t>(kind)].packets.value();
  }
  // What has come to an address that is no client's.
  std::vector<Datagram> arrived_at(const SocketAddress& address) {
    network.attach(address);
    return network.receive(address, now_);
  }
};

// RFC 7983 section 7.
TEST_F(Demux, SortsDatagramsByTheirFirstByte) {
  const struct {
    int first, last;
    PacketKind kind;
  } rows[] = {
      {0, 3, PacketKind::Stun},       {4, 19, PacketKind::Unknown}, {20, 63, PacketKind::Dtls},
      {64, 127, PacketKind::Unknown}, {128, 191, PacketKind::Rtp},  {192, 255, PacketKind::Unknown},
  };
  for (const auto& row : rows) {
    for (int first = row.first; first <= row.last; ++first) {
      const uint64_t before = received(row.kind);
      std::vector<uint8_t> datagram(40);
      datagram[0] = static_cast<uint8_t>(first);
      send(Stranger, datagram);
      turn();
      EXPECT_EQ(received(row.kind), before + 1) << first;
    }
  }
}

TEST_F(Demux, TellsRtcpFromRtpByTheSecondByte) {
  for (int second = 0; second < 256; ++second) {
    const auto kind = second >= 192 && second <= 223 ? PacketKind::Rtcp : PacketKind::Rtp;
    const uint64_t before = received(kind);
    std::vector<uint8_t> datagram(40);
    datagram[0] = 0x80;
    datagram[1] = static_cast<uint8_t>(second);
    send(Stranger, datagram);
    turn();
    EXPECT_EQ(received(kind), before + 1) << second;
  }
}

// Every length up to 40 and every first byte of RTP and RTCP, from a client with keys.
// AddressSanitizer watches.
TEST_F(Demux, ReadsNoShortPacketPastItsEnd) {
  TestClient& receiver = join(2);
  TestClient& sender = join_sender(1);
  SeededRandom random(3);
  for (const int second : {111, 96, 200, 201, 205, 206}) {
    for (int first = 128; first <= 191; ++first) {
      for (size_t length = 0; length <= 40; ++length) {
        std::vector<uint8_t> datagram(length);
        random.fill(datagram);
        if (length > 0) datagram[0] = static_cast<uint8_t>(first);
        if (length > 1) datagram[1] = static_cast<uint8_t>(second);
        if (length >= 12 && first % 2 == 0) store_be32(&datagram[8], sender.ssrc(1));
        send(sender, datagram);
      }
      turn();
    }
  }
  EXPECT_THAT(receiver.media, IsEmpty());
  send_now(sender, sender.mic(101));
  EXPECT_THAT(receiver.media, SizeIs(1)) << "the call goes on";
}

TEST_F(Demux, AnswersACheckWithTheAddressItCameFromInNoMoreBytes) {
  TestClient& client = add(TestClient::like_chromium(1));
  size_t request_bytes = 0;
  network.add_tap([&](const Datagram& d) {
    if (d.to == bridge) request_bytes = d.bytes.size();
  });
  send_check(client.address, check_of(client));
  turn();
  ASSERT_THAT(client.stun, SizeIs(1));
  const auto reply = stun::parse_message(client.stun[0]);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->message_class, stun::MessageClass::Success);
  EXPECT_EQ(reply->mapped, client.address);
  EXPECT_TRUE(stun::integrity_ok(*reply, client.bridge_password));
  EXPECT_LE(client.stun[0].size(), request_bytes);
}

TEST_F(Demux, AnswersNothingThatIsNotAuthenticated) {
  TestClient& client = add(TestClient::like_chromium(1));
  const struct {
    Check check;
    Drop reason;
  } rows[] = {
      {{client.bridge_ufrag + ":" + client.ufrag, "the-wrong-password-0000"}, Drop::StunRefused},
      {{client.bridge_ufrag + ":somebody", client.bridge_password}, Drop::StunRefused},
      {{client.bridge_ufrag, client.bridge_password}, Drop::StunRefused},
      {{"nobody:" + client.ufrag, client.bridge_password}, Drop::StunUnknownUser},
      {{"", client.bridge_password}, Drop::StunUnknownUser},
  };
  for (const auto& row : rows) {
    const uint64_t before = drops(row.reason);
    send_check(client.address, row.check);
    turn();
    EXPECT_EQ(drops(row.reason), before + 1) << row.check.username;
  }
  EXPECT_THAT(client.stun, IsEmpty());
  EXPECT_EQ(snapshot_of(client).state, "checking");
}

TEST_F(Demux, AnswersNoIndication) {
  TestClient& client = add(TestClient::like_chromium(1));
  uint8_t space[200];
  stun::MessageWriter writer(space, stun::MessageClass::Indication, stun::BindingMethod, {});
  writer.attribute(0x0006, as_bytes(check_of(client).username));
  writer.message_integrity(client.bridge_password);
  writer.fingerprint();
  send(client, Bytes(space).first(writer.finish()));
  turn();
  EXPECT_THAT(client.stun, IsEmpty());
  EXPECT_EQ(drops(Drop::StunRefused), 1u);
}

TEST_F(Demux, AnswersARoleConflictAndLearnsNothingFromIt) {
  TestClient& client = add(TestClient::like_chromium(1));
  Check check = check_of(client);
  check.controlled = true;
  send_check(client.address, check);
  turn();
  ASSERT_THAT(client.stun, SizeIs(1));
  EXPECT_EQ(stun::parse_message(client.stun[0])->error_code, stun::RoleConflict);
  EXPECT_EQ(snapshot_of(client).remote_address, "");
  EXPECT_FALSE(client.srtp) << "no session was opened";
}

TEST_F(Demux, DropsAllButStunFromAnAddressThatNobodyHasProved) {
  TestClient& client = join(1);
  const std::vector<uint8_t> dtls = {22, 254, 253, 0, 0};
  send(Stranger, dtls);
  send(Stranger, protect(client, client.mic(1)));
  const std::vector<uint8_t> report = {0x80, 201, 0, 1, 0, 0, 0, 1};
  send(Stranger, client.srtp->protect_rtcp(report));
  turn();
  EXPECT_EQ(drops(Drop::UnknownAddress), 3u);
  EXPECT_THAT(requests, IsEmpty());
  EXPECT_THAT(arrived_at(Stranger), IsEmpty());
}

TEST_F(Demux, ForwardsNoMediaFromAThirdAddressAndSendsNoneThere) {
  TestClient& receiver = join(2);
  TestClient& sender = join_sender(1);
  send(Stranger, protect(sender, sender.mic(101)));
  send(Stranger, protect(receiver, receiver.mic(1)));
  turn();
  EXPECT_THAT(receiver.media, IsEmpty());
  EXPECT_EQ(drops(Drop::UnknownAddress), 2u);
  EXPECT_EQ(snapshot_of(receiver).remote_address, receiver.address.to_string());

  send_now(sender, sender.mic(102));
  EXPECT_THAT(receiver.media, SizeIs(1));
  EXPECT_THAT(arrived_at(Stranger), IsEmpty());
}

TEST_F(Demux, LetsNobodyTakeTheAddressOfAClientThatIsAlive) {
  TestClient& owner = join(1);
  TestClient& thief = join(2);
  forget_received();
  send_check(owner.address, check_of(thief));
  turn();
  EXPECT_EQ(drops(Drop::StunAddressTaken), 1u);
  EXPECT_THAT(owner.stun, IsEmpty());
  EXPECT_EQ(snapshot_of(owner).remote_address, owner.address.to_string());
  EXPECT_EQ(snapshot_of(thief).remote_address, thief.address.to_string());

  owner.checks = false;
  run_for(31s);
  send_check(owner.address, check_of(thief));
  turn();
  EXPECT_EQ(drops(Drop::StunAddressTaken), 1u) << "nobody sends from there any more";
  EXPECT_EQ(snapshot_of(thief).remote_address, owner.address.to_string());
}

TEST_F(Demux, FollowsAClientToTheAddressThatItNominates) {
  TestClient& receiver = join(2);
  TestClient& sender = join_sender(1);
  send_check(Elsewhere, check_of(receiver));
  turn();
  forget_received();
  arrived_at(Elsewhere);
  send_now(sender, sender.mic(101));
  EXPECT_THAT(receiver.media, IsEmpty());
  const auto moved = arrived_at(Elsewhere);
  ASSERT_THAT(moved, SizeIs(1));
  receiver.handle(moved[0].bytes, bridge, now_);
  EXPECT_THAT(receiver.media, SizeIs(1)) << "the same stream under the same keys";

  send(Elsewhere, protect(receiver, receiver.mic(1)));
  send(receiver, receiver.mic(2));
  turn();
  EXPECT_EQ(drops(Drop::UnknownAddress), 0u) << "both addresses are the client's";
}

TEST_F(Demux, StaysWithTheNominatedAddressWhenAnotherIsMerelyChecked) {
  TestClient& receiver = join(2);
  TestClient& sender = join_sender(1);
  Check check = check_of(receiver);
  check.use_candidate = false;
  send_check(Elsewhere, check);
  send_now(sender, sender.mic(101));
  EXPECT_THAT(receiver.media, SizeIs(1));
  EXPECT_THAT(arrived_at(Elsewhere), SizeIs(1)) << "the answer to the check";
}

TEST_F(Demux, ForgetsTheAddressThatWasSilentForLongest) {
  TestClient& client = join(1);
  Check check = check_of(client);
  check.use_candidate = false;
  std::vector<SocketAddress> others;
  for (size_t i = 0; i < limits::ValidatedAddressesPerEndpoint; ++i) {
    others.push_back({IpAddress::v4(0x0a000200), static_cast<uint16_t>(1000 + i)});
    send_check(others.back(), check);
    turn();
    now_ += 1ms;
  }
  send(others[1], protect(client, client.mic(1)));
  send(client, client.mic(2));
  turn();
  EXPECT_EQ(drops(Drop::UnknownAddress), 0u);
  send(others[0], protect(client, client.mic(3)));
  turn();
  EXPECT_EQ(drops(Drop::UnknownAddress), 1u);
}

TEST_F(Demux, OpensOneSessionForAClientThatHasAnsweredIce) {
  handshakes_stalled = true;
  TestClient& client = add(TestClient::like_chromium(1));
  send_check(client.address, check_of(client));
  send_check(client.address, check_of(client));
  turn();
  const auto first = port.take_request();
  ASSERT_TRUE(first);
  const auto* open = std::get_if<path::OpenSession>(&*first);
  ASSERT_NE(open, nullptr);
  EXPECT_EQ(open->role, dtls::Role::Server);
  EXPECT_EQ(open->expected.algorithm, "sha-256");
  EXPECT_EQ(open->expected.digest, pattern(32, 1));
  EXPECT_FALSE(port.take_request());
  EXPECT_EQ(snapshot_of(client).state, "handshaking");
}

TEST_F(Demux, PassesDtlsBothWaysAsItIs) {
  TestClient& client = join(1);
  const std::vector<uint8_t> from_client = {22, 254, 253, 1, 2, 3};
  const std::vector<uint8_t> to_client = {22, 254, 253, 4, 5};
  send(client, from_client);
  turn();
  ASSERT_THAT(requests, SizeIs(1));
  const auto& passed = std::get<path::SessionDatagram>(requests[0]);
  EXPECT_EQ(passed.endpoint, handles.at(1));
  EXPECT_EQ(passed.bytes, from_client);

  ASSERT_TRUE(port.reply(path::SessionDatagram{handles.at(1), to_client}));
  turn();
  EXPECT_THAT(client.dtls, ElementsAreArray({to_client}));
}

TEST_F(Demux, PassesAHundredDtlsDatagramsOfAClientASecond) {
  TestClient& client = join(1);
  const std::vector<uint8_t> dtls = {22, 254, 253, 0};
  for (int second = 1; second <= 3; ++second) {
    for (int i = 0; i < 500; ++i) send(client, dtls);
    run_for(1s);
    EXPECT_EQ(requests.size(), 100u * static_cast<size_t>(second));
  }
  EXPECT_EQ(drops(Drop::DtlsRate), 1200u);
}

TEST_F(Demux, TakesNoMediaBeforeTheKeysAreThere) {
  gives_keys = false;
  TestClient& client = add(TestClient::like_chromium(1));
  run_for(20ms);
  send(client, write_rtp(client.mic(1), client.options.extensions));
  turn();
  EXPECT_EQ(drops(Drop::NotConnected), 1u);
}

TEST_F(Demux, EndsAClientThatNeverChecks) {
  TestClient& client = add(TestClient::like_chromium(1));
  client.checks = false;
  run_for(29s);
  EXPECT_THAT(reports_of<conference::EndpointGone>(), IsEmpty());
  run_for(2s);
  const auto gone = reports_of<conference::EndpointGone>();
  ASSERT_THAT(gone, SizeIs(1));
  EXPECT_EQ(gone[0].endpoint, client.id());
  EXPECT_EQ(gone[0].reason, conference::GoneReason::ConsentLost);
}

TEST_F(Demux, TellsTheHandshakesOfAWayThatIsNarrow) {
  TestClient& alice = join(1);
  requests.clear();
  io.path_news = {{alice.address, 700}, {{IpAddress::v4(0x0a0000ee), 9}, 600}};
  run_for(200ms);
  const auto narrowed = [&] {
    std::vector<path::NarrowPath> out;
    for (const auto& request : requests) {
      if (const auto* narrow = std::get_if<path::NarrowPath>(&request)) out.push_back(*narrow);
    }
    return out;
  }();
  ASSERT_THAT(narrowed, SizeIs(1)) << "the other address is nobody's";
  EXPECT_EQ(narrowed[0].endpoint, handles.at(1));
  EXPECT_EQ(narrowed[0].bytes, 700);
}

}  // namespace
}  // namespace viaduct::testing
