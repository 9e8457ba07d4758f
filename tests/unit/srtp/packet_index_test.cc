#include "protocol/srtp/packet_index.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace viaduct::srtp {
namespace {

constexpr uint64_t index_of(uint64_t rollovers, uint16_t seq) { return (rollovers << 16) | seq; }

TEST(PacketIndex, FollowsTheTableOfCases) {
  struct Case {
    const char* what;
    uint64_t highest;
    uint16_t seq;
    std::optional<uint64_t> expected;
  };
  const Case cases[] = {
      {"the next packet", index_of(0, 10), 11, index_of(0, 11)},
      {"the same packet", index_of(3, 10), 10, index_of(3, 10)},
      {"a late packet", index_of(3, 10), 5, index_of(3, 5)},
      {"the first packet after a rollover", index_of(0, 65535), 0, index_of(1, 0)},
      {"a gap across a rollover", index_of(7, 65000), 200, index_of(8, 200)},
      {"a late packet from before a rollover", index_of(1, 3), 65534, index_of(0, 65534)},
      {"a packet from before the first one", index_of(0, 3), 65534, std::nullopt},
      {"the furthest ahead, low half", index_of(2, 100), 32868, index_of(2, 32868)},
      {"one further, low half", index_of(2, 100), 32869, index_of(1, 32869)},
      {"the furthest behind, high half", index_of(2, 40000), 7232, index_of(2, 7232)},
      {"one further, high half", index_of(2, 40000), 7231, index_of(3, 7231)},
      {"the last packet of a key", index_of(0xffffffff, 65534), 65535, MaxPacketIndex},
      {"beyond the last packet of a key", index_of(0xffffffff, 65535), 0, std::nullopt},
  };
  for (const Case& c : cases) EXPECT_EQ(estimate_index(c.highest, c.seq), c.expected) << c.what;
}

TEST(PacketIndex, RecoversEveryIndexWithin32767OfTheHighest) {
  SeededRandom random(1);
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t highest = 40'000 + random.below(uint64_t{1} << 40);
    const uint64_t truth = highest - 32'767 + random.below(2 * 32'767 + 1);
    ASSERT_EQ(estimate_index(highest, static_cast<uint16_t>(truth)), truth) << "highest " << highest;
  }
}

}  // namespace
}  // namespace viaduct::srtp
