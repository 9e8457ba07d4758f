#include "conference/resend_buffer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace viaduct::conference {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Timestamp Start{10s};

// A packet that nobody looks into; `owner` tells it from others.
StoredPacket stored(int64_t sequence, Timestamp arrival = Start) {
  static uint8_t buffer[1];
  StoredPacket p;
  p.packet.buffer = buffer;
  p.packet.owner = static_cast<uint64_t>(sequence);
  p.packet.arrival = arrival;
  p.sequence = sequence;
  return p;
}

TEST(ResendBuffer, FindsWhatItStoredByItsUnwrappedNumber) {
  ResendBuffer buffer;
  EXPECT_EQ(buffer.find(70'000), nullptr);
  EXPECT_FALSE(buffer.store(stored(70'000)));
  ASSERT_NE(buffer.find(70'000), nullptr);
  EXPECT_EQ(buffer.find(70'000)->packet.owner, 70'000u);
  EXPECT_EQ(buffer.find(70'000 - 65'536), nullptr) << "the same 16 bits, a rollover before";
  EXPECT_EQ(buffer.find(70'000 + limits::ResendPacketsPerSource), nullptr) << "in the same place";
}

TEST(ResendBuffer, HandsBackEveryPacketThatMakesRoom) {
  ResendBuffer buffer;
  const auto capacity = static_cast<int64_t>(limits::ResendPacketsPerSource);
  for (int64_t i = 0; i < capacity; ++i) EXPECT_FALSE(buffer.store(stored(i)));
  for (int64_t i = 0; i < capacity; ++i) {
    const Packet evicted = buffer.store(stored(capacity + i));
    ASSERT_TRUE(evicted);
    EXPECT_EQ(evicted.owner, static_cast<uint64_t>(i));
    EXPECT_EQ(buffer.find(i), nullptr);
  }
}

TEST(ResendBuffer, HandsBackWhatIsTooOldOnce) {
  ResendBuffer buffer;
  EXPECT_FALSE(buffer.store(stored(1, Start)));
  EXPECT_FALSE(buffer.store(stored(2, Start + 1s)));
  std::vector<Packet> out;
  buffer.expire(Start + 1s, out);
  ASSERT_THAT(out, SizeIs(1));
  EXPECT_EQ(out[0].owner, 1u);
  EXPECT_EQ(buffer.find(1), nullptr);
  EXPECT_NE(buffer.find(2), nullptr);
  out.clear();
  buffer.expire(Start + 1s, out);
  EXPECT_THAT(out, IsEmpty());
  buffer.expire(Never, out);
  EXPECT_THAT(out, SizeIs(1));
}

TEST(ResendBuffer, FillsAnExpiredPlaceWithoutHandingAnythingBack) {
  ResendBuffer buffer;
  EXPECT_FALSE(buffer.store(stored(1)));
  std::vector<Packet> out;
  buffer.expire(Never, out);
  EXPECT_FALSE(buffer.store(stored(1 + limits::ResendPacketsPerSource)));
}

}  // namespace
}  // namespace viaduct::conference
