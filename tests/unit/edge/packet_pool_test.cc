#include "edge/packet_pool.h"

#include <gtest/gtest.h>
#include <sanitizer/asan_interface.h>

#include <array>
#include <cstring>
#include <set>

#include "limits.h"

namespace viaduct::edge {
namespace {

std::unique_ptr<PacketPool> pool_of(size_t count) { return std::move(PacketPool::open(count).value()); }

TEST(PacketPool, HandsOutBlankPacketsWithHeadroomAndTailroom) {
  const auto pool = pool_of(4);
  Packet packet;
  ASSERT_EQ(pool->allocate({&packet, 1}), 1u);
  EXPECT_EQ(packet.headroom(), limits::PacketHeadroomBytes);
  EXPECT_EQ(packet.length, 0u);
  EXPECT_GE(packet.tailroom(), limits::MaxPacketBytes + limits::PacketTailroomBytes);
  std::memset(packet.buffer, 0xab, packet.buffer_bytes);  // all of it is the holder's
  EXPECT_EQ(pool->free(), 3u);
  pool->release({&packet, 1});
  EXPECT_EQ(pool->free(), 4u);
}

TEST(PacketPool, GivesFewerThanAskedForWhenItRunsDry) {
  const auto pool = pool_of(3);
  std::array<Packet, 5> packets;
  EXPECT_EQ(pool->allocate(packets), 3u);
  EXPECT_FALSE(packets[3]);
  EXPECT_EQ(pool->allocate(packets), 0u);
}

TEST(PacketPool, HandsOutEachBufferOnce) {
  const auto pool = pool_of(100);
  std::array<Packet, 100> packets;
  ASSERT_EQ(pool->allocate(packets), 100u);
  std::set<const uint8_t*> buffers;
  for (const Packet& packet : packets) buffers.insert(packet.buffer);
  EXPECT_EQ(buffers.size(), 100u);
}

TEST(PacketPool, ReusesTheBufferThatCameBackLast) {
  const auto pool = pool_of(10);
  std::array<Packet, 3> packets;
  pool->allocate(packets);
  pool->release({&packets[1], 1});
  Packet again;
  pool->allocate({&again, 1});
  EXPECT_EQ(again.buffer, packets[1].buffer);
}

TEST(PacketPool, ForgetsWhatTheLastHolderWroteIntoThePacket) {
  const auto pool = pool_of(1);
  Packet packet;
  pool->allocate({&packet, 1});
  packet.offset = 7;
  packet.length = 99;
  packet.peer.port = 1234;
  pool->release({&packet, 1});
  Packet again;
  pool->allocate({&again, 1});
  EXPECT_EQ(again.offset, limits::PacketHeadroomBytes);
  EXPECT_EQ(again.length, 0u);
  EXPECT_EQ(again.peer, SocketAddress{});
}

TEST(PacketPool, RefusesSizesThatItCannotHold) {
  EXPECT_EQ(PacketPool::open(0).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(PacketPool::open(size_t{1} << 40).error().code, ErrorCode::InvalidArgument);
}

TEST(PacketPoolDeathTest, AbortsWhenABufferComesBackTwice) {
  const auto pool = pool_of(2);
  Packet packet;
  pool->allocate({&packet, 1});
  pool->release({&packet, 1});
  EXPECT_DEATH(pool->release({&packet, 1}), "in_use_");
}

TEST(PacketPoolDeathTest, AbortsWhenAForeignBufferComesBack) {
  const auto pool = pool_of(2);
  const auto other = pool_of(2);
  Packet packet;
  other->allocate({&packet, 1});
  EXPECT_DEATH(pool->release({&packet, 1}), "packet.buffer");
  packet.owner = 1'000'000;
  EXPECT_DEATH(pool->release({&packet, 1}), "index < size");
}

TEST(PacketPool, ShowsTouchingAReturnedBufferToAddressSanitizer) {
#ifndef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "built without AddressSanitizer";
#endif
  const auto pool = pool_of(2);
  Packet packet;
  pool->allocate({&packet, 1});
  EXPECT_FALSE(__asan_address_is_poisoned(packet.buffer));
  pool->release({&packet, 1});
  EXPECT_TRUE(__asan_address_is_poisoned(packet.buffer));
}

}  // namespace
}  // namespace viaduct::edge
