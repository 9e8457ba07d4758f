// One launch at a time: its blocks one after the other, the threads of a block in turn. A thread
// runs until it waits for others or ends; when none can run and some wait, the kernel is wrong.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/emulation/device.h"
#include "kernels/emulation/fiber.h"
#include "kernels/emulation/memory.h"
#include "kernels/emulation/sanitizer.h"
#include "kernels/emulation/shared_memory.h"

namespace viaduct::emulation {

class Machine {
 public:
  static constexpr uint32_t MaxBlockThreads = 1024;

  Machine();
  ~Machine();
  void run(Dim3 grid, Dim3 block, KernelEntry kernel, void** parameters, Schedule schedule);

  // What the running thread asks for: see device.h.
  void sync_threads();
  uint64_t collective(uint32_t mask, Collective kind, uint64_t value, uint32_t source);
  void* shared_object(const void* identity, size_t size, size_t alignment);
  void thread_fence();

 private:
  enum class State : uint8_t { Ready, AtBarrier, InWarpOperation, Ended };

  struct Fiber {
    explicit Fiber(size_t stack_bytes);
    ~Fiber();
    Pages stack;
    FiberContext context;
    sanitizer::View view;
  };

  struct Thread {
    ThreadContext context;
    State state = State::Ready;
    Fiber* fiber = nullptr;
    uint64_t value = 0;   // what it brought to a warp operation, then what it takes from it
    uint32_t source = 0;  // the lane that a shuffle asks
  };

  struct Warp {
    uint32_t alive = 0;
    uint32_t arrived = 0;
    uint32_t mask = 0;
    Collective kind{};
    uint32_t syncs = 0;
  };

  // What a sanitizer knows the meeting points of a block by. Two of each in turn: who is late at
  // one meeting must not see what others do on their way to the next.
  struct Tokens {
    std::array<char, 2> barrier{};
    std::array<std::array<char, 2>, MaxBlockThreads / WarpLanes> warps{};
  };

  static void thread_main();
  void run_block(Dim3 position);
  void prepare_thread(uint32_t index, Dim3 position);
  void order_threads();
  void resume(Thread& thread);
  void pause(bool for_good = false);
  void end_thread();
  void open_barrier();
  void finish_warp_operation(uint32_t warp);
  uint32_t random_below(uint32_t bound);
  void shuffle(uint32_t* items, uint32_t count);
  void wipe_all();
  [[noreturn]] void misuse(const char* what) const;

  Dim3 grid_;
  Dim3 block_;
  KernelEntry kernel_ = nullptr;
  void** parameters_ = nullptr;
  Schedule schedule_;
  uint64_t random_state_ = 0;

  std::array<Thread, MaxBlockThreads> threads_;
  std::array<Warp, MaxBlockThreads / WarpLanes> warps_;
  std::array<uint32_t, MaxBlockThreads> order_{};
  uint32_t thread_count_ = 0;
  uint32_t alive_ = 0;
  uint32_t at_barrier_ = 0;
  uint32_t barriers_ = 0;
  Thread* running_ = nullptr;
  size_t fiber_set_ = 0;
  std::vector<std::vector<std::unique_ptr<Fiber>>> fiber_sets_;
  SharedMemory shared_;
  FiberContext launcher_;
  sanitizer::View launcher_view_;
  std::unique_ptr<Tokens> tokens_;
  char start_token_ = 0;
  char end_token_ = 0;
  char fence_token_ = 0;
};

}  // namespace viaduct::emulation
