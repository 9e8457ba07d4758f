// A whole conference whose media goes through the CUDA kernels, on the emulated device: what comes out is
// byte for byte what the reference makes of it, and nobody notices when the device fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/emulation/emulated_driver.h"
#include "tests/sim/simulated_bridge.h"
#include "tests/support/cipher_engines.h"
#include "tests/support/twin_cipher.h"

namespace viaduct::testing {
namespace {

using codec::MediaKind;
using ::testing::IsEmpty;

class CudaConference : public ::testing::Test {
 protected:
  // A launch runs in some later turn, as a GPU's would.
  CudaConference() { emulation::set_behaviour({.holds_launches = true}); }
  ~CudaConference() override { emulation::set_behaviour({}); }

  Simulation::Options options() {
    return {.make_cipher =
                [this](edge::Direction direction, size_t keys) {
                  return std::make_unique<TwinCipher>(direction, keys, make(direction, keys), counts_);
                },
            .between_turns = [] { emulation::run_queued(3); }};
  }
  void expect_everyone_hears_everyone(Simulation& sim, size_t clients, uint64_t audio_packets) {
    for (size_t to = 0; to < clients; ++to) {
      for (uint32_t from = 1; from <= clients; ++from) {
        if (from == to + 1) continue;
        EXPECT_GT(sim.client(to).received_from(from, MediaKind::Audio), audio_packets)
            << from << " to " << to + 1;
      }
    }
  }

  TwinCounts counts_;
  int failures_ = 0;

 private:
  std::unique_ptr<edge::SessionCipher> make(edge::Direction direction, size_t keys) {
    auto cipher = edge::make_cuda_cipher(
        direction, keys, emulation::open_emulated_gpu().value(),
        std::make_unique<edge::ReferenceCipher>(direction, keys),
        {.use = edge::CudaUse::Always,
         .slot_packets = 64,
         .name = "cuda-emulated",
         .clock = [] { return Timestamp{}; },
         .on_failure = [this](const std::string&) { ++failures_; }});
    return std::move(cipher.value());
  }
};

TEST_F(CudaConference, SendsByteForByteWhatTheReferenceWould) {
  Simulation sim(options());
  for (uint32_t i = 1; i <= 3; ++i) sim.join(Simulation::client_options(i));
  ASSERT_TRUE(sim.run_until(
      [&] { return sim.client(0).connected() && sim.client(1).connected() && sim.client(2).connected(); }, 5s));
  sim.run_for(3s);

  expect_everyone_hears_everyone(sim, 3, 120);
  EXPECT_GT(counts_.compared, 2000u);
  EXPECT_EQ(counts_.different, 0u);
  EXPECT_EQ(failures_, 0);
  EXPECT_THAT(sim.faults(), IsEmpty());
  EXPECT_TRUE(sim.all_packets_returned());
}

TEST_F(CudaConference, GoesOnWithTheCpuWhenTheDeviceFailsInMidCall) {
  emulation::set_behaviour({.holds_launches = true, .launches_until_failure = 400});
  Simulation sim(options());
  for (uint32_t i = 1; i <= 3; ++i) sim.join(Simulation::client_options(i));
  ASSERT_TRUE(sim.run_until([&] { return failures_ > 0; }, 10s));
  const size_t compared = counts_.compared;
  sim.run_for(3s);

  EXPECT_EQ(failures_, 2) << "one for each direction";
  EXPECT_GT(counts_.compared, compared + 1000);
  EXPECT_EQ(counts_.different, 0u);
  expect_everyone_hears_everyone(sim, 3, 140);
  EXPECT_THAT(sim.faults(), IsEmpty()) << "no key stream is used twice, and no stream breaks";
  EXPECT_TRUE(sim.all_packets_returned());
}

}  // namespace
}  // namespace viaduct::testing
