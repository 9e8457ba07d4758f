#include "kernels/device_audio.h"

#include <algorithm>
#include <thread>

#include "base/check.h"
#include "kernels/audio_batch.h"
#include "kernels/cpu_audio.h"
#include "kernels/device/gpu.h"

namespace viaduct::kernels {
namespace {

// A batch that is not back after so many looks is left to run while other threads do.
constexpr unsigned LooksBeforeYielding = 2'000;
constexpr unsigned YieldsBetweenChecks = 64;
constexpr AudioCapacity SmallestRoom = {64, 16};

class DeviceAudio final : public AudioEngine {
 public:
  DeviceAudio(std::shared_ptr<Gpu> gpu, std::unique_ptr<AudioBatch> batch, Stream stream,
              DeviceAudioOptions options)
      : gpu_(std::move(gpu)),
        options_(std::move(options)),
        batch_(std::move(batch)),
        stream_(std::move(stream)) {}

  void measure(std::span<const Frame> frames, std::span<uint8_t> levels) override {
    if (frames.empty()) return;
    const bool done = run({frames.size(), 0}, [&](AudioBatch& batch) {
      return batch.launch_measure(*gpu_, stream_, frames);
    });
    if (done) return batch_->read_measure(levels);
    cpu_->measure(frames, levels);
  }

  void mix(const MixBatch& mixes) override {
    if (mixes.groups.empty()) return;
    const bool done = run({mixes.frames.size(), mixes.groups.size()}, [&](AudioBatch& batch) {
      return batch.launch_mix(*gpu_, stream_, mixes);
    });
    if (done) return batch_->read_mix(mixes);
    cpu_->mix(mixes);
  }

  void score_speakers(std::span<const SpeakerHistory> histories,
                      std::span<SpeakerScores> scores) override {
    if (histories.empty()) return;
    const bool done = run({histories.size(), 0}, [&](AudioBatch& batch) {
      return batch.launch_scores(*gpu_, stream_, histories);
    });
    if (done) return batch_->read_scores(scores);
    cpu_->score_speakers(histories, scores);
  }

  const char* name() const override { return batch_ ? options_.name : cpu_->name(); }

 private:
  // False where the results are for the CPU to compute.
  template <typename Launch>
  bool run(const AudioCapacity& needed, Launch launch) {
    if (!batch_) return false;
    Result<void> done = make_room(needed);
    if (done) done = launch(*batch_);
    if (done) done = wait();
    if (!done) give_up(done.error().text);
    return done.ok();
  }

  Result<void> make_room(const AudioCapacity& needed) {
    const AudioCapacity had = batch_->capacity();
    if (had.holds(needed)) return {};
    auto larger = AudioBatch::open(*gpu_, {std::max(needed.sources, had.sources * 2),
                                           std::max(needed.groups, had.groups * 2)});
    if (!larger) return larger.error();
    batch_ = std::move(*larger);
    return {};
  }

  Result<void> wait() {
    for (unsigned look = 0; look < LooksBeforeYielding; ++look) {
      if (batch_->finished()) return {};
    }
    const Timestamp began = options_.clock();
    for (unsigned yields = 1; !batch_->finished(); ++yields) {
      std::this_thread::yield();
      if (yields % YieldsBetweenChecks != 0) continue;
      if (auto state = gpu_->check(stream_); !state) return state;
      if (options_.clock() - began > options_.longest_launch)
        return Error{ErrorCode::Unavailable, "the GPU does not come back from a kernel"};
    }
    return {};
  }

  void give_up(const std::string& why) {
    gpu_->give_up();
    batch_.reset();  // wiped, and left where a kernel that still runs may write
    options_.on_failure(why);
  }

  const std::unique_ptr<AudioEngine> cpu_ = make_cpu_audio();
  const std::shared_ptr<Gpu> gpu_;
  const DeviceAudioOptions options_;
  std::unique_ptr<AudioBatch> batch_;  // null once the device has failed
  Stream stream_;                      // ends first: no kernel runs when memory goes
};

}  // namespace

Result<std::unique_ptr<AudioEngine>> open_device_audio(std::shared_ptr<Gpu> gpu,
                                                       DeviceAudioOptions options) {
  CHECK(options.clock && options.longest_launch > Duration{});
  auto batch = AudioBatch::open(*gpu, SmallestRoom);
  if (!batch) return batch.error();
  auto stream = gpu->make_stream();
  if (!stream) return stream.error();
  return std::unique_ptr<AudioEngine>(std::make_unique<DeviceAudio>(
      std::move(gpu), std::move(*batch), std::move(*stream), std::move(options)));
}

}  // namespace viaduct::kernels
