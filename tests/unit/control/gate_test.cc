#include "control/gate.h"

#include <gtest/gtest.h>

namespace viaduct::control {
namespace {

using Verdict = ConnectionGate::Verdict;

constexpr Timestamp Start{1h};
const IpAddress A = IpAddress::v4(0xc0000201), B = IpAddress::v4(0xc0000202);

IpAddress v6(std::string_view text) { return *IpAddress::parse(text); }

TEST(TokenBucket, LetsABurstThroughAndThenTheAverage) {
  TokenBucket bucket(10);
  int taken = 0;
  while (bucket.take(Start)) ++taken;
  EXPECT_EQ(taken, 20);
  EXPECT_FALSE(bucket.take(Start + 99ms));
  EXPECT_TRUE(bucket.take(Start + 101ms));
  EXPECT_FALSE(bucket.take(Start + 101ms));
  EXPECT_FALSE(bucket.is_full(Start + 1s));
  EXPECT_TRUE(bucket.is_full(Start + 3s));
}

TEST(ConnectionGate, BoundsConnectionsInTotalAndPerAddress) {
  ConnectionGate gate({.total = 3, .per_address = 2, .new_per_second = 100});
  EXPECT_EQ(gate.admit(A, Start), Verdict::Admitted);
  EXPECT_EQ(gate.admit(A, Start), Verdict::Admitted);
  EXPECT_EQ(gate.admit(A, Start), Verdict::AddressFull);
  EXPECT_EQ(gate.admit(B, Start), Verdict::Admitted);
  EXPECT_EQ(gate.admit(B, Start), Verdict::TotalFull);
  gate.release(A);
  EXPECT_EQ(gate.admit(A, Start), Verdict::Admitted);
  EXPECT_EQ(gate.open(), 3u);
}

TEST(ConnectionGate, BoundsHowFastOneAddressComes) {
  ConnectionGate gate({.total = 100, .per_address = 100, .new_per_second = 2});
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(gate.admit(A, Start), Verdict::Admitted);
    gate.release(A);
  }
  EXPECT_EQ(gate.admit(A, Start), Verdict::TooFast);
  EXPECT_EQ(gate.admit(B, Start), Verdict::Admitted);
  EXPECT_EQ(gate.admit(A, Start + 1s), Verdict::Admitted);
}

TEST(ConnectionGate, CountsAnIpv6SubscriberAsOne) {
  ConnectionGate gate({.total = 100, .per_address = 1, .new_per_second = 100});
  EXPECT_EQ(gate.admit(v6("2001:db8::1"), Start), Verdict::Admitted);
  EXPECT_EQ(gate.admit(v6("2001:db8::2"), Start), Verdict::AddressFull);
  EXPECT_EQ(gate.admit(v6("2001:db8:0:1::1"), Start), Verdict::Admitted);
  gate.release(v6("2001:db8::7"));
  EXPECT_EQ(gate.admit(v6("2001:db8::2"), Start), Verdict::Admitted);
}

TEST(ConnectionGate, RemembersABoundedNumberOfAddresses) {
  ConnectionGate gate({.total = 10, .per_address = 1, .new_per_second = 10});
  for (uint32_t i = 0; i < ConnectionGate::MaxAddresses; ++i) {
    ASSERT_EQ(gate.admit(IpAddress::v4(i), Start), Verdict::Admitted);
    gate.release(IpAddress::v4(i));
  }
  EXPECT_EQ(gate.admit(IpAddress::v4(0xffffffff), Start), Verdict::TotalFull);
  EXPECT_EQ(gate.admit(IpAddress::v4(0xffffffff), Start + 1s),
            Verdict::Admitted);  // the idle ones are forgotten
}

}  // namespace
}  // namespace viaduct::control
