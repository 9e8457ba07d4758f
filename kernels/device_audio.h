// The audio engine on a GPU. Each call is one launch; its end is a word that the kernel writes last
// and this thread looks at, so the driver is not asked unless it takes long.
//
// A device that reports an error or does not come back is given up, for good and for all who use it.
// The CPU then does that call's work from the same frames, and all later work: bit for bit what the
// device would have done.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "kernels/audio_engine.h"

namespace viaduct::kernels {

class Gpu;

struct DeviceAudioOptions {
  const char* name = "cuda";
  // A device that takes longer than this has failed.
  Duration longest_launch{};
  std::function<Timestamp()> clock;
  // Told once, with the reason, when the device fails.
  std::function<void(const std::string&)> on_failure = [](const std::string&) {};
};

Result<std::unique_ptr<AudioEngine>> open_device_audio(std::shared_ptr<Gpu> gpu,
                                                       DeviceAudioOptions options);

}  // namespace viaduct::kernels
