// A warp: the threads that run in step and can look at each other's registers.
#pragma once

#include <cuda_language.h>

#include <cstdint>

namespace viaduct::kernels {

inline constexpr uint32_t WarpThreads = 32;
inline constexpr uint32_t FullWarp = 0xffffffffu;

}  // namespace viaduct::kernels
