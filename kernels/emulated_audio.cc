#include "kernels/emulated_audio.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "kernels/audio_batch.h"
#include "kernels/emulation/kernel_registry.h"
#include "kernels/emulation/memory.h"

namespace viaduct::kernels {
namespace {

// Memory and the batch in it; what it held is wiped with it.
class Room {
 public:
  explicit Room(const AudioCapacity& capacity)
      : pages_(AudioBatch::bytes_for(capacity)), batch_(pages_.bytes(), capacity) {}
  ~Room() { emulation::wipe(pages_.bytes()); }
  AudioBatch& batch() { return batch_; }

 private:
  emulation::Pages pages_;
  AudioBatch batch_;
};

class EmulatedAudio : public AudioEngine {
 public:
  explicit EmulatedAudio(emulation::Schedule schedule) : schedule_(schedule) {}

  void measure(std::span<const Frame> frames, std::span<uint8_t> levels) override {
    if (frames.empty()) return;
    AudioBatch& room = make_room({frames.size(), 0});
    launch(room.fill_measure(frames));
    room.read_measure(levels);
  }

  void mix(const MixBatch& batch) override {
    if (batch.groups.empty()) return;
    AudioBatch& room = make_room({batch.frames.size(), batch.groups.size()});
    launch(room.fill_mix(batch));
    room.read_mix(batch);
  }

  const char* name() const override { return "cuda-emulated"; }

 private:
  AudioBatch& make_room(const AudioCapacity& wanted) {
    const AudioCapacity had = room_ ? room_->batch().capacity() : AudioCapacity{};
    if (!room_ || wanted.frames > had.frames || wanted.groups > had.groups) {
      room_.emplace(
          AudioCapacity{std::max(wanted.frames, had.frames), std::max(wanted.groups, had.groups)});
    }
    return room_->batch();
  }

  void launch(const AudioLaunch& launch) {
    const emulation::Kernel* kernel = emulation::find_kernel(launch.kernel);
    CHECK(kernel != nullptr);
    emulator_.launch({launch.blocks}, {launch.threads}, kernel->entry, launch.parameters,
                     schedule_);
  }

  emulation::Schedule schedule_;
  emulation::Emulator emulator_;
  std::optional<Room> room_;
};

}  // namespace

std::unique_ptr<AudioEngine> make_emulated_audio(emulation::Schedule schedule) {
  return std::make_unique<EmulatedAudio>(schedule);
}

}  // namespace viaduct::kernels
