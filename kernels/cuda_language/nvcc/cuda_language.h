// CUDA C++ as nvcc knows it, and the two words that kernels add to it. There is another header of this name for
// each other compiler.
#pragma once

#include <cuda_runtime.h>

// In front of a loop whose counter chooses registers.
#define UNROLL _Pragma("unroll")

// Memory that a block of threads shares.
#define BLOCK_SHARED(Type, name) __shared__ Type name
