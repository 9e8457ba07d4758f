#include <gtest/gtest.h>

#include "base/random.h"
#include "protocol/congestion/loss_controller.h"
#include "protocol/congestion/rates.h"

namespace viaduct::congestion {
namespace {

constexpr DataRate kbps(int64_t v) { return DataRate::kbps(v); }

// Sends at the controller's rate, or at `delay_based` where that is lower, through a link that takes `capacity` and
// drops the rest, and loses `inherent` of all besides; no more than is wanted.
struct Link {
  LossController controller{RateLimits{.initial = kbps(2000)}};
  DataRate delay_based = kbps(2000);
  DataRate wanted = kbps(1'000'000);
  Timestamp now{};
  SeededRandom random{1};

  void run(Duration time, double inherent, DataRate capacity = kbps(1'000'000)) {
    constexpr uint32_t Bytes = 1000;
    for (const Timestamp end = now + time; now < end;) {
      const DataRate rate = std::min({controller.rate(), delay_based, wanted});
      const double beyond = std::max(0.0, 1 - capacity / rate);
      double received = 0;
      const Timestamp began = now;
      for (; now < began + 100ms; now += DataSize{Bytes} / rate) {
        const bool arrives = !random.chance(beyond) && !random.chance(inherent);
        if (arrives) received += Bytes * 8;
        controller.on_packet({.sent = now, .bytes = Bytes, .received = arrives});
      }
      controller.update({.throughput = from_kbps(received / 100), .delay_based = delay_based,
                         .limited_by_application = wanted < std::min(controller.rate(), delay_based)});
    }
  }
};

TEST(LossController, LeavesTheRateToTheDelayWhileNothingIsLost) {
  Link link;
  link.run(5s, 0);
  EXPECT_EQ(link.controller.rate(), kbps(2000));
  EXPECT_EQ(link.controller.state(), LossState::DelayBased);
  link.delay_based = kbps(1500);
  link.run(1s, 0);
  EXPECT_EQ(link.controller.rate(), kbps(1500));
}

TEST(LossController, BearsALittleRandomLoss) {
  Link link;
  link.run(20s, 0.02);
  EXPECT_GT(link.controller.rate(), kbps(1700));
}

TEST(LossController, FindsTheRateOfALinkThatDropsWhatIsTooMuch) {
  Link link;
  link.run(10s, 0, kbps(1000));
  EXPECT_GT(link.controller.rate(), kbps(800));
  EXPECT_LT(link.controller.rate(), kbps(1300));
  EXPECT_LT(link.controller.average_loss(), 0.15);
}

TEST(LossController, FallsFarWhereMostIsLost) {
  Link link;
  link.run(10s, 0.5);
  EXPECT_LT(link.controller.rate(), kbps(700));
  EXPECT_NE(link.controller.state(), LossState::DelayBased);
}

TEST(LossController, RecoversWhenTheLossEnds) {
  Link link;
  link.run(10s, 0.5);
  link.run(15s, 0);
  EXPECT_EQ(link.controller.rate(), kbps(2000));
  EXPECT_EQ(link.controller.state(), LossState::DelayBased);
}

TEST(LossController, LiftsTheLimitWhenTheLossIsGoneHoweverLittleIsSent) {
  Link link;
  link.run(20s, 0.2);
  EXPECT_LT(link.controller.rate(), kbps(1500));
  link.wanted = kbps(300);
  link.run(5s, 0);
  EXPECT_EQ(link.controller.rate(), kbps(2000));
  EXPECT_EQ(link.controller.state(), LossState::DelayBased);
}

TEST(LossController, WaitsLongerWhereTheLimitWasNeededAgainSoon) {
  Link link;
  link.run(20s, 0.3);
  link.wanted = kbps(200);
  link.run(5s, 0);
  ASSERT_EQ(link.controller.state(), LossState::DelayBased);
  link.wanted = kbps(1'000'000);
  link.run(3s, 0.3);
  ASSERT_NE(link.controller.state(), LossState::DelayBased);
  link.wanted = kbps(200);
  link.run(5s, 0);
  EXPECT_NE(link.controller.state(), LossState::DelayBased);
  link.run(5s, 0);
  EXPECT_EQ(link.controller.state(), LossState::DelayBased);
}

TEST(LossController, NeverGoesBeyondWhatTheDelayAllows) {
  Link link;
  for (int i = 0; i < 100; ++i) {
    link.run(200ms, i % 3 == 0 ? 0.3 : 0.0);
    EXPECT_LE(link.controller.rate(), link.delay_based);
    link.delay_based = kbps(500 + 37 * i % 2000);
  }
}

TEST(LossController, WaitsForSomeObservations) {
  Link link;
  link.run(500ms, 0.9);
  EXPECT_EQ(link.controller.rate(), kbps(2000));
}

TEST(LossController, DoesNotCountALateArrivalAgain) {
  LossController controller(RateLimits{});
  for (int i = 0; i < 1000; ++i) {
    const Timestamp at(i * 1ms);
    controller.on_packet({.sent = at, .bytes = 1000, .received = false});
    controller.on_packet({.sent = at, .bytes = 1000, .received = true, .counted_before = true});
  }
  EXPECT_EQ(controller.average_loss(), 1);
}

TEST(LossModel, KnowsThatFewPacketsSayLittle) {
  const auto uncertainty = [](Duration apart) {
    LossModel model;
    int i = 0;
    for (Timestamp at{}; at < Timestamp(5s); at += apart) {
      model.add({.sent = at, .bytes = 1000, .received = ++i % 10 != 0});
    }
    EXPECT_NEAR(model.average_loss(), 0.1, 0.02);
    return model.average_loss() - model.certain_loss();
  };
  EXPECT_NEAR(uncertainty(1ms), 0.0068, 0.001) << "about 1900 packets, as they weigh";
  EXPECT_NEAR(uncertainty(20ms), 4.5 * uncertainty(1ms), 0.006);
}

TEST(LossModel, TellsRandomLossFromTooHighARate) {
  LossModel model;
  SeededRandom random(3);
  for (int i = 0; i < 4000; ++i) {
    model.add({.sent = Timestamp(i * 1ms), .bytes = 125, .received = !random.chance(0.05)});  // 1 Mbit/s
  }
  LossCandidate wide{.bandwidth = kbps(2000)};
  LossCandidate narrow{.bandwidth = kbps(500)};
  for (int i = 0; i < 20; ++i) {
    model.fit(wide);
    model.fit(narrow);
  }
  EXPECT_NEAR(wide.inherent_loss, 0.05, 0.02);
  EXPECT_GT(model.likelihood(wide), model.likelihood(narrow));
}

}  // namespace
}  // namespace viaduct::congestion
