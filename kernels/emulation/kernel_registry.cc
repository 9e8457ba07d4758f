#include "kernels/emulation/kernel_registry.h"

#include <algorithm>
#include <array>

#include "kernels/audio/audio_kernels.cuh"
#include "kernels/srtp/srtp_kernels.cuh"

namespace viaduct::emulation {
namespace {

constexpr std::array Kernels = {
    make_kernel<viaduct_srtp_protect>("viaduct_srtp_protect"),
    make_kernel<viaduct_srtp_unprotect>("viaduct_srtp_unprotect"),
    make_kernel<viaduct_srtp_expand_keys>("viaduct_srtp_expand_keys"),
    make_kernel<viaduct_audio_measure>("viaduct_audio_measure"),
    make_kernel<viaduct_audio_mix>("viaduct_audio_mix"),
    make_kernel<viaduct_speaker_scores>("viaduct_speaker_scores"),
};

}  // namespace

const Kernel* find_kernel(std::string_view name) {
  const auto found = std::ranges::find(Kernels, name, &Kernel::name);
  return found == Kernels.end() ? nullptr : &*found;
}

}  // namespace viaduct::emulation
