#include "tests/load/media_source.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace viaduct::load {
namespace {

constexpr double VideoClock = 90'000;
constexpr double AudioClock = 48'000;
constexpr size_t VideoOverheadBytes = 52;  // header, extensions and payload descriptor, about
constexpr size_t AudioOverheadBytes = 32;
constexpr double KeyFrameRatio = 4;      // of a key frame to the mean frame
constexpr double FrameSpread = 0.25;     // frames differ from the mean by up to this part
constexpr Duration DtxInterval = 400ms;  // RFC 7587 section 3.1.3
constexpr uint16_t DtxPacketBytes = 24;
constexpr uint8_t SilentLevel = 127;
constexpr uint8_t LoudestSpeech = 20, SpeechLevels = 25;

uint32_t ticks(Duration time, double clock) {
  return static_cast<uint32_t>(static_cast<int64_t>(std::llround(to_seconds(time) * clock)));
}

Duration seconds(double s) { return Duration(std::llround(s * 1e9)); }

// Uniform in [0, 1).
double uniform(SeededRandom& random) {
  return static_cast<double>(random.next() >> 11) * 0x1.0p-53;
}

class Camera final : public MediaSource {
 public:
  Camera(const Layer& layer, const VideoPlan& plan, uint64_t seed)
      : layer_(layer), plan_(plan), random_(seed), next_key_(0ns) {}

  std::optional<Duration> next_due() const override {
    return seconds(static_cast<double>(number_) / layer_.frames_per_second);
  }

  const Frame& take() override {
    frame_.due = *next_due();
    const bool scheduled = next_key_ && frame_.due >= *next_key_;
    if (scheduled)
      next_key_ =
          plan_.key_frame_every ? std::optional(frame_.due + *plan_.key_frame_every) : std::nullopt;
    frame_.key = std::exchange(key_wanted_, false) || scheduled;
    frame_.rtp_time = ticks(frame_.due, VideoClock);
    split(frame_bytes());
    ++number_;
    return frame_;
  }

  void ask_for_key_frame() override { key_wanted_ = true; }

 private:
  // What a key frame takes above the mean, the frames after it save again.
  size_t frame_bytes() {
    const double mean =
        static_cast<double>(layer_.bitrate.bits_per_second) / 8 / layer_.frames_per_second;
    const double varied = mean * (1 + FrameSpread * (2 * uniform(random_) - 1));
    double bytes = frame_.key ? varied * KeyFrameRatio : varied;
    if (!frame_.key) bytes -= std::min(debt_, varied / 4);
    debt_ = std::clamp(debt_ + bytes - varied, 0.0, 8 * mean);
    return static_cast<size_t>(std::max(bytes, 100.0));
  }

  // Into as few packets as will do, nearly equal in size, as browsers do.
  void split(size_t bytes) {
    const size_t room =
        std::max<size_t>(plan_.packet_bytes, 2 * VideoOverheadBytes) - VideoOverheadBytes;
    const size_t packets = (bytes + room - 1) / room;
    frame_.packet_bytes.clear();
    for (size_t i = 0; i < packets; ++i) {
      const size_t share = bytes / packets + (i < bytes % packets ? 1 : 0);
      frame_.packet_bytes.push_back(static_cast<uint16_t>(share + VideoOverheadBytes));
    }
  }

  const Layer layer_;
  const VideoPlan plan_;
  SeededRandom random_;
  std::optional<Duration> next_key_;
  Frame frame_;
  uint64_t number_ = 0;
  double debt_ = 0;
  bool key_wanted_ = false;
};

class Microphone final : public MediaSource {
 public:
  Microphone(const AudioPlan& plan, uint64_t seed) : plan_(plan), random_(seed) {
    speaking_ = uniform(random_) < plan_.talk_share;
    next_turn_ = length_of_turn();
  }

  std::optional<Duration> next_due() const override { return due_; }

  const Frame& take() override {
    while (due_ >= next_turn_) {
      if (plan_.talk_share > 0 && plan_.talk_share < 1) speaking_ = !speaking_;
      next_turn_ += length_of_turn();
    }
    const bool speaks = told_.value_or(speaking_);
    frame_.due = due_;
    frame_.rtp_time = ticks(due_, AudioClock);
    const auto draw = random_.next();
    frame_.audio_level =
        speaks ? static_cast<uint8_t>(LoudestSpeech + draw % SpeechLevels) : SilentLevel;
    frame_.packet_bytes.assign(1, speaks ? speech_packet(draw >> 32) : DtxPacketBytes);
    due_ += speaks || !plan_.dtx ? plan_.packet_every : DtxInterval;
    return frame_;
  }

  void set_speaking(std::optional<bool> speaking) override { told_ = speaking; }

 private:
  uint16_t speech_packet(uint64_t draw) const {
    const double bytes =
        static_cast<double>(plan_.bitrate.bits_per_second) / 8 * to_seconds(plan_.packet_every);
    const double varied = bytes * (0.85 + 0.3 * static_cast<double>(draw % 1000) / 1000);
    return static_cast<uint16_t>(std::clamp(varied, 30.0, 1100.0) + AudioOverheadBytes);
  }

  // Exponential, so that turns are as irregular as those of people.
  Duration length_of_turn() {
    const double silence = plan_.talk_share <= 0 ? 1 : (1 - plan_.talk_share) / plan_.talk_share;
    const double mean = to_seconds(plan_.spurt) * (speaking_ ? 1 : std::max(silence, 0.01));
    return seconds(std::clamp(-mean * std::log1p(-uniform(random_)), 0.1, 20 * mean + 0.1));
  }

  const AudioPlan plan_;
  SeededRandom random_;
  Frame frame_;
  Duration due_{};
  Duration next_turn_{};
  bool speaking_ = false;
  std::optional<bool> told_;
};

class FixedRate final : public MediaSource {
 public:
  explicit FixedRate(const FixedPlan& plan) : plan_(plan) {
    frame_.packet_bytes.assign(plan.frame_packets, static_cast<uint16_t>(plan.packet_bytes));
  }

  std::optional<Duration> next_due() const override {
    return seconds(static_cast<double>(number_ * plan_.frame_packets) / plan_.packets_per_second);
  }

  const Frame& take() override {
    frame_.due = *next_due();
    frame_.key = number_ == 0 || std::exchange(key_wanted_, false);
    frame_.rtp_time = ticks(frame_.due, VideoClock);
    ++number_;
    return frame_;
  }

  void ask_for_key_frame() override { key_wanted_ = true; }

 private:
  const FixedPlan plan_;
  Frame frame_;
  uint64_t number_ = 0;
  bool key_wanted_ = false;
};

}  // namespace

std::unique_ptr<MediaSource> make_camera(const Layer& layer, const VideoPlan& plan, uint64_t seed) {
  return std::make_unique<Camera>(layer, plan, seed);
}

std::unique_ptr<MediaSource> make_microphone(const AudioPlan& plan, uint64_t seed) {
  return std::make_unique<Microphone>(plan, seed);
}

std::unique_ptr<MediaSource> make_fixed_rate(const FixedPlan& plan) {
  return std::make_unique<FixedRate>(plan);
}

}  // namespace viaduct::load
