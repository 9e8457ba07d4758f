// The fake client against the real agent: what each expects of the other, on virtual time.

#include "tests/support/ice_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/random.h"
#include "limits.h"
#include "protocol/ice/ice_lite.h"

namespace viaduct::testing {
namespace {

const ice::Credentials Bridge{"brdg", "bridge-password-of-22+"};
const ice::Credentials Client{"peer", "client-password-of-22+"};
const SocketAddress BridgeAddress{IpAddress::v4(0xc0000201), 10000};
const SocketAddress Home{IpAddress::v4(0xcb007101), 50000};
const SocketAddress Phone{IpAddress::v4(0xcb007202), 60000};
constexpr Timestamp Start = Timestamp{} + 100s;

class IceClientTest : public ::testing::Test {
 protected:
  // Runs both until `end`. Datagrams arrive at once, those to the bridge only while `bridge_reachable_`.
  void run_until(Timestamp end) {
    while (true) {
      exchange();
      if (client_.next_deadline() > end) break;
      now_ = client_.next_deadline();
      client_.handle_timeout(now_);
    }
    now_ = end;
  }

  void exchange() {
    std::vector<uint8_t> datagram;
    while (client_.poll_output(&datagram)) {
      sent_at_.push_back(now_);
      if (!bridge_reachable_) continue;
      const auto request = stun::parse_message(datagram);
      ASSERT_TRUE(request);
      const auto outcome = agent_.handle(*request, client_address_, now_, out_);
      if (outcome.reply_bytes > 0) client_.handle(Bytes(out_).first(outcome.reply_bytes), BridgeAddress, now_);
    }
  }

  SeededRandom random_{1};
  Timestamp now_ = Start;
  IceClient client_{Client, Bridge, BridgeAddress, random_, Start};
  ice::IceLite agent_{Bridge, Client, Start};
  SocketAddress client_address_ = Home;
  bool bridge_reachable_ = true;
  std::vector<Timestamp> sent_at_;
  std::array<uint8_t, limits::MaxPacketBytes> out_{};
};

TEST_F(IceClientTest, ConnectsByOneCheckThatNominates) {
  exchange();
  EXPECT_TRUE(client_.connected());
  EXPECT_EQ(client_.mapped_address(), Home);
  EXPECT_EQ(agent_.selected(), Home);
  EXPECT_EQ(sent_at_.size(), 1u);
}

TEST_F(IceClientTest, KeepsConsentByChecksAtRandomIntervals) {
  run_until(Start + 600s);
  EXPECT_TRUE(client_.connected());
  EXPECT_TRUE(agent_.has_consent(now_));
  ASSERT_GT(sent_at_.size(), 100u);
  Duration shortest = 1h;
  Duration longest{};
  for (size_t i = 1; i < sent_at_.size(); ++i) {
    shortest = std::min(shortest, sent_at_[i] - sent_at_[i - 1]);
    longest = std::max(longest, sent_at_[i] - sent_at_[i - 1]);
  }
  EXPECT_GE(shortest, 4s);
  EXPECT_LT(longest, 6s);
  EXPECT_GT(longest - shortest, 1s);
  EXPECT_LT(longest, ice::SelectedAddressPatience);
}

TEST_F(IceClientTest, RepeatsAnUnansweredCheckAfterDoublingTimesAndThenGivesUp) {
  bridge_reachable_ = false;
  run_until(Start + 60s);
  std::vector<Duration> since_start;
  for (const Timestamp at : sent_at_) since_start.push_back(at - Start);
  EXPECT_EQ(since_start, (std::vector<Duration>{0ms, 500ms, 1500ms, 3500ms, 7500ms, 15'500ms, 31'500ms}));
  EXPECT_TRUE(client_.failed());
  EXPECT_EQ(client_.next_deadline(), Never);
}

TEST_F(IceClientTest, BothSidesNoticeAfterThirtySecondsThatTheOtherIsGone) {
  run_until(Start + 10s);
  const Timestamp last_check = sent_at_.back();
  bridge_reachable_ = false;
  run_until(Start + 60s);
  EXPECT_TRUE(client_.failed());
  EXPECT_TRUE(agent_.has_consent(last_check + 30s - 1ns));
  EXPECT_FALSE(agent_.has_consent(last_check + 30s));
}

TEST_F(IceClientTest, TakesTheCallToAnotherAddress) {
  run_until(Start + 10s);
  client_address_ = Phone;
  client_.restart_checks(now_);
  EXPECT_FALSE(client_.connected());
  exchange();
  EXPECT_TRUE(client_.connected());
  EXPECT_EQ(client_.mapped_address(), Phone);
  EXPECT_EQ(agent_.selected(), Phone);
}

TEST_F(IceClientTest, IsFoundAgainBehindANewNatBindingByItsNextConsentCheck) {
  run_until(Start + 10s);
  client_address_ = Phone;
  run_until(Start + 16s);
  EXPECT_TRUE(client_.connected());
  EXPECT_EQ(agent_.selected(), Phone);
}

TEST_F(IceClientTest, TakesOnlyTheAuthenticAnswerToItsRequestFromWhereItWasSent) {
  std::vector<uint8_t> datagram;
  ASSERT_TRUE(client_.poll_output(&datagram));
  const auto request = stun::parse_message(datagram);
  const auto answer = [&](std::string_view password, stun::TransactionId transaction) {
    return Bytes(out_).first(
        stun::write_binding_success(out_, {.transaction = transaction, .mapped = Home, .password = password}));
  };
  EXPECT_FALSE(client_.handle(answer(Bridge.password, request->transaction), Phone, now_));
  EXPECT_FALSE(client_.handle(answer(Client.password, request->transaction), BridgeAddress, now_));
  EXPECT_FALSE(client_.handle(answer(Bridge.password, {}), BridgeAddress, now_));
  EXPECT_FALSE(client_.handle(as_bytes("not STUN"), BridgeAddress, now_));
  EXPECT_FALSE(client_.handle(datagram, BridgeAddress, now_));  // its own request, reflected
  EXPECT_FALSE(client_.connected());
  EXPECT_TRUE(client_.handle(answer(Bridge.password, request->transaction), BridgeAddress, now_));
  EXPECT_FALSE(client_.handle(answer(Bridge.password, request->transaction), BridgeAddress, now_));  // once is enough
  EXPECT_TRUE(client_.connected());
}

TEST_F(IceClientTest, EndsWithTheErrorThatItWasAnsweredWith) {
  std::vector<uint8_t> datagram;
  ASSERT_TRUE(client_.poll_output(&datagram));
  const size_t size = stun::write_binding_error(out_, {.transaction = stun::parse_message(datagram)->transaction,
                                                       .code = stun::RoleConflict,
                                                       .unknown = {},
                                                       .password = Bridge.password});
  EXPECT_TRUE(client_.handle(Bytes(out_).first(size), BridgeAddress, now_));
  EXPECT_TRUE(client_.failed());
  EXPECT_EQ(client_.error_code(), stun::RoleConflict);
  EXPECT_FALSE(client_.poll_output(&datagram));
}

}  // namespace
}  // namespace viaduct::testing
