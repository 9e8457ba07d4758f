// A CUDA driver without a GPU: one device whose kernels run on the emulator. Everything above the
// driver is the same as with a GPU, so it is tested and developed on any machine.
//
// Launches run when they are made, unless a test holds them back. Not fast: a packet takes tens of
// microseconds. One device for the process, used from any thread.
#pragma once

#include <cstddef>
#include <memory>

#include "base/result.h"
#include "kernels/device/driver.h"
#include "kernels/emulation/emulator.h"

namespace viaduct::kernels {
class Gpu;
}

namespace viaduct::emulation {

const kernels::Driver& emulated_driver();

// The emulated device, opened with all kernels.
Result<std::shared_ptr<kernels::Gpu>> open_emulated_gpu();

// For tests: what the device does from now on. Reset by a new one.
struct DeviceBehaviour {
  Schedule schedule{};
  // Launches and what is queued behind them wait for run_queued().
  bool holds_launches = false;
  // After so many more launches the device fails: that launch runs its first block alone, whose
  // results stand, and every later call reports an error. Never, if it is negative.
  int launches_until_failure = -1;
  // The call that launches reports the failure itself, and no block runs.
  bool fails_at_launch = false;
};
void set_behaviour(const DeviceBehaviour& behaviour);
// Runs up to `at_most` queued operations; returns how many.
size_t run_queued(size_t at_most);
// Memory that is allocated or registered and has not been given back.
size_t allocations();
// Allocations that were given back with something in them, since the last set_behaviour().
size_t given_back_unwiped();

}  // namespace viaduct::emulation
