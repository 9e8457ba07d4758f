#include "edge/packet_pool.h"

#include <gtest/gtest.h>
#include <sanitizer/asan_interface.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <vector>

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

// Buffers that have been given back, as they stand in memory now.
class Returned {
 public:
  Returned(PacketPool& pool, size_t count) : packets_(count) {
    EXPECT_EQ(pool.allocate(packets_), count);
    for (const Packet& packet : packets_) std::memset(packet.buffer, 0xab, packet.buffer_bytes);
    pool.release(packets_);
  }
  size_t unwiped() const {
    return static_cast<size_t>(std::ranges::count_if(packets_, [](const Packet& packet) {
      ASAN_UNPOISON_MEMORY_REGION(packet.buffer, packet.buffer_bytes);
      const Bytes bytes(packet.buffer, packet.buffer_bytes);
      const bool clean = std::ranges::all_of(bytes, [](uint8_t b) { return b == 0; });
      ASAN_POISON_MEMORY_REGION(packet.buffer, packet.buffer_bytes);
      return !clean;
    }));
  }

 private:
  std::vector<Packet> packets_;
};

TEST(PacketPool, WipesBuffersThatCameBackSoManyAtATime) {
  const auto pool = pool_of(1000);
  const Returned returned(*pool, 600);
  EXPECT_EQ(returned.unwiped(), 600u);
  EXPECT_EQ(pool->wipe_released(256), 256u);
  EXPECT_EQ(returned.unwiped(), 344u);
  EXPECT_EQ(pool->wipe_released(256), 256u);
  EXPECT_EQ(pool->wipe_released(256), 88u);
  EXPECT_EQ(returned.unwiped(), 0u);
  EXPECT_EQ(pool->wipe_released(256), 0u);
}

TEST(PacketPool, WipesWhatIsIdleWhileOthersComeAndGo) {
  const auto pool = pool_of(1000);
  const Returned returned(*pool, 900);
  std::array<Packet, 64> busy;
  for (int tick = 0; tick < 10; ++tick) {
    for (int turn = 0; turn < 20; ++turn) {
      pool->allocate(busy);
      for (const Packet& packet : busy) std::memset(packet.buffer, 0xcd, packet.buffer_bytes);
      pool->release(busy);
    }
    pool->wipe_released(100);
  }
  EXPECT_EQ(returned.unwiped(), 0u);  // size() / 100 calls were enough, those in between included
}

TEST(PacketPool, NeverWipesABufferThatIsInUse) {
  const auto pool = pool_of(100);
  const Returned returned(*pool, 100);
  Packet held;
  pool->allocate({&held, 1});
  std::memset(held.buffer, 0xcd, held.buffer_bytes);
  EXPECT_EQ(pool->wipe_released(1000), 99u);
  EXPECT_TRUE(std::all_of(held.buffer, held.buffer + held.buffer_bytes, [](uint8_t b) { return b == 0xcd; }));
  pool->release({&held, 1});
  EXPECT_EQ(pool->wipe_released(1000), 1u);
  EXPECT_EQ(returned.unwiped(), 0u);
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
#if defined(__has_feature)  // clang
  if (!__has_feature(address_sanitizer)) GTEST_SKIP() << "built without AddressSanitizer";
#elif !defined(__SANITIZE_ADDRESS__)  // g++
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
