// CUDA C++ as nvcc knows it, and the one word that kernels add to it. There is another header of this name for
// each other compiler.
#pragma once

#include <cuda_runtime.h>

// Memory that a block of threads shares.
#define BLOCK_SHARED(Type, name) __shared__ Type name
