// A restart of ICE: other credentials, perhaps another address, and media goes on under the same keys.
#include "tests/packets/path_fixture.h"

namespace viaduct::testing {
namespace {

using path::Drop;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const SocketAddress Elsewhere{IpAddress::v4(0x0a000808), 888};

class Restart : public PathFixture {
 protected:
  conference::RestartIce restart_of(const TestClient& client) const {
    return {client.id(), "bridge-again", "client-again", "the-bridges-next-password", "the-clients-next-password"};
  }
  const Check Renewed{"bridge-again:client-again", "the-bridges-next-password"};
};

TEST_F(Restart, ForwardsMediaBeforeDuringAndAfterIt) {
  TestClient& receiver = join(2);
  TestClient& sender = join_sender(1);
  sender.checks = false;
  path.restart_ice(restart_of(sender), now_);
  send_now(sender, sender.mic(101));
  EXPECT_THAT(receiver.media, SizeIs(1));
  send_check(sender.address, Renewed);
  turn();
  EXPECT_EQ(counters.ice_restarted.value(), 1u);
  send_now(sender, sender.mic(102));
  EXPECT_THAT(receiver.media, SizeIs(2));
  EXPECT_THAT(dropped(), IsEmpty());
}

TEST_F(Restart, AnswersTheOldCredentialsUntilTheNewOnesAreUsed) {
  TestClient& client = join(1);
  client.checks = false;
  client.forget_received();
  path.restart_ice(restart_of(client), now_);
  send_check(client.address, check_of(client));
  turn();
  EXPECT_THAT(client.stun, SizeIs(1));
  send_check(client.address, Renewed);
  turn();
  EXPECT_THAT(client.stun, SizeIs(2));
  EXPECT_EQ(counters.ice_restarted.value(), 1u);
  send_check(client.address, check_of(client));
  turn();
  EXPECT_THAT(client.stun, SizeIs(2));
  EXPECT_EQ(drops(Drop::StunUnknownUser), 1u);
}

// A laptop that was carried from one network to another.
TEST_F(Restart, SendsToTheAddressThatIsNominatedAfterAnOutage) {
  TestClient& receiver = join(2);
  TestClient& sender = join_sender(1);
  receiver.checks = false;
  run_for(20s);
  receiver.forget_received();
  path.restart_ice(restart_of(receiver), now_);
  send_check(Elsewhere, Renewed);
  turn();
  for (const uint16_t sequence : {uint16_t{103}, uint16_t{104}, uint16_t{105}}) send_now(sender, sender.mic(sequence));
  EXPECT_THAT(receiver.media, IsEmpty());
  const auto arrived = network.receive(Elsewhere, now_);
  EXPECT_TRUE(std::ranges::any_of(arrived, [](const Datagram& d) {
    return d.bytes.at(0) >= 128 && !rtcp::is_rtcp(d.bytes);
  }));
  EXPECT_THAT(reports_of<conference::EndpointGone>(), IsEmpty());

  run_for(20s);
  send_check(Elsewhere, Renewed);
  run_for(20s);
  EXPECT_THAT(reports_of<conference::EndpointGone>(), IsEmpty()) << "consent counts from the last check";
}

TEST_F(Restart, GivesAClientTimeToComeBackThatWasNearlyLost) {
  TestClient& client = join(1);
  client.checks = false;
  run_for(28s);
  path.restart_ice(restart_of(client), now_);
  run_for(10s);
  EXPECT_THAT(reports_of<conference::EndpointGone>(), IsEmpty());
  send_check(client.address, Renewed);
  run_for(20s);
  EXPECT_THAT(reports_of<conference::EndpointGone>(), IsEmpty());
  run_for(11s);
  EXPECT_THAT(reports_of<conference::EndpointGone>(), SizeIs(1));
}

TEST_F(Restart, LeavesNoUserNameBehind) {
  TestClient& client = join(1);
  path.restart_ice(restart_of(client), now_);
  auto second = restart_of(client);
  second.local_ufrag = "bridge-third";
  path.restart_ice(second, now_);
  send_check(client.address, Renewed);
  turn();
  EXPECT_EQ(drops(Drop::StunUnknownUser), 1u) << "that of a restart that another has replaced";
  leave(client);
  for (const std::string& ufrag : {client.bridge_ufrag, std::string("bridge-third")}) {
    send_check(client.address, {ufrag + ":client-again", "the-bridges-next-password"});
    turn();
  }
  EXPECT_EQ(drops(Drop::StunUnknownUser), 3u);
  path.restart_ice(restart_of(client), now_);
  send_check(client.address, Renewed);
  turn();
  EXPECT_EQ(drops(Drop::StunUnknownUser), 4u) << "nobody's restart does nothing";
}

}  // namespace
}  // namespace viaduct::testing
