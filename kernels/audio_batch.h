// A batch of sound for the audio kernels: lays it out in memory that the host and the kernels both
// see at the same address, says what to launch, and reads the results. Who launches and how one
// waits is the caller's: a GPU by its driver, or the emulator.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/audio/audio_job.h"
#include "kernels/audio/audio_tables.h"
#include "kernels/audio_engine.h"

namespace viaduct::kernels {

struct AudioCapacity {
  size_t frames = 0;
  size_t groups = 0;
};

// What to launch: `parameters` points to the values, as cuLaunchKernel wants it. Valid until the
// batch is filled again.
struct AudioLaunch {
  std::string_view kernel;
  uint32_t blocks = 0;
  uint32_t threads = 0;
  void** parameters = nullptr;
};

class AudioBatch {
 public:
  static constexpr size_t Alignment = 16;

  static size_t bytes_for(const AudioCapacity& capacity);
  // `memory` is aligned, holds bytes_for(capacity), and outlives this.
  AudioBatch(std::span<std::byte> memory, const AudioCapacity& capacity);
  AudioBatch(const AudioBatch&) = delete;
  AudioBatch& operator=(const AudioBatch&) = delete;

  const AudioCapacity& capacity() const { return capacity_; }

  // Not for an empty batch, nor beyond the capacity: that is nothing to launch.
  AudioLaunch fill_measure(std::span<const Frame> frames);
  AudioLaunch fill_mix(const MixBatch& batch);
  // The last launch has written its results.
  bool finished() const { return *parts_.completion == batch_number_; }
  void read_measure(std::span<uint8_t> levels) const;
  void read_mix(const MixBatch& batch) const;

 private:
  // Where things lie, in this order.
  struct Parts {
    AudioTables* tables = nullptr;
    volatile uint64_t* completion = nullptr;
    uint32_t* finished_blocks = nullptr;
    Frame* frames = nullptr;
    Frame* without = nullptr;
    Frame* all = nullptr;
    MixJob* jobs = nullptr;
    LimiterState* source_limiters = nullptr;
    LimiterState* group_limiters = nullptr;
    uint8_t* chosen = nullptr;
    uint8_t* levels = nullptr;
  };

  static size_t lay_out(std::byte* memory, const AudioCapacity& capacity, Parts& parts);

  AudioCapacity capacity_;
  Parts parts_;
  uint64_t batch_number_ = 0;
  uint32_t frame_count_ = 0;
  std::array<void*, 10> parameters_{};
};

}  // namespace viaduct::kernels
