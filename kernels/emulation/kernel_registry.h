// The kernels that the emulator can run, by the names under which a GPU's image exports them.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include "kernels/emulation/emulator.h"

namespace viaduct::emulation {

// Calls KernelFunction with the parameters that these pointers point to, in its own order and
// types.
template <auto KernelFunction>
void invoke(void** parameters) {
  const auto call = []<class... Types, size_t... Indices>(
                        void (*kernel)(Types...), std::index_sequence<Indices...>, void** values) {
    kernel(*static_cast<Types*>(values[Indices])...);
  };
  const auto count = []<class... Types>(void (*)(Types...)) {
    return std::make_index_sequence<sizeof...(Types)>();
  };
  call(KernelFunction, count(KernelFunction), parameters);
}

struct Kernel {
  std::string_view name;
  KernelEntry entry = nullptr;
};

// nullptr when there is none of this name.
const Kernel* find_kernel(std::string_view name);

}  // namespace viaduct::emulation
