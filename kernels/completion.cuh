// How a launch says that it is done: its last block writes the batch's number into memory that the
// host looks at. Nobody has to ask the driver.
#pragma once

#include <cuda_language.h>

#include <cstdint>

namespace viaduct::kernels {

// The last thing of a kernel, called by every thread. `finished_blocks` is zero before and after
// the launch.
__device__ __forceinline__ void complete(uint32_t* finished_blocks, volatile uint64_t* completion,
                                uint64_t batch_number) {
  __syncthreads();  // all of this block's results are written ...
  if (threadIdx.x != 0) return;
  __threadfence_system();  // ... and seen by the host before it sees the number
  if (atomicAdd(finished_blocks, 1u) + 1 < gridDim.x) return;
  atomicAdd(finished_blocks, 0u - gridDim.x);  // zero again; others' additions are atomic too
  __threadfence_system();
  *completion = batch_number;
}

}  // namespace viaduct::kernels
