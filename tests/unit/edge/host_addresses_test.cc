#include "edge/host_addresses.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace viaduct::edge {
namespace {

TEST(HostAddresses, FindsAtLeastOneAndNoAddressTwice) {
  const std::vector<IpAddress> found = host_addresses();
  ASSERT_FALSE(found.empty());
  for (const IpAddress& ip : found) {
    EXPECT_FALSE(ip.is_unspecified());
    EXPECT_EQ(std::count(found.begin(), found.end(), ip), 1) << ip.to_string();
  }
}

TEST(HostAddresses, NamesLoopbackOnlyWhenThereIsNothingElse) {
  const auto is_loopback = [](const IpAddress& ip) {
    return ip.to_string().starts_with("127.") || ip.to_string() == "::1";
  };
  const std::vector<IpAddress> found = host_addresses();
  const auto loopbacks = static_cast<size_t>(std::count_if(found.begin(), found.end(), is_loopback));
  EXPECT_TRUE(loopbacks == 0 || loopbacks == found.size());
}

TEST(HostAddresses, PutsIpv4First) {
  const std::vector<IpAddress> found = host_addresses();
  EXPECT_TRUE(std::is_partitioned(found.begin(), found.end(), [](const IpAddress& ip) { return !ip.is_v6(); }));
}

}  // namespace
}  // namespace viaduct::edge
