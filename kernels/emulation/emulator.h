// Runs CUDA kernels on the CPU, from the same source: what a GPU's own tools would check is checked
// here, on any machine. Every CUDA thread is a fiber; blocks run one after the other, and the order
// of blocks and of threads between two barriers follows a schedule, the same for the same seed.
//
// A kernel that does what CUDA leaves undefined (a barrier that some threads never reach, a warp
// operation that not all named lanes join) ends the program with a line that says where. Shared
// memory holds junk before each block. Under AddressSanitizer its objects have exact bounds; under
// ThreadSanitizer only barriers order memory, so that a missing one is a data race.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

namespace viaduct::emulation {

class Machine;

struct Dim3 {
  uint32_t x = 1;
  uint32_t y = 1;
  uint32_t z = 1;
};

enum class Order : uint8_t { Forward, Reverse, Shuffled };

struct Schedule {
  Order order = Order::Forward;
  uint64_t seed = 1;  // of Order::Shuffled
};

// Calls a kernel with its parameters, which are passed as the driver's cuLaunchKernel passes them:
// a pointer to each. See kernel_registry.h.
using KernelEntry = void (*)(void** parameters);

// The fibers and their memory, kept from launch to launch. What a kernel leaves on its stacks and
// in shared memory (it may be keys) is wiped before launch() returns.
class Emulator {
 public:
  Emulator();
  ~Emulator();

  // Returns when the whole grid has run. May be called from any thread; launches wait for each
  // other.
  void launch(Dim3 grid, Dim3 block, KernelEntry kernel, void** parameters, Schedule schedule = {});

 private:
  std::mutex mutex_;
  std::unique_ptr<Machine> machine_;
};

}  // namespace viaduct::emulation
