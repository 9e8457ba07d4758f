// The same functions as cuda.cc, where the program was built without kernels for a GPU.
#include "kernels/device/gpu.h"

namespace viaduct::kernels {

Result<std::shared_ptr<Gpu>> open_gpu() {
  return Error{ErrorCode::Unavailable,
               "this program was built without kernels for GPUs; build it where nvcc or clang is"};
}

}  // namespace viaduct::kernels
