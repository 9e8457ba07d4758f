#include "kernels/emulation/emulator.h"

#include "kernels/emulation/machine.h"

namespace viaduct::emulation {

Emulator::Emulator() : machine_(std::make_unique<Machine>()) {}

Emulator::~Emulator() = default;

void Emulator::launch(Dim3 grid, Dim3 block, KernelEntry kernel, void** parameters,
                      Schedule schedule) {
  const std::lock_guard lock(mutex_);
  machine_->run(grid, block, kernel, parameters, schedule);
}

}  // namespace viaduct::emulation
