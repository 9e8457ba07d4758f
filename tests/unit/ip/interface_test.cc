// What is known of the interface, and the small parts that the host is made of.
#include "dpdk/ip/interface.h"

#include <gtest/gtest.h>

#include "dpdk/ip/own_addresses.h"

namespace viaduct::dpdk::ip {
namespace {

IpAddress address(const char* text) { return *IpAddress::parse(text); }

TEST(InterfaceAddress, ReadsWhatItWrites) {
  for (const char* text : {"192.0.2.1/24", "0.0.0.0/0", "192.0.2.1/32", "2001:db8::1/64", "::/0", "fe80::1/128"}) {
    const auto parsed = InterfaceAddress::parse(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->to_string(), text);
  }
}

TEST(InterfaceAddress, RefusesWhatIsNone) {
  for (const char* text : {"", "192.0.2.1", "192.0.2.1/", "192.0.2.1/33", "192.0.2.1/-1", "192.0.2.1/24 ", "/24",
                           "2001:db8::1/129", "192.0.2/24", "192.0.2.1/256", "192.0.2.1/24/1"}) {
    EXPECT_FALSE(InterfaceAddress::parse(text)) << text;
  }
}

TEST(InterfaceAddress, KnowsWhoIsOnItsLink) {
  const auto four = *InterfaceAddress::parse("192.0.2.65/26");
  EXPECT_TRUE(four.has_on_link(address("192.0.2.127")));
  EXPECT_FALSE(four.has_on_link(address("192.0.2.128")));
  EXPECT_FALSE(four.has_on_link(address("2001:db8::1")));
  const auto six = *InterfaceAddress::parse("2001:db8:0:8::1/61");
  EXPECT_TRUE(six.has_on_link(address("2001:db8:0:f::1")));
  EXPECT_FALSE(six.has_on_link(address("2001:db8:0:10::1")));
  EXPECT_TRUE(InterfaceAddress::parse("10.0.0.1/0")->has_on_link(address("192.0.2.1")));
}

TEST(MacAddress, ReadsWhatItWrites) {
  const auto mac = MacAddress::parse("02:00:5e:aB:0c:ff");
  ASSERT_TRUE(mac);
  EXPECT_EQ(mac->to_string(), "02:00:5e:ab:0c:ff");
  for (const char* text : {"", "02:00:5e:ab:0c", "02:00:5e:ab:0c:fg", "02-00-5e-ab-0c-ff", "02:00:5e:ab:0c:ff:"}) {
    EXPECT_FALSE(MacAddress::parse(text)) << text;
  }
}

TEST(OwnAddresses, TellsOursFromPeersAndFromNobodys) {
  Interface interface;
  for (const char* text : {"192.0.2.1/24", "203.0.113.0/31", "198.51.100.1/32", "2001:db8::1/64"}) {
    interface.addresses.push_back(*InterfaceAddress::parse(text));
  }
  const OwnAddresses own(interface);
  EXPECT_EQ(own.find(address("203.0.113.0")), 1);
  EXPECT_EQ(own.find(address("2001:db8::1")), 3);
  EXPECT_EQ(own.find(address("192.0.2.2")), NotOurs);
  EXPECT_TRUE(own.is_peer(address("192.0.2.2")));
  EXPECT_FALSE(own.is_peer(address("192.0.2.1")));
  EXPECT_FALSE(own.is_peer(address("192.0.2.255")));
  EXPECT_TRUE(own.is_peer(address("203.0.113.1"))) << "a link of two has no broadcast";
  EXPECT_TRUE(own.is_asked_at(solicited_node(address("2001:db8::1").bytes())));
  EXPECT_FALSE(own.is_asked_at(solicited_node(address("2001:db8::2").bytes())));
}

}  // namespace
}  // namespace viaduct::dpdk::ip
