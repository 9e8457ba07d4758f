#include "kernels/audio_batch.h"

#include <algorithm>
#include <atomic>
#include <new>

#include "base/check.h"

namespace viaduct::kernels {
namespace {

constexpr size_t Alignment = 16;
constexpr unsigned BlockThreads = 128;

// Hands out one array after the other. Without memory it only counts.
class Layout {
 public:
  explicit Layout(std::byte* memory) : memory_(memory) {}

  template <class Item>
  void place(Item*& items, size_t count) {
    if (memory_ != nullptr) items = new (memory_ + used_) Item[count]();
    used_ += (count * sizeof(Item) + Alignment - 1) / Alignment * Alignment;
  }

  size_t used() const { return used_; }

 private:
  std::byte* memory_;
  size_t used_ = 0;
};

// For kernels that give each item a warp.
LaunchSize warps(uint32_t count) {
  constexpr unsigned BlockWarps = BlockThreads / 32;
  return {(count + BlockWarps - 1) / BlockWarps, BlockThreads};
}

}  // namespace

size_t AudioBatch::lay_out(std::byte* memory, const AudioCapacity& capacity, Parts& parts) {
  Layout layout(memory);
  layout.place(parts.tables, 1);
  layout.place(parts.completion, 1);
  layout.place(parts.frames, capacity.sources);
  layout.place(parts.without, capacity.sources);
  layout.place(parts.all, capacity.groups);
  layout.place(parts.jobs, capacity.groups);
  layout.place(parts.source_limiters, capacity.sources);
  layout.place(parts.group_limiters, capacity.groups);
  layout.place(parts.histories, capacity.sources);
  layout.place(parts.scores, capacity.sources);
  layout.place(parts.chosen, capacity.sources);
  layout.place(parts.levels, capacity.sources);
  return layout.used();
}

Result<std::unique_ptr<AudioBatch>> AudioBatch::open(Gpu& gpu, const AudioCapacity& capacity) {
  Parts nowhere;
  auto memory = gpu.allocate_shared(lay_out(nullptr, capacity, nowhere));
  if (!memory) return memory.error();
  auto finished_blocks = gpu.allocate(sizeof(uint32_t));
  if (!finished_blocks) return finished_blocks.error();
  return std::unique_ptr<AudioBatch>(
      new AudioBatch(std::move(*memory), std::move(*finished_blocks), capacity));
}

AudioBatch::AudioBatch(SharedMemory memory, DeviceMemory finished_blocks,
                       const AudioCapacity& capacity)
    : memory_(std::move(memory)),
      finished_blocks_(std::move(finished_blocks)),
      capacity_(capacity) {
  uint8_t* const start = memory_.host().data();
  // The kernels are handed the host's own pointers: CUDA gives pinned memory one address for both.
  CHECK(memory_.address_of(start) == reinterpret_cast<uint64_t>(start));
  lay_out(reinterpret_cast<std::byte*>(start), capacity, parts_);
  *parts_.tables = audio_tables();
}

Result<void> AudioBatch::launch_measure(Gpu& gpu, const Stream& stream,
                                        std::span<const Frame> frames) {
  CHECK(!frames.empty() && frames.size() <= capacity_.sources);
  std::ranges::copy(frames, parts_.frames);
  source_count_ = static_cast<uint32_t>(frames.size());
  return gpu.launch(stream, Kernel::AudioMeasure, warps(source_count_), parts_.frames,
                    source_count_, parts_.tables, parts_.levels, finished_blocks_.address(),
                    parts_.completion, ++batch_number_);
}

Result<void> AudioBatch::launch_mix(Gpu& gpu, const Stream& stream, const MixBatch& batch) {
  fill_mix(batch);
  const LaunchSize size{static_cast<unsigned>(batch.groups.size()), BlockThreads};
  return gpu.launch(stream, Kernel::AudioMix, size, parts_.jobs, parts_.frames, parts_.chosen,
                    parts_.without, parts_.source_limiters, parts_.all, parts_.group_limiters,
                    finished_blocks_.address(), parts_.completion, ++batch_number_);
}

void AudioBatch::fill_mix(const MixBatch& batch) {
  CHECK(!batch.groups.empty() && batch.groups.size() <= capacity_.groups);
  CHECK(batch.frames.size() <= capacity_.sources);
  CHECK(batch.chosen.size() >= batch.frames.size());
  CHECK(batch.source_limiters.size() >= batch.frames.size());
  CHECK(batch.group_limiters.size() >= batch.groups.size());
  std::ranges::copy(batch.frames, parts_.frames);
  std::ranges::copy(batch.chosen.first(batch.frames.size()), parts_.chosen);
  std::ranges::copy(batch.source_limiters.first(batch.frames.size()), parts_.source_limiters);
  std::ranges::copy(batch.group_limiters.first(batch.groups.size()), parts_.group_limiters);
  for (size_t i = 0; i < batch.groups.size(); ++i) {
    const MixGroup& group = batch.groups[i];
    CHECK(size_t{group.first_frame} + group.frame_count <= batch.frames.size());
    parts_.jobs[i] = {group.first_frame, group.frame_count};
  }
}

Result<void> AudioBatch::launch_scores(Gpu& gpu, const Stream& stream,
                                       std::span<const SpeakerHistory> histories) {
  CHECK(!histories.empty() && histories.size() <= capacity_.sources);
  std::ranges::copy(histories, parts_.histories);
  source_count_ = static_cast<uint32_t>(histories.size());
  return gpu.launch(stream, Kernel::SpeakerScores, warps(source_count_), parts_.histories,
                    source_count_, parts_.tables, parts_.scores, finished_blocks_.address(),
                    parts_.completion, ++batch_number_);
}

bool AudioBatch::finished() const {
  return std::atomic_ref<uint64_t>(*parts_.completion).load(std::memory_order_acquire) ==
         batch_number_;
}

void AudioBatch::read_measure(std::span<uint8_t> levels) const {
  CHECK(finished() && levels.size() >= source_count_);
  std::copy_n(parts_.levels, source_count_, levels.begin());
}

void AudioBatch::read_scores(std::span<SpeakerScores> scores) const {
  CHECK(finished() && scores.size() >= source_count_);
  std::copy_n(parts_.scores, source_count_, scores.begin());
}

void AudioBatch::read_mix(const MixBatch& batch) const {
  CHECK(finished());
  CHECK(batch.without.size() >= batch.frames.size());
  CHECK(batch.all.size() >= batch.groups.size());
  for (size_t i = 0; i < batch.groups.size(); ++i) {
    const MixGroup& group = batch.groups[i];
    batch.all[i] = parts_.all[i];
    batch.group_limiters[i] = parts_.group_limiters[i];
    for (uint32_t source = group.first_frame; source < group.first_frame + group.frame_count;
         ++source) {
      if (batch.chosen[source] == 0) continue;
      batch.without[source] = parts_.without[source];
      batch.source_limiters[source] = parts_.source_limiters[source];
    }
  }
}

}  // namespace viaduct::kernels
