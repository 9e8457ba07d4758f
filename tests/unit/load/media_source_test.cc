// What streams send and when: repeatable from the seed, and shaped as their plans say.
#include "tests/load/media_source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <tuple>

namespace viaduct::load {
namespace {

using Plain = std::tuple<Duration, bool, uint32_t, std::vector<uint16_t>, int>;

std::vector<Plain> first_frames(MediaSource& source, size_t frames) {
  std::vector<Plain> out;
  while (out.size() < frames) {
    const Frame& f = source.take();
    out.emplace_back(f.due, f.key, f.rtp_time, f.packet_bytes, f.audio_level.value_or(0));
  }
  return out;
}

TEST(Camera, SendsTheSameFramesForTheSameSeed) {
  const VideoPlan plan;
  const auto frames = [&](uint64_t seed) {
    return first_frames(*make_camera(plan.layers[0], plan, seed), 300);
  };
  EXPECT_EQ(frames(1), frames(1));
  EXPECT_NE(frames(1), frames(2));
}

TEST(Camera, KeepsItsBitrateAndItsFrameRate) {
  VideoPlan plan;
  plan.key_frame_every = 5s;
  const auto camera = make_camera(plan.layers[0], plan, 3);
  uint64_t bytes = 0;
  size_t keys = 0;
  for (int i = 0; i < 30 * 60; ++i) {
    const Frame& f = camera->take();
    bytes += std::accumulate(f.packet_bytes.begin(), f.packet_bytes.end(), uint64_t{0}) -
             52 * f.packet_bytes.size();
    keys += f.key ? 1 : 0;
    for (const uint16_t packet : f.packet_bytes) EXPECT_LE(packet, plan.packet_bytes);
  }
  EXPECT_EQ(*camera->next_due(), 60s);
  EXPECT_EQ(keys, 12u);
  EXPECT_NEAR(static_cast<double>(bytes) * 8 / 60, 1.5e6, 0.1e6);
}

TEST(Camera, SplitsAFrameIntoPacketsOfNearlyEqualSize) {
  const VideoPlan plan{.layers = {{1280, 720, 30, DataRate::kbps(6000)}}};
  const auto camera = make_camera(plan.layers[0], plan, 3);
  for (int i = 0; i < 100; ++i) {
    const Frame& f = camera->take();
    const auto [least, most] = std::minmax_element(f.packet_bytes.begin(), f.packet_bytes.end());
    EXPECT_LE(*most - *least, 1);
  }
}

TEST(Camera, MakesAKeyFrameWhenAsked) {
  const VideoPlan plan;
  const auto camera = make_camera(plan.layers[0], plan, 3);
  EXPECT_TRUE(camera->take().key);
  EXPECT_FALSE(camera->take().key);
  camera->ask_for_key_frame();
  EXPECT_TRUE(camera->take().key);
  EXPECT_FALSE(camera->take().key);
}

TEST(Microphone, SendsTheSamePacketsForTheSameSeed) {
  const auto packets = [](uint64_t seed) { return first_frames(*make_microphone({}, seed), 1000); };
  EXPECT_EQ(packets(1), packets(1));
  EXPECT_NE(packets(1), packets(2));
}

TEST(Microphone, SpeaksForAboutItsShareOfTheTimeAndIsNearlySilentInBetween) {
  const auto microphone = make_microphone({.talk_share = 0.4, .spurt = 2s}, 11);
  Duration speech{};
  Duration end{};
  while (*microphone->next_due() < 2000s) {
    const Frame& f = microphone->take();
    const bool speaks = f.audio_level < 127;
    end = *microphone->next_due();
    EXPECT_EQ(end - f.due, speaks ? Duration(20ms) : Duration(400ms));
    EXPECT_EQ(f.packet_bytes.size(), 1u);
    if (speaks) speech += end - f.due;
  }
  EXPECT_NEAR(to_seconds(speech) / to_seconds(end), 0.4, 0.08);
}

TEST(Microphone, SpeaksAndIsSilentWhenItIsTold) {
  const auto microphone = make_microphone({.talk_share = 0}, 5);
  EXPECT_EQ(microphone->take().audio_level, 127);
  microphone->set_speaking(true);
  EXPECT_LT(*microphone->take().audio_level, 127);
  microphone->set_speaking(false);
  EXPECT_EQ(microphone->take().audio_level, 127);
}

TEST(FixedRate, SendsPacketsOfOneSizeInFramesAtItsRate) {
  const auto source =
      make_fixed_rate({.packets_per_second = 20'000, .packet_bytes = 1200, .frame_packets = 10});
  for (int i = 0; i < 20'000; ++i) {
    const Frame& f = source->take();
    EXPECT_EQ(f.due, i * 500us);
    EXPECT_EQ(f.packet_bytes, std::vector<uint16_t>(10, 1200));
    EXPECT_EQ(f.key, i == 0);
  }
}

}  // namespace
}  // namespace viaduct::load
