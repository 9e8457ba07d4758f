// The kernels that the emulator can run, by the names under which a GPU's image exports them.
#pragma once

#include <array>
#include <cstddef>
#include <span>
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

// The sizes of a kernel's parameters in bytes, for who keeps them until it runs.
template <class... Types>
constexpr std::array<size_t, sizeof...(Types)> sizes_of(void (*)(Types...)) {
  return {sizeof(Types)...};
}
template <auto KernelFunction>
inline constexpr auto ParameterSizes = sizes_of(KernelFunction);

struct Kernel {
  std::string_view name;
  KernelEntry entry = nullptr;
  std::span<const size_t> parameter_sizes;
};

template <auto KernelFunction>
constexpr Kernel make_kernel(std::string_view name) {
  return {name, invoke<KernelFunction>, ParameterSizes<KernelFunction>};
}

// nullptr when there is none of this name.
const Kernel* find_kernel(std::string_view name);

}  // namespace viaduct::emulation
