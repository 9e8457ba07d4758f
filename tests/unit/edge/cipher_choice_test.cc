#include "edge/cipher_choice.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "edge/cipher_costs.h"
#include "kernels/device/gpu.h"
#include "kernels/emulation/emulated_driver.h"
#include "tests/support/cipher_engines.h"

namespace viaduct::edge {
namespace {

// A launch costs as much as 20 packets on the CPU, and then a tenth for each.
constexpr CipherCosts Typical = {
    .cpu = {0ns, 100ns}, .device_thread = {1800ns, 10ns}, .device_latency = {20us, 20ns}};

TEST(CipherChoice, PrefersTheCpuUntilTheLaunchIsPaidFor) {
  EXPECT_EQ(pick_engine(Typical, 1, 1ms), CipherChoice::TooFew);
  EXPECT_EQ(pick_engine(Typical, 20, 1ms), CipherChoice::TooFew) << "no gain, no wait";
  EXPECT_EQ(pick_engine(Typical, 21, 1ms), CipherChoice::Device);
  EXPECT_EQ(crossover(Typical, 512, 1ms), 21u);
}

TEST(CipherChoice, LetsNoPacketWaitForLongerThanIsAllowed) {
  EXPECT_EQ(pick_engine(Typical, 100, 22us), CipherChoice::Device);
  EXPECT_EQ(pick_engine(Typical, 101, 22us), CipherChoice::TooSlow);
  EXPECT_EQ(crossover(Typical, 512, 19us), 0u);
}

TEST(CipherChoice, HasNoCrossoverWhereTheCpuIsAlwaysCheaper) {
  const CipherCosts fast_cpu = {.cpu = {0ns, 9ns}, .device_thread = {0ns, 10ns}, .device_latency = {}};
  EXPECT_EQ(crossover(fast_cpu, 4096, 1s), 0u);
}

TEST(BatchCost, IsTheLineThroughTwoMeasurements) {
  const BatchCost cost = line_through(8, 2600ns, 256, 27'400ns);
  EXPECT_EQ(cost.packet, 100ns);
  EXPECT_EQ(cost.fixed, 1800ns);
  EXPECT_EQ(cost.of(50), 6800ns);
}

TEST(BatchCost, IsNeverNegative) {
  EXPECT_EQ(line_through(8, 500ns, 256, 300ns).packet, 0ns) << "a measurement that was disturbed";
  EXPECT_EQ(line_through(8, 10ns, 256, 25'000ns).fixed, 0ns);
}

// The clock moves by a microsecond at each look, so times are counts of looks.
TEST(CipherTrial, CountsOnlyThoseCallsInWhichSomethingWasDone) {
  emulation::set_behaviour({.holds_launches = true});
  int64_t looks = 0;
  const auto clock = [&] { return Timestamp{} + 1us * ++looks; };
  auto cipher = make_cuda_cipher(Direction::Protect, 1, emulation::open_emulated_gpu().value(),
                                 std::make_unique<ReferenceCipher>(Direction::Protect, 1),
                                 {.use = CudaUse::Always, .clock = [&] {
                                    if (looks % 40 == 0) emulation::run_queued(10);
                                    return clock();
                                  }});
  CipherTrial trial(std::move(cipher.value()), srtp::SrtpProfile::AeadAes128Gcm, 16, clock);
  const BatchTime time = trial.time(16, 3);
  emulation::set_behaviour({});
  EXPECT_GT(time.latency, 15us) << "it was held";
  EXPECT_LT(time.thread, 12us);
  EXPECT_GT(time.thread, 2us);
}

TEST(CipherCosts, AreMeasuredOfBothEngines) {
  emulation::set_behaviour({});
  const auto costs = measure_cipher_costs(
      srtp::SrtpProfile::AeadAes128Gcm, emulation::open_emulated_gpu().value(),
      [] { return std::make_unique<ReferenceCipher>(Direction::Protect, 1); }, monotonic_now);
  ASSERT_TRUE(costs.ok()) << costs.error().text;
  EXPECT_GT(costs->cpu.of(256), 0ns);
  EXPECT_GT(costs->device_thread.of(256), costs->cpu.of(256)) << "an emulated GPU is slower than a CPU";
  EXPECT_EQ(crossover(*costs, 512, 1s), 0u);
}

}  // namespace
}  // namespace viaduct::edge
