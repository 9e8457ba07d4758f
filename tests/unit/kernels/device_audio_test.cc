// What the audio engine on a GPU does beside computing, which audio_engine_test.cc looks at: memory,
// and a device that fails. On the emulated device.
#include "kernels/device_audio.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "kernels/audio_batch.h"
#include "kernels/cpu_audio.h"
#include "kernels/device/gpu.h"
#include "kernels/emulation/emulated_driver.h"
#include "kernels/speaker_scores.h"
#include "sound.h"

namespace viaduct::kernels {
namespace {

using emulation::set_behaviour;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DeviceAudioTest : public testing::Test {
 protected:
  DeviceAudioTest() {
    set_behaviour({});
    gpu_ = emulation::open_emulated_gpu().value();
    auto engine = open_device_audio(
        gpu_, {.name = "cuda-emulated",
               .longest_launch = 1s,
               .clock = [this] { return now_ += 100ms; },
               .on_failure = [this](const std::string& why) { failures_.push_back(why); }});
    engine_ = std::move(engine.value());
    for (uint32_t size = 0; size < 12; ++size) sounds_.add_group(size, size / 2, random_);
    sounds_.fill(random_);
  }
  ~DeviceAudioTest() override { set_behaviour({}); }

  // The engine's mix, and that it is the CPU's.
  void mix_and_compare() {
    Sounds theirs = sounds_;
    engine_->mix(sounds_.batch());
    cpu_->mix(theirs.batch());
    expect_same_mixes(sounds_, theirs);
  }

  const size_t allocated_before_ = emulation::allocations();  // a device that failed keeps what it had
  std::mt19937 random_{3};
  Timestamp now_{};
  std::vector<std::string> failures_;
  Sounds sounds_;
  std::shared_ptr<Gpu> gpu_;
  std::unique_ptr<AudioEngine> engine_;
  const std::unique_ptr<AudioEngine> cpu_ = make_cpu_audio();
};

TEST_F(DeviceAudioTest, LaunchesOncePerCallAndNotForAnEmptyOne) {
  // A launch that should not be, or one too many, would fail the device.
  set_behaviour({.launches_until_failure = 3});
  mix_and_compare();
  std::vector<uint8_t> levels(sounds_.frames.size());
  engine_->measure(sounds_.frames, levels);
  std::vector<SpeakerHistory> histories(9);
  std::vector<SpeakerScores> scores(9);
  engine_->score_speakers(histories, scores);
  engine_->measure({}, {});
  engine_->mix({});
  engine_->score_speakers({}, {});
  EXPECT_THAT(failures_, IsEmpty());
  EXPECT_STREQ(engine_->name(), "cuda-emulated");
  engine_->measure(sounds_.frames, levels);
  EXPECT_THAT(failures_, testing::SizeIs(1)) << "the fourth launch";
}

TEST_F(DeviceAudioTest, MakesRoomForMoreSoundThanEver) {
  for (int round = 0; round < 4; ++round) {
    for (uint32_t size = 20; size < 30; ++size) sounds_.add_group(size, size / 3, random_);
    sounds_.fill(random_);
    mix_and_compare();
  }
  EXPECT_THAT(failures_, IsEmpty());
}

TEST_F(DeviceAudioTest, LeavesNoSoundBehind) {
  mix_and_compare();
  EXPECT_GT(emulation::allocations(), allocated_before_);
  engine_.reset();
  EXPECT_EQ(emulation::allocations(), allocated_before_);
  EXPECT_EQ(emulation::given_back_unwiped(), 0u);
}

TEST_F(DeviceAudioTest, GivesUpADeviceThatDoesNotComeBack) {
  set_behaviour({.holds_launches = true});
  mix_and_compare();
  EXPECT_THAT(failures_, ElementsAre(HasSubstr("does not come back")));
  EXPECT_GT(now_ - Timestamp{}, 1s);
  EXPECT_LT(now_ - Timestamp{}, 2s);
}

TEST_F(DeviceAudioTest, GoesOnByTheCpuWhenAnotherUserHasGivenTheDeviceUp) {
  gpu_->give_up();
  mix_and_compare();
  EXPECT_THAT(failures_, ElementsAre(HasSubstr("failed before")));
}

class FailingAudioDevice : public DeviceAudioTest, public testing::WithParamInterface<bool> {
 protected:
  void fail() { set_behaviour({.launches_until_failure = 0, .fails_at_launch = GetParam()}); }
  void expect_failed_once() {
    EXPECT_THAT(failures_, ElementsAre(HasSubstr("illegal memory access")));
    EXPECT_STREQ(engine_->name(), "cpu");
  }
};
INSTANTIATE_TEST_SUITE_P(, FailingAudioDevice, testing::Bool(), [](const auto& test) {
  return test.param ? "AtLaunch" : "OnItsWay";
});

TEST_P(FailingAudioDevice, HasTheCpuMixTheSameFramesAndAllThatFollow) {
  mix_and_compare();
  fail();
  for (int tick = 0; tick < 3; ++tick) {
    sounds_.fill(random_);
    mix_and_compare();
  }
  expect_failed_once();
}

TEST_P(FailingAudioDevice, HasTheCpuMeasureAndScore) {
  fail();
  std::vector<uint8_t> levels(sounds_.frames.size());
  std::vector<uint8_t> expected(levels.size());
  engine_->measure(sounds_.frames, levels);
  cpu_->measure(sounds_.frames, expected);
  EXPECT_EQ(levels, expected);
  const SpeakerHistory loud = {.loudness = {120, 110, 100}, .quietest = 7};
  const std::vector<SpeakerHistory> histories(9, loud);
  std::vector<SpeakerScores> scores(9);
  engine_->score_speakers(histories, scores);
  EXPECT_EQ(scores[8].immediate, speaker_scores(loud).immediate);
  expect_failed_once();
}

}  // namespace
}  // namespace viaduct::kernels
