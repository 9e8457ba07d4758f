#include "base/socket_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstring>
#include <unordered_set>

namespace viaduct {
namespace {

SocketAddress address(std::string_view ip, uint16_t port) { return {IpAddress::parse(ip).value(), port}; }

TEST(IpAddress, ReadsAndPrintsBothFamilies) {
  EXPECT_EQ(IpAddress::parse("192.0.2.1")->to_string(), "192.0.2.1");
  EXPECT_EQ(IpAddress::parse("192.0.2.1")->v4_value(), 0xc0000201u);
  EXPECT_FALSE(IpAddress::parse("192.0.2.1")->is_v6());
  EXPECT_EQ(IpAddress::parse("2001:DB8:0:0::1")->to_string(), "2001:db8::1");
  EXPECT_TRUE(IpAddress::parse("::")->is_v6());
}

TEST(IpAddress, RefusesWhatIsNoAddress) {
  for (const char* text : {"", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1.2.3.4:80", "[::1]", "fe80::1%eth0", "::g", "host",
                           " 1.2.3.4", "1.2.3.4 "}) {
    EXPECT_EQ(IpAddress::parse(text), std::nullopt) << text;
  }
  EXPECT_EQ(IpAddress::parse(std::string_view("1.2.3.4\0x", 9)), std::nullopt);
}

TEST(IpAddress, KnowsTheUnspecifiedAddresses) {
  EXPECT_TRUE(IpAddress().is_unspecified());
  EXPECT_TRUE(IpAddress::parse("::")->is_unspecified());
  EXPECT_FALSE(IpAddress::parse("0.0.0.1")->is_unspecified());
}

TEST(IpAddress, TellsAnIpv4AddressFromAnIpv6OneWithTheSameBytes) {
  std::array<uint8_t, 16> bytes{};
  bytes[0] = 1;
  EXPECT_NE(IpAddress::v6(bytes), IpAddress::v4(0x01000000));
}

TEST(SocketAddress, PrintsWithBracketsAroundIpv6) {
  EXPECT_EQ(address("192.0.2.1", 10000).to_string(), "192.0.2.1:10000");
  EXPECT_EQ(address("2001:db8::1", 10000).to_string(), "[2001:db8::1]:10000");
}

TEST(SocketAddress, HidesTheHostInLogs) {
  EXPECT_EQ(address("192.0.2.77", 10000).to_log_string(), "192.0.2.x:10000");
  EXPECT_EQ(address("2001:db8:1:2:3:4:5:6", 10000).to_log_string(), "[2001:db8:1:x]:10000");
  EXPECT_EQ(address("2001:db8::6", 1).to_log_string(), "[2001:db8:0:x]:1");
}

TEST(SocketAddress, SurvivesTheKernelsForm) {
  for (const char* ip : {"192.0.2.1", "2001:db8::1", "0.0.0.0", "::"}) {
    socklen_t length = 0;
    const sockaddr_storage sa = address(ip, 4711).to_sockaddr(&length);
    EXPECT_EQ(length, IpAddress::parse(ip)->is_v6() ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
    EXPECT_EQ(SocketAddress::from_sockaddr(sa), address(ip, 4711));
  }
}

TEST(SocketAddress, MapsIpv4ForADualStackSocketAndBack) {
  socklen_t length = 0;
  const sockaddr_storage sa = address("192.0.2.1", 4711).to_sockaddr(&length, true);
  EXPECT_EQ(length, sizeof(sockaddr_in6));
  ASSERT_EQ(sa.ss_family, AF_INET6);
  sockaddr_in6 in{};
  std::memcpy(&in, &sa, sizeof in);
  EXPECT_TRUE(IN6_IS_ADDR_V4MAPPED(&in.sin6_addr));
  EXPECT_EQ(ntohs(in.sin6_port), 4711);
  EXPECT_EQ(SocketAddress::from_sockaddr(sa), address("192.0.2.1", 4711));
}

TEST(SocketAddress, IsEmptyForAnUnknownFamily) {
  sockaddr_storage sa{};
  sa.ss_family = AF_UNIX;
  EXPECT_EQ(SocketAddress::from_sockaddr(sa), SocketAddress{});
}

TEST(SocketAddress, HashesByAddressAndPort) {
  std::unordered_set<SocketAddress> seen;
  for (uint16_t port = 1; port <= 100; ++port) {
    seen.insert(address("192.0.2.1", port));
    seen.insert(address("192.0.2.2", port));
    seen.insert(address("2001:db8::1", port));
    seen.insert(address("192.0.2.1", port));
  }
  EXPECT_EQ(seen.size(), 300u);
  EXPECT_TRUE(seen.contains(address("2001:db8::1", 50)));
}

}  // namespace
}  // namespace viaduct
