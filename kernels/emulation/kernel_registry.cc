#include "kernels/emulation/kernel_registry.h"

#include <algorithm>
#include <array>

#include "kernels/audio/audio_kernels.cuh"

namespace viaduct::emulation {
namespace {

constexpr std::array Kernels = {
    Kernel{"viaduct_audio_measure", invoke<viaduct_audio_measure>},
    Kernel{"viaduct_audio_mix", invoke<viaduct_audio_mix>},
    Kernel{"viaduct_speaker_scores", invoke<viaduct_speaker_scores>},
};

}  // namespace

const Kernel* find_kernel(std::string_view name) {
  const auto found = std::ranges::find(Kernels, name, &Kernel::name);
  return found == Kernels.end() ? nullptr : &*found;
}

}  // namespace viaduct::emulation
