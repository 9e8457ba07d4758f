// Once a conference runs, its packets cost no allocation, no lock and no reading of the system's
// clock; and the path asks its own time source about once for each batch that it sends.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <sstream>

#include "base/clock.h"
#include "tests/sim/simulated_bridge.h"
#include "tests/support/allocation_watch.h"

namespace viaduct::testing {
namespace {

using codec::MediaKind;
using ::testing::IsEmpty;

std::string where(const SystemCalls& calls) {
  std::ostringstream text;
  for (void* address : calls.first_allocation) {
    Dl_info info{};
    if (!address || !dladdr(address, &info)) continue;
    const auto offset = static_cast<const char*>(address) - static_cast<char*>(info.dli_fbase);
    text << "\n  " << info.dli_fname << "+0x" << std::hex << offset;
    if (info.dli_sname) text << " " << info.dli_sname;
  }
  return text.str();
}

// Everything a running conference does with packets: sound and pictures, losses that are asked for
// again on both sides, key frames, silence, reports.
void run_for_a_while(Simulation& sim) {
  for (int round = 0; round < 10; ++round) {
    sim.run_for(500ms);
    sim.client(0).set_audio_level(round % 2 == 0 ? 127 : 40);
  }
}

// What the mix is made of are the others' marked bodies, which any decoder takes for Opus.
void hear_a_mix(FakeClient::Options& options) {
  options.mixed = true;
  options.listen = [](const rtp::HeaderView&, Bytes, Timestamp) {};
}

struct Setting {
  int cipher_delay = 0;
  uint32_t workers = 1;
};

class SteadyConference : public ::testing::TestWithParam<Setting> {
 protected:
  SteadyConference()
      : sim_({.seed = 3,
              .cipher_delay = GetParam().cipher_delay,
              .workers = GetParam().workers}) {
    Link link;
    link.delay = 20ms;
    link.jitter = 4ms;
    link.loss = 0.03;
    for (uint32_t i = 1; i <= 4; ++i) {
      auto options = Simulation::client_options(i);
      options.describes_frames = i % 2 == 0;
      if (i == 4) hear_a_mix(options);
      sim_.network().attach(options.address);
      sim_.network().set_uplink(options.address, link);
      sim_.network().set_downlink(options.address, link);
      sim_.join(options, 1, i % GetParam().workers);
    }
  }
  bool all_connected() {
    for (size_t i = 0; i < 4; ++i) {
      if (!sim_.client(i).connected()) return false;
    }
    return true;
  }

  uint64_t forwarded() {
    uint64_t packets = 0;
    for (size_t w = 0; w < GetParam().workers; ++w)
      packets += sim_.counters(w).sent[0].packets.value();
    return packets;
  }

  uint64_t mixed() {
    uint64_t packets = 0;
    for (size_t w = 0; w < GetParam().workers; ++w)
      packets += sim_.counters(w).sent[static_cast<size_t>(path::TxKind::Mixed)].packets.value();
    return packets;
  }

  Simulation sim_;
};

TEST_P(SteadyConference, CostsNoAllocationLockOrClockReadingWhileMediaFlows) {
  ASSERT_TRUE(sim_.run_until([&] { return all_connected(); }, 20s));
  sim_.run_for(60s);  // every buffer has been as full as it gets
  run_for_a_while(sim_);

  const uint64_t packets_before = forwarded();
  const uint64_t mixed_before = mixed();
  const uint64_t nacks_before = sim_.counters().nacks_received.value();
  const uint64_t readings_before = sim_.readings_of_time();
  watched_calls = {};
  run_for_a_while(sim_);
  const SystemCalls calls = watched_calls;

  EXPECT_EQ(calls.allocations, 0u) << "the first came from" << where(calls);
  EXPECT_EQ(calls.locks, 0u);
  EXPECT_EQ(calls.clock_reads, 0u);
  EXPECT_GT(forwarded() - packets_before, 3000u);
  EXPECT_GT(mixed() - mixed_before, 200u);
  EXPECT_GT(sim_.counters().nacks_received.value(), nacks_before);
  EXPECT_LE(sim_.readings_of_time() - readings_before, 2 * sim_.turns());
  EXPECT_THAT(sim_.faults(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Settings, SteadyConference,
                         ::testing::Values(Setting{0, 1}, Setting{2, 1}, Setting{0, 2}));

TEST(AllocationWatch, SeesWhatItWatchesForAndNothingElse) {
  watched_calls = {};
  { const auto unseen = std::make_unique<int>(1); }
  EXPECT_EQ(watched_calls.allocations, 0u);
  std::mutex mutex;
  {
    const Watched watch;
    const std::vector<int> seen(100);
    const std::lock_guard lock(mutex);
    monotonic_now();
    const Unwatched pause;
    const std::vector<int> unseen(100);
  }
  EXPECT_EQ(watched_calls.allocations, 1u);
  EXPECT_EQ(watched_calls.locks, 1u);
  EXPECT_EQ(watched_calls.clock_reads, 1u);
}

}  // namespace
}  // namespace viaduct::testing
