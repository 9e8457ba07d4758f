#include "kernels/audio_batch.h"

#include <algorithm>
#include <new>

#include "base/check.h"

namespace viaduct::kernels {
namespace {

constexpr uint32_t BlockThreads = 128;
constexpr uint32_t BlockWarps = BlockThreads / 32;

// Hands out one array after the other. Without memory it only counts.
class Layout {
 public:
  explicit Layout(std::byte* memory) : memory_(memory) {}

  template <class Item>
  void place(Item*& items, size_t count) {
    if (memory_ != nullptr) {
      items = new (memory_ + used_) std::remove_volatile_t<Item>[count]();
    }
    used_ += (count * sizeof(Item) + AudioBatch::Alignment - 1) / AudioBatch::Alignment *
             AudioBatch::Alignment;
  }

  size_t used() const { return used_; }

 private:
  std::byte* memory_;
  size_t used_ = 0;
};

}  // namespace

size_t AudioBatch::lay_out(std::byte* memory, const AudioCapacity& capacity, Parts& parts) {
  Layout layout(memory);
  layout.place(parts.tables, 1);
  layout.place(parts.completion, 1);
  layout.place(parts.finished_blocks, 1);
  layout.place(parts.frames, capacity.frames);
  layout.place(parts.without, capacity.frames);
  layout.place(parts.all, capacity.groups);
  layout.place(parts.jobs, capacity.groups);
  layout.place(parts.source_limiters, capacity.frames);
  layout.place(parts.group_limiters, capacity.groups);
  layout.place(parts.chosen, capacity.frames);
  layout.place(parts.levels, capacity.frames);
  return layout.used();
}

size_t AudioBatch::bytes_for(const AudioCapacity& capacity) {
  Parts nowhere;
  return lay_out(nullptr, capacity, nowhere);
}

AudioBatch::AudioBatch(std::span<std::byte> memory, const AudioCapacity& capacity)
    : capacity_(capacity) {
  CHECK(memory.size() >= bytes_for(capacity));
  CHECK(reinterpret_cast<uintptr_t>(memory.data()) % Alignment == 0);
  lay_out(memory.data(), capacity, parts_);
  *parts_.tables = audio_tables();
}

AudioLaunch AudioBatch::fill_measure(std::span<const Frame> frames) {
  CHECK(!frames.empty() && frames.size() <= capacity_.frames);
  std::ranges::copy(frames, parts_.frames);
  frame_count_ = static_cast<uint32_t>(frames.size());
  ++batch_number_;
  parameters_ = {&parts_.frames,          &frame_count_,      &parts_.tables, &parts_.levels,
                 &parts_.finished_blocks, &parts_.completion, &batch_number_};
  return {"viaduct_audio_measure", (frame_count_ + BlockWarps - 1) / BlockWarps, BlockThreads,
          parameters_.data()};
}

AudioLaunch AudioBatch::fill_mix(const MixBatch& batch) {
  CHECK(!batch.groups.empty() && batch.groups.size() <= capacity_.groups);
  CHECK(batch.frames.size() <= capacity_.frames);
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
  ++batch_number_;
  parameters_ = {&parts_.jobs,           &parts_.frames,          &parts_.chosen,
                 &parts_.without,        &parts_.source_limiters, &parts_.all,
                 &parts_.group_limiters, &parts_.finished_blocks, &parts_.completion,
                 &batch_number_};
  return {"viaduct_audio_mix", static_cast<uint32_t>(batch.groups.size()), BlockThreads,
          parameters_.data()};
}

void AudioBatch::read_measure(std::span<uint8_t> levels) const {
  CHECK(finished() && levels.size() >= frame_count_);
  std::copy_n(parts_.levels, frame_count_, levels.begin());
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
