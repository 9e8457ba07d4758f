// The audio engine whose kernels the emulator runs: for development and tests, not for calls.
#pragma once

#include <memory>

#include "kernels/audio_engine.h"
#include "kernels/emulation/emulator.h"

namespace viaduct::kernels {

std::unique_ptr<AudioEngine> make_emulated_audio(emulation::Schedule schedule = {});

}  // namespace viaduct::kernels
