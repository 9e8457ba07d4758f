// Which of a host's addresses go into ICE candidates when the operator names none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>

#include "config_automatic.h"

namespace viaduct {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<IpAddress> addresses(std::initializer_list<const char*> texts) {
  std::vector<IpAddress> out;
  for (const char* text : texts) out.push_back(*IpAddress::parse(text));
  return out;
}

std::vector<std::string> advertised(std::initializer_list<const char*> bound,
                                    std::initializer_list<const char*> of_host) {
  std::vector<std::string> out;
  for (const IpAddress& address : pick_advertised(addresses(bound), addresses(of_host)))
    out.push_back(address.to_string());
  return out;
}

TEST(Advertise, TakesTheAddressesOfTheFamiliesThatAreBound) {
  EXPECT_THAT(advertised({"0.0.0.0", "::"}, {"127.0.0.1", "192.0.2.1", "2001:db8::1"}),
              ElementsAre("192.0.2.1", "2001:db8::1"));
  EXPECT_THAT(advertised({"0.0.0.0"}, {"127.0.0.1", "192.0.2.1", "2001:db8::1"}),
              ElementsAre("192.0.2.1"));
  EXPECT_THAT(advertised({"::"}, {"192.0.2.1", "2001:db8::1", "::1"}), ElementsAre("2001:db8::1"));
}

TEST(Advertise, LeavesOutLinkLocalAddresses) {
  EXPECT_THAT(advertised({"::"}, {"fe80::1", "2001:db8::1"}), ElementsAre("2001:db8::1"));
}

TEST(Advertise, FallsBackToLoopbackOnlyWhereThereIsNothingElse) {
  EXPECT_THAT(advertised({"0.0.0.0", "::"}, {"127.0.0.1", "::1", "fe80::1"}),
              ElementsAre("127.0.0.1", "::1"));
}

TEST(Advertise, TakesAnAddressThatIsBoundByNameAsItIs) {
  EXPECT_THAT(advertised({"127.0.0.1"}, {"127.0.0.1", "192.0.2.1"}), ElementsAre("127.0.0.1"));
  EXPECT_THAT(advertised({"192.0.2.1", "192.0.2.1"}, {}), ElementsAre("192.0.2.1"));
}

TEST(Advertise, FindsNothingOnAHostWithoutAddresses) {
  EXPECT_THAT(advertised({"0.0.0.0"}, {}), IsEmpty());
}

}  // namespace
}  // namespace viaduct
