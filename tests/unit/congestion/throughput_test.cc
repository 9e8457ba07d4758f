#include "protocol/congestion/throughput.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/random.h"
#include "protocol/congestion/rates.h"

namespace viaduct::congestion {
namespace {

PacketResult packet(Timestamp sent, Duration arrival, uint32_t bytes = 1250) {
  return {.sent = sent, .bytes = bytes, .received = true, .arrival = arrival};
}

// 1250 bytes every 10 ms: 1 Mbit/s.
void add_steady(Throughput& throughput, Duration from, Duration to) {
  for (Duration t = from; t < to; t += 10ms) throughput.add(packet(Timestamp(t), t + 50ms));
}

TEST(Throughput, IsTheRateOfWhatArrives) {
  Throughput throughput;
  add_steady(throughput, 0s, 3s);
  EXPECT_NEAR(to_kbps(throughput.rate().value()), 1000, 10);
}

TEST(Throughput, SaysNothingOfAFewPackets) {
  Throughput throughput;
  for (size_t i = 0; i + 1 < Throughput::RequiredPackets; ++i) throughput.add(packet(Timestamp(i * 10ms), i * 10ms));
  EXPECT_FALSE(throughput.rate());
}

TEST(Throughput, FollowsAChangeWithinItsWindow) {
  Throughput throughput;
  add_steady(throughput, 0s, 3s);
  for (Duration t = 3s; t < 4s; t += 40ms) throughput.add(packet(Timestamp(t), t + 50ms));
  EXPECT_NEAR(to_kbps(throughput.rate().value()), 250, 15);
}

TEST(Throughput, BearsPacketsThatArriveInBursts) {
  Throughput throughput;
  // Held back for up to 200 ms and let go together.
  for (Duration t = 0s; t < 3s; t += 10ms) throughput.add(packet(Timestamp(t), (t / 200ms + 1) * 200ms));
  EXPECT_NEAR(to_kbps(throughput.rate().value()), 1000, 350);
}

TEST(Throughput, BearsReordering) {
  SeededRandom random(1);
  std::vector<PacketResult> packets;
  for (Duration t = 0s; t < 3s; t += 10ms) {
    packets.push_back(packet(Timestamp(t), t + Duration(1ms) * random.below(60)));
  }
  Throughput throughput;
  for (const PacketResult& p : packets) throughput.add(p);
  EXPECT_NEAR(to_kbps(throughput.rate().value()), 1000, 150);
}

TEST(Throughput, IsNeverMoreThanWasSent) {
  Throughput throughput;
  for (Duration t = 0s; t < 1s; t += 10ms) throughput.add(packet(Timestamp(t), t / 100));
  EXPECT_NEAR(to_kbps(throughput.rate().value()), 1000, 10);
  Throughput at_once;
  for (Duration t = 0s; t < 1s; t += 10ms) at_once.add(packet(Timestamp(t), 5s));
  EXPECT_NEAR(to_kbps(at_once.rate().value()), 1000, 10);
}

TEST(Throughput, CountsWhatNoReportSpokeOf) {
  Throughput throughput;
  // Every other report is lost: of 20 packets in a row, 10 are told of.
  for (int i = 0; i < 400; ++i) {
    if (i / 10 % 2 == 1) continue;
    PacketResult p = packet(Timestamp(i * 10ms), i * 10ms);
    if (i % 20 == 0 && i > 0) p.unreported_before = 10 * 1250;
    throughput.add(p);
  }
  EXPECT_NEAR(to_kbps(throughput.rate().value()), 1000, 120);
}

TEST(Throughput, KeepsABoundedWindowOfAReceiverThatLies) {
  SeededRandom random(2);
  Throughput throughput;
  for (int i = 0; i < 20'000; ++i) {
    const auto arrival = Duration(static_cast<int64_t>(random.next() >> 20)) - 4000s;
    throughput.add(packet(Timestamp(i * 1ms), arrival));
    const auto rate = throughput.rate();
    if (rate) {
      ASSERT_LE(*rate, DataRate::kbps(20'000));
    }
  }
}

}  // namespace
}  // namespace viaduct::congestion
