// The GPU of this machine, where the program was built with kernels for one.
#include <cstddef>

#include "kernels/device/gpu.h"

// What cmake/compile_kernels.cmake has made, as read-only data with a zero at its end, as PTX wants.
asm(R"(
  .pushsection .rodata
  .balign 16
  .globl viaduct_kernel_image
viaduct_kernel_image:
  .incbin ")" VIADUCT_KERNEL_IMAGE R"("
viaduct_kernel_image_end:
  .byte 0
  .globl viaduct_kernel_image_end
  .popsection
)");

extern "C" const uint8_t viaduct_kernel_image[];
extern "C" const uint8_t viaduct_kernel_image_end[];

namespace viaduct::kernels {

Result<std::shared_ptr<Gpu>> open_gpu() {
  const auto driver = load_driver();
  if (!driver) return driver.error();
  const auto size = static_cast<size_t>(viaduct_kernel_image_end - viaduct_kernel_image);
  return Gpu::open(**driver, {viaduct_kernel_image, size + 1});
}

}  // namespace viaduct::kernels
