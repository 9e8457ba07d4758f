// The audio kernels against the CPU's own code for sound, bit for bit.
#pragma once

#include <memory>
#include <vector>

#include "gpu_check/gpu_check.h"

namespace viaduct::gpu_check {

// Adds a test for each of these kernels.
void test_sound(const std::shared_ptr<kernels::Gpu>& gpu, std::vector<SelfTest>& tests);

}  // namespace viaduct::gpu_check
