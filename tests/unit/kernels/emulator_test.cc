// The emulator runs CUDA as CUDA says, for every schedule, and stops what CUDA leaves undefined.
#include "kernels/emulation/emulator.h"

#include <cuda_language.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <thread>
#include <vector>

#include "kernels/emulation/kernel_registry.h"

namespace viaduct::emulation {
namespace {

using testing::Each;

constexpr uint32_t FullWarp = 0xffffffffu;

template <auto Kernel, class... Values>
void launch(Emulator& emulator, Dim3 grid, Dim3 block, Schedule schedule, Values... values) {
  std::array<void*, sizeof...(values)> parameters{&values...};
  emulator.launch(grid, block, invoke<Kernel>, parameters.data(), schedule);
}

std::vector<Schedule> all_schedules() {
  return {{Order::Forward},
          {Order::Reverse},
          {Order::Shuffled, 1},
          {Order::Shuffled, 2},
          {Order::Shuffled, 12345}};
}

struct Words64 {
  uint32_t at[64];
};

__global__ void reverse_block(const uint32_t* in, uint32_t* out) {
  BLOCK_SHARED(Words64, words);
  words.at[threadIdx.x] = in[blockIdx.x * 64 + threadIdx.x];
  __syncthreads();
  out[blockIdx.x * 64 + threadIdx.x] = words.at[63 - threadIdx.x];
}

__global__ void sum_by_shuffles(const uint32_t* in, uint32_t* sums) {
  uint32_t value = in[blockIdx.x * blockDim.x + threadIdx.x];
  for (int distance = 16; distance > 0; distance /= 2) {
    value += __shfl_xor_sync(FullWarp, value, distance);
  }
  if (threadIdx.x % 32 == 0) atomicAdd(&sums[blockIdx.x], value);
}

__global__ void try_shuffles(uint32_t* up, uint32_t* down, uint64_t* one, uint32_t* votes) {
  const uint32_t lane = threadIdx.x;
  up[lane] = __shfl_up_sync(FullWarp, lane, 3);
  down[lane] = __shfl_down_sync(FullWarp, lane, 3);
  one[lane] = __shfl_sync(FullWarp, uint64_t{lane} << 40, 5);
  votes[lane] = __ballot_sync(FullWarp, lane % 3 == 0);
  if (__any_sync(FullWarp, lane == 9) && !__all_sync(FullWarp, lane == 9)) votes[lane] += 1;
}

__global__ void look_at_junk(uint8_t* out) {
  BLOCK_SHARED(uint8_t, byte);
  out[blockIdx.x] = byte;
  byte = 1;
}

__global__ void write_position(uint32_t* out) {
  const uint32_t block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const uint32_t thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  out[block * blockDim.x * blockDim.y * blockDim.z + thread] += 1000 * block + thread;
}

__global__ void write_arrival(uint32_t* next, uint32_t* arrivals) {
  arrivals[atomicAdd(next, 1)] = blockIdx.x * blockDim.x + threadIdx.x;
}

__global__ void largest_and_parity(const uint32_t* in, uint32_t* out) {
  atomicMax(&out[0], in[threadIdx.x]);
  atomicXor(&out[1], in[threadIdx.x]);
}

__global__ void leave_a_secret(uint64_t* where) {
  BLOCK_SHARED(uint64_t, in_shared);
  volatile uint64_t on_stack[64];
  for (volatile uint64_t& word : on_stack) word = 0x5ec2e7;
  if (threadIdx.x != 0) return;
  in_shared = 0x5ec2e7;
  where[0] = reinterpret_cast<uint64_t>(&on_stack[0]);
  where[1] = reinterpret_cast<uint64_t>(&in_shared);
}

class EverySchedule : public testing::TestWithParam<Schedule> {
 protected:
  Emulator emulator_;
};

TEST_P(EverySchedule, BarrierMakesABlocksWritesVisible) {
  std::vector<uint32_t> in(5 * 64);
  std::iota(in.begin(), in.end(), 0);
  std::vector<uint32_t> out(in.size());
  launch<reverse_block>(emulator_, {5}, {64}, GetParam(), in.data(), out.data());
  for (uint32_t i = 0; i < out.size(); ++i) EXPECT_EQ(out[i], i / 64 * 64 + 63 - i % 64);
}

TEST_P(EverySchedule, ShufflesAndAtomicsSumUp) {
  std::vector<uint32_t> in(4 * 256);
  std::iota(in.begin(), in.end(), 7);
  std::vector<uint32_t> sums(4);
  launch<sum_by_shuffles>(emulator_, {4}, {256}, GetParam(), in.data(), sums.data());
  for (uint32_t block = 0; block < 4; ++block) {
    const auto first = in.begin() + block * 256;
    EXPECT_EQ(sums[block], std::accumulate(first, first + 256, 0u));
  }
}

TEST_P(EverySchedule, LanesReadFromTheRightLane) {
  std::array<uint32_t, 32> up{};
  std::array<uint32_t, 32> down{};
  std::array<uint64_t, 32> one{};
  std::array<uint32_t, 32> votes{};
  launch<try_shuffles>(emulator_, {1}, {32}, GetParam(), up.data(), down.data(), one.data(),
                       votes.data());
  for (uint32_t lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(up[lane], lane < 3 ? lane : lane - 3);
    EXPECT_EQ(down[lane], lane > 28 ? lane : lane + 3);
  }
  EXPECT_THAT(one, Each(uint64_t{5} << 40));
  EXPECT_THAT(votes, Each(0x49249249u + 1));
}

TEST_P(EverySchedule, AtomicsKeepTheLargestAndTheParity) {
  std::vector<uint32_t> in(100);
  for (uint32_t i = 0; i < 100; ++i) in[i] = i * 7919 % 1000;
  std::array<uint32_t, 2> out{};
  launch<largest_and_parity>(emulator_, {1}, {100}, GetParam(), in.data(), out.data());
  EXPECT_EQ(out[0], *std::max_element(in.begin(), in.end()));
  EXPECT_EQ(out[1], std::accumulate(in.begin(), in.end(), 0u, std::bit_xor<uint32_t>()));
}

TEST_P(EverySchedule, EachThreadRunsOnceAtItsOwnPosition) {
  std::vector<uint32_t> out(24 * 60);
  launch<write_position>(emulator_, {2, 3, 4}, {3, 4, 5}, GetParam(), out.data());
  for (uint32_t i = 0; i < out.size(); ++i) EXPECT_EQ(out[i], 1000 * (i / 60) + i % 60);
}

TEST_P(EverySchedule, SharedMemoryHoldsJunkBeforeEachBlock) {
  std::vector<uint8_t> out(9);
  launch<look_at_junk>(emulator_, {9}, {1}, GetParam(), out.data());
  EXPECT_THAT(out, Each(0xA5));
}

INSTANTIATE_TEST_SUITE_P(, EverySchedule, testing::ValuesIn(all_schedules()));

std::vector<uint32_t> arrivals(Emulator& emulator, Schedule schedule) {
  uint32_t next = 0;
  std::vector<uint32_t> order(3 * 40);
  launch<write_arrival>(emulator, {3}, {40}, schedule, &next, order.data());
  return order;
}

TEST(Emulator, RunsThreadsInTheOrderOfTheSchedule) {
  Emulator emulator;
  std::vector<uint32_t> forward(3 * 40);
  std::iota(forward.begin(), forward.end(), 0);
  EXPECT_EQ(arrivals(emulator, {Order::Forward}), forward);
  EXPECT_EQ(arrivals(emulator, {Order::Reverse}),
            std::vector<uint32_t>(forward.rbegin(), forward.rend()));
}

TEST(Emulator, ShufflesBySeedAlone) {
  Emulator emulator;
  const auto first = arrivals(emulator, {Order::Shuffled, 5});
  EXPECT_EQ(arrivals(emulator, {Order::Shuffled, 5}), first);
  EXPECT_NE(arrivals(emulator, {Order::Shuffled, 6}), first);
  EXPECT_TRUE(std::ranges::is_permutation(first, arrivals(emulator, {Order::Forward})));
}

TEST(Emulator, TakesLaunchesFromManyThreads) {
  Emulator emulator;
  std::vector<uint32_t> in(256, 1);
  std::array<uint32_t, 4> sums{};
  {
    std::vector<std::jthread> threads;
    for (uint32_t& sum : sums) {
      threads.emplace_back([&emulator, &in, &sum] {
        for (int i = 0; i < 20; ++i) {
          launch<sum_by_shuffles>(emulator, {1}, {256}, {}, in.data(), &sum);
        }
      });
    }
  }
  EXPECT_THAT(sums, Each(20 * 256));
}

TEST(Emulator, FindsKernelsByName) {
  ASSERT_NE(find_kernel("viaduct_audio_mix"), nullptr);
  EXPECT_NE(find_kernel("viaduct_audio_mix")->entry, nullptr);
  EXPECT_EQ(find_kernel("viaduct_audio"), nullptr);
}

// Their memory stays mapped while the emulator lives.
TEST(Emulator, WipesStacksAndSharedMemoryAfterALaunch) {
  Emulator emulator;
  std::array<uint64_t, 2> where{};
  launch<leave_a_secret>(emulator, {1}, {32}, {}, where.data());
  EXPECT_EQ(*reinterpret_cast<const volatile uint64_t*>(where[0]), 0u);
  EXPECT_EQ(*reinterpret_cast<const volatile uint64_t*>(where[1]), 0u);
}

__global__ void diverge_at_barrier() {
  if (threadIdx.x % 2 == 0) {
    __syncthreads();
  } else {
    __syncwarp();
  }
}

__global__ void shuffle_in_half_a_warp() {
  if (threadIdx.x < 16) __shfl_xor_sync(FullWarp, 1u, 1);
}

__global__ void leave_before_shuffle() {
  if (threadIdx.x == 3) return;
  __shfl_xor_sync(FullWarp, 1u, 1);
}

__global__ void disagree_on_operation() {
  if (threadIdx.x < 16) {
    __ballot_sync(FullWarp, 1);
  } else {
    __shfl_sync(FullWarp, 1u, 0);
  }
}

__global__ void call_outside_of_mask() { __shfl_sync(0xffffu, 1u, 0); }

__global__ void read_outside_of_mask() {
  if (threadIdx.x < 16) __shfl_sync(0xffffu, 1u, 20);
}

__global__ void ask_for_too_much() {
  struct Huge {
    uint32_t at[12 * 1024 + 1];
  };
  BLOCK_SHARED(Huge, huge);
  huge.at[0] = 1;
}

template <auto Kernel>
void launch_once(uint32_t threads = 32) {
  Emulator emulator;
  emulator.launch({1}, {threads}, invoke<Kernel>, nullptr);
}

TEST(EmulatorDeathTest, StopsAtADivergentBarrier) {
  EXPECT_DEATH(launch_once<diverge_at_barrier>(),
               "divergent barrier.*16 threads at a barrier, 16 in a warp operation");
}

TEST(EmulatorDeathTest, StopsWhenLanesOfAMaskAreMissing) {
  EXPECT_DEATH(launch_once<shuffle_in_half_a_warp>(), "lane .*exited");
  EXPECT_DEATH(launch_once<leave_before_shuffle>(), "lane .*exited");
  EXPECT_DEATH(launch_once<leave_before_shuffle>(3), "exited or never was");
}

TEST(EmulatorDeathTest, StopsWhenLanesDisagree) {
  EXPECT_DEATH(launch_once<disagree_on_operation>(), "disagree");
}

TEST(EmulatorDeathTest, StopsWhenAMaskLeavesOutALane) {
  EXPECT_DEATH(launch_once<call_outside_of_mask>(), "calling lane is missing.*thread 16");
  EXPECT_DEATH(launch_once<read_outside_of_mask>(), "reads from a lane that is missing");
}

TEST(EmulatorDeathTest, StopsWhenSharedMemoryRunsOut) {
  EXPECT_DEATH(launch_once<ask_for_too_much>(), "more shared memory than there is");
}

}  // namespace
}  // namespace viaduct::emulation
