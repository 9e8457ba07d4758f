// The audio engine on this CPU's vector units.
#pragma once

#include <memory>

#include "kernels/audio_engine.h"

namespace viaduct::kernels {

std::unique_ptr<AudioEngine> make_cpu_audio();

}  // namespace viaduct::kernels
