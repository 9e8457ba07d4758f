#include "protocol/congestion/controller.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "protocol/congestion/rates.h"

namespace viaduct::congestion {
namespace {

constexpr DataRate kbps(int64_t v) { return DataRate::kbps(v); }
constexpr RateLimits Limits{.initial = kbps(1000), .least = kbps(50), .most = kbps(8000)};

// A sender of 1000 bytes every 8 ms, 1 Mbit/s, and a receiver that reports every 100 ms.
struct Call {
  Controller controller{Reporting::TransportWide, Limits};
  rtcp::TransportFeedbackBuilder builder;
  uint16_t sequence = 0;
  Timestamp now{1s};

  void send() {
    controller.on_sent({.transport_sequence = sequence, .bytes = 1000, .at = now});
    builder.on_packet(sequence++, now + 30ms);
  }
  void report() {
    std::array<uint8_t, 1200> out;
    while (builder.has_pending()) give(Bytes(out).first(builder.write(out, 1, 2, now)));
  }
  void give(Bytes bytes) {
    rtcp::for_each_packet(bytes, [&](const rtcp::Packet& packet) {
      if (const auto f = rtcp::parse_transport_feedback(packet)) controller.on_feedback(*f, now);
    });
  }
  void run_timers() {
    if (now >= controller.next_deadline()) controller.run_timers(now);
  }
  void run(Duration time, bool with_reports = true) {
    Timestamp next_report = now;
    for (const Timestamp end = now + time; now < end; now += 8ms) {
      send();
      if (with_reports && now >= next_report) {
        report();
        next_report = now + 100ms;
      }
      run_timers();
    }
  }
};

TEST(CongestionController, LimitsNothingWhereNobodyMeasures) {
  Controller controller(Reporting::None, Limits);
  EXPECT_EQ(controller.target(), Limits.most);
  controller.on_sent({.bytes = 1000});
  controller.on_feedback(rtcp::TransportFeedback{}, Timestamp(1s));
  controller.on_feedback(rtcp::CongestionFeedback{}, Timestamp(1s));
  controller.on_remb(kbps(100), Timestamp(1s));
  controller.set_demand(kbps(8000), Timestamp(1s));
  controller.run_timers(Timestamp(2s));
  EXPECT_EQ(controller.target(), Limits.most);
  EXPECT_EQ(controller.next_deadline(), Never);
  EXPECT_FALSE(controller.poll_probe(Timestamp(1s)));
}

TEST(CongestionController, TakesAReceiversOwnEstimateWithinLimits) {
  Controller controller(Reporting::Remb, Limits);
  EXPECT_EQ(controller.target(), Limits.initial);
  controller.on_remb(kbps(700), Timestamp(1s));
  EXPECT_EQ(controller.target(), kbps(700));
  controller.on_remb(kbps(0), Timestamp(2s));
  EXPECT_EQ(controller.target(), Limits.least);
  controller.on_remb({INT64_MAX}, Timestamp(3s));
  EXPECT_EQ(controller.target(), Limits.most);
}

TEST(CongestionController, BeginsAtTheInitialRate) {
  EXPECT_EQ(Controller(Reporting::TransportWide, Limits).target(), Limits.initial);
  EXPECT_EQ(Controller(Reporting::PerStream, Limits).target(), Limits.initial);
}

TEST(CongestionController, GrowsOnAGoodNetworkNoFurtherThanWhatArrivesProves) {
  Call call;
  call.run(30s);
  EXPECT_GT(call.controller.target(), kbps(1300));
  EXPECT_LE(call.controller.target(), kbps(1600));
  EXPECT_EQ(call.controller.fraction_lost(), 0);
}

TEST(CongestionController, ProbesForWhatIsWanted) {
  Call call;
  EXPECT_FALSE(call.controller.poll_probe(call.now));
  call.controller.set_demand(kbps(4000), call.now);
  call.send();
  const auto probe = call.controller.poll_probe(call.now);
  ASSERT_TRUE(probe);
  EXPECT_EQ(probe->rate, kbps(3000));
  // 1000 bytes every 2.5 ms: 3.2 Mbit/s.
  for (int i = 0; i < 8; ++i, call.now += 2500us) {
    call.controller.on_sent({.transport_sequence = call.sequence, .bytes = 1000, .at = call.now, .probe = probe->id});
    call.builder.on_packet(call.sequence++, call.now + 30ms);
  }
  call.now += 60ms;
  call.report();
  EXPECT_NEAR(to_kbps(call.controller.target()), 3200, 150);
}

TEST(CongestionController, BacksOffCarefullyFromAClientThatFallsSilent) {
  Call call;
  call.run(5s);
  const DataRate before = call.controller.target();
  call.run(1400ms, false);
  EXPECT_EQ(call.controller.target(), before) << "a few reports may get lost";
  call.run(700ms, false);
  EXPECT_NEAR(to_kbps(call.controller.target()), 0.64 * to_kbps(before), 0.17 * to_kbps(before));
  call.run(60s, false);
  EXPECT_EQ(call.controller.target(), Limits.least);
  call.run(60s);
  EXPECT_GT(call.controller.target(), kbps(500)) << "and comes back";
}

TEST(CongestionController, TakesNoSilenceForOneWhereNothingWasSent) {
  Call call;
  call.run(5s);
  call.now += 100ms;
  call.report();
  const DataRate before = call.controller.target();
  for (int i = 0; i < 100; ++i, call.now += 100ms) call.run_timers();
  EXPECT_EQ(call.controller.target(), before);
}

TEST(CongestionController, TakesARepeatedReportForSilence) {
  Call call;
  call.run(5s);
  std::array<uint8_t, 1200> out;
  const Bytes last = Bytes(out).first(call.builder.write(out, 1, 2, call.now));
  call.give(last);
  const DataRate before = call.controller.target();
  for (const Timestamp end = call.now + 10s; call.now < end; call.now += 100ms) {
    call.controller.on_sent({.transport_sequence = call.sequence++, .bytes = 1000, .at = call.now});
    call.give(last);
    call.run_timers();
  }
  EXPECT_LT(call.controller.target(), before * 0.5);
}

TEST(CongestionController, KeepsARoundTripWithinReason) {
  Controller controller(Reporting::TransportWide, Limits);
  EXPECT_EQ(controller.round_trip(), 0s);
  controller.on_round_trip(80ms, Timestamp(1s));
  EXPECT_EQ(controller.round_trip(), 80ms);
  controller.on_round_trip(-5s, Timestamp(1s));
  EXPECT_EQ(controller.round_trip(), 0s);
  controller.on_round_trip(9999s, Timestamp(1s));
  EXPECT_LE(controller.round_trip(), 10s);
}

TEST(CongestionController, KnowsTheRoundTripOfTheNewestPacketWithTheQueuesThatItMet) {
  Call call;
  EXPECT_EQ(call.controller.newest_round_trip(), 0s);
  call.send();
  call.now += 40ms;
  call.report();
  EXPECT_EQ(call.controller.newest_round_trip(), 40ms);
  call.send();
  call.now += 300ms;
  call.report();
  EXPECT_EQ(call.controller.newest_round_trip(), 300ms);
  call.send();
  call.now += 1h;
  call.report();
  EXPECT_LE(call.controller.newest_round_trip(), 1s);
}

// Whatever a report says: numbers never sent, arrivals in the future or all at once, clocks that leap.
TEST(CongestionController, StaysWithinItsLimitsWhateverAClientReports) {
  SeededRandom random(11);
  Call call;
  call.controller.set_demand(kbps(100'000), call.now);
  for (int i = 0; i < 30'000; ++i, call.now += 2ms) {
    std::optional<int32_t> probe;
    if (const auto cluster = call.controller.poll_probe(call.now)) probe = cluster->id;
    call.controller.on_sent({.transport_sequence = call.sequence++, .bytes = 1000, .at = call.now, .probe = probe});
    if (i % 20 != 0) continue;
    // A run of 20 small or large deltas of the receiver's choice, then whatever comes.
    std::vector<uint8_t> body(16);
    random.fill(body);
    store_be16(&body[8], static_cast<uint16_t>(call.sequence - random.below(60)));
    store_be16(&body[10], 20);
    store_be24(&body[12], static_cast<uint32_t>(random.chance(0.5) ? i : random.next()));
    const bool large = random.chance(0.3);
    body.push_back(large ? 0x40 : 0x20);
    body.push_back(20);
    for (int d = 0; d < (large ? 40 : 20); ++d) body.push_back(random.chance(0.5) ? uint8_t(random.next()) : 0);
    body.resize((body.size() + 3) / 4 * 4);
    std::vector<uint8_t> message = {0x8f, 205, 0, static_cast<uint8_t>(body.size() / 4)};
    message.insert(message.end(), body.begin(), body.end());
    call.give(message);
    call.run_timers();
    ASSERT_GE(call.controller.target(), Limits.least);
    ASSERT_LE(call.controller.target(), Limits.most);
    ASSERT_GE(call.controller.fraction_lost(), 0);
    ASSERT_LE(call.controller.fraction_lost(), 1);
  }
}

TEST(CongestionController, GainsNothingForAClientThatClaimsAllHasArrivedAtOnce) {
  Call call;
  call.controller.set_demand(Limits.most, call.now);
  for (int i = 0; i < 2000; ++i, call.now += 8ms) {
    call.controller.on_sent({.transport_sequence = call.sequence, .bytes = 1000, .at = call.now});
    call.builder.on_packet(call.sequence++, Timestamp(50s) + 1us * i);
    if (i % 12 == 0) call.report();
    call.run_timers();
  }
  EXPECT_LE(call.controller.target(), kbps(1600)) << "1.5 times what was sent";
}

}  // namespace
}  // namespace viaduct::congestion
