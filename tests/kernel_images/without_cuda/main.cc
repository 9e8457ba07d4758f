// Exits with 0 where there is no GPU because the program was built without kernels for one.
#include <cstdio>
#include <string>

#include "kernels/device/gpu.h"

int main() {
  const auto gpu = viaduct::kernels::open_gpu();
  const std::string why = gpu ? "there is a GPU" : gpu.error().text;
  std::puts(why.c_str());
  return why.starts_with("this program was built without kernels for GPUs") ? 0 : 1;
}
