#include "base/peer_table.h"

#include <gtest/gtest.h>

#include "base/token_bucket.h"

namespace viaduct {
namespace {

SocketAddress peer(uint16_t number) { return {IpAddress::v4(0x0a000001), static_cast<uint16_t>(1 + number)}; }

using OneSet = PeerTable<int, 1>;  // where everybody meets

TEST(PeerTable, GivesNewcomersTheEmptyPlacesFirst) {
  OneSet table;
  for (uint16_t i = 0; i < OneSet::capacity(); ++i) table.learn(peer(i), i);
  for (uint16_t i = 0; i < OneSet::capacity(); ++i) {
    ASSERT_NE(table.find(peer(i)), nullptr) << i;
    EXPECT_EQ(*table.find(peer(i)), i);
  }
}

TEST(PeerTable, LetsOneNewcomerPushOutAnotherAndNobodyElse) {
  OneSet table;
  const auto last = static_cast<uint16_t>(OneSet::capacity() - 1);
  for (uint16_t i = 0; i <= last; ++i) table.learn(peer(i), i);
  for (uint16_t forged = 100; forged < 200; ++forged) table.learn(peer(forged), forged);
  EXPECT_EQ(table.find(peer(last)), nullptr) << "heard once";
  EXPECT_NE(table.find(peer(199)), nullptr);
  for (uint16_t i = 0; i < last; ++i) EXPECT_NE(table.find(peer(i)), nullptr) << i;
}

TEST(PeerTable, MovesThoseForwardThatKeepTalking) {
  OneSet table;
  for (uint16_t forged = 100; forged < 200; ++forged) table.learn(peer(forged), 0);  // all places are taken
  for (int heard = 0; heard < 2; ++heard) table.learn(peer(1), 7);
  for (uint16_t forged = 200; forged < 300; ++forged) table.learn(peer(forged), 0);
  ASSERT_NE(table.find(peer(1)), nullptr);
  EXPECT_EQ(*table.find(peer(1)), 7);
}

TEST(PeerTable, RemembersTheLatestOfEachPeer) {
  OneSet table;
  for (int value = 0; value < 10; ++value) table.learn(peer(1), value);
  EXPECT_EQ(*table.find(peer(1)), 9);
}

TEST(TokenBucket, LetsABurstThroughAndThenItsRate) {
  TokenBucket bucket(10);
  Timestamp now{5s};
  EXPECT_TRUE(bucket.is_full(now));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(bucket.take(now));
  EXPECT_FALSE(bucket.take(now));
  EXPECT_FALSE(bucket.take(now + 99ms));
  EXPECT_TRUE(bucket.take(now + 101ms));
  EXPECT_FALSE(bucket.take(now)) << "time that runs backwards fills nothing";
  EXPECT_FALSE(bucket.is_full(now + 1s));
  EXPECT_TRUE(bucket.is_full(now + 3s));
}

}  // namespace
}  // namespace viaduct
