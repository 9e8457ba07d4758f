// A batch of sound for the audio kernels, in memory that host and device see at the same address:
// lays it out, launches, and reads the results. How to wait between is the caller's affair.
//
// Media lies here. It is wiped before the memory is given back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "kernels/audio/audio_job.h"
#include "kernels/audio/audio_tables.h"
#include "kernels/audio_engine.h"
#include "kernels/device/gpu.h"

namespace viaduct::kernels {

struct AudioCapacity {
  size_t sources = 0;
  size_t groups = 0;

  bool holds(const AudioCapacity& other) const {
    return sources >= other.sources && groups >= other.groups;
  }
};

class AudioBatch {
 public:
  static Result<std::unique_ptr<AudioBatch>> open(Gpu& gpu, const AudioCapacity& capacity);

  const AudioCapacity& capacity() const { return capacity_; }

  // Each queues one launch. Not for an empty batch, nor beyond the capacity, nor before the last one
  // is finished().
  Result<void> launch_measure(Gpu& gpu, const Stream& stream, std::span<const Frame> frames);
  Result<void> launch_mix(Gpu& gpu, const Stream& stream, const MixBatch& batch);
  Result<void> launch_scores(Gpu& gpu, const Stream& stream,
                             std::span<const SpeakerHistory> histories);

  // The last launch has written its results.
  bool finished() const;
  void read_measure(std::span<uint8_t> levels) const;
  void read_mix(const MixBatch& batch) const;
  void read_scores(std::span<SpeakerScores> scores) const;

 private:
  // Where things lie, in this order.
  struct Parts {
    AudioTables* tables = nullptr;
    uint64_t* completion = nullptr;
    Frame* frames = nullptr;
    Frame* without = nullptr;
    Frame* all = nullptr;
    MixJob* jobs = nullptr;
    LimiterState* source_limiters = nullptr;
    LimiterState* group_limiters = nullptr;
    SpeakerHistory* histories = nullptr;
    SpeakerScores* scores = nullptr;
    uint8_t* chosen = nullptr;
    uint8_t* levels = nullptr;
  };

  AudioBatch(SharedMemory memory, DeviceMemory finished_blocks, const AudioCapacity& capacity);
  static size_t lay_out(std::byte* memory, const AudioCapacity& capacity, Parts& parts);
  void fill_mix(const MixBatch& batch);

  const SharedMemory memory_;
  const DeviceMemory finished_blocks_;  // counted by the device alone
  const AudioCapacity capacity_;
  Parts parts_;
  uint64_t batch_number_ = 0;
  uint32_t source_count_ = 0;
};

}  // namespace viaduct::kernels
