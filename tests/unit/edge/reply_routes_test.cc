#include "edge/reply_routes.h"

#include <gtest/gtest.h>

namespace viaduct::edge {
namespace {

SocketAddress peer(uint32_t number) { return {IpAddress::v4(0x0a000000u + number), 5000}; }
ReplyRoute route(uint32_t number) { return {IpAddress::v4(0xc0000200u + number), number}; }

TEST(ReplyRoutes, AnswersWithWhatWasLearnedLast) {
  ReplyRoutes routes;
  EXPECT_EQ(routes.find(peer(1)), nullptr);
  routes.learn(peer(1), route(1));
  routes.learn(peer(2), route(2));
  routes.learn(peer(1), route(3));
  ASSERT_NE(routes.find(peer(1)), nullptr);
  EXPECT_EQ(*routes.find(peer(1)), route(3));
  EXPECT_EQ(*routes.find(peer(2)), route(2));
}

TEST(ReplyRoutes, KeepsPeersThatTalkThroughAFloodOfForgedAddresses) {
  ReplyRoutes routes;
  for (int heard = 0; heard < 3; ++heard) {
    for (uint32_t p = 0; p < 500; ++p) routes.learn(peer(p), route(p));
  }
  const auto flood = static_cast<uint32_t>(10 * ReplyRoutes::capacity());
  for (uint32_t forged = 0; forged < flood; ++forged) routes.learn(peer(100'000 + forged), route(9));
  for (uint32_t p = 0; p < 500; ++p) {
    ASSERT_NE(routes.find(peer(p)), nullptr) << "peer " << p;
    EXPECT_EQ(*routes.find(peer(p)), route(p));
  }
}

}  // namespace
}  // namespace viaduct::edge
