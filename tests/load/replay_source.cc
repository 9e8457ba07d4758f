// A recording as a source: its packets at its times, over and over.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "tests/load/media_source.h"
#include "tests/load/recording.h"

namespace viaduct::load {
namespace {

constexpr uint8_t AudibleLevel = 30;

class Replay final : public MediaSource {
 public:
  explicit Replay(const ReplayPlan& plan)
      : recording_(plan.recording->stream(plan.ssrc)), random_bodies_(plan.random_bodies) {
    const auto& packets = recording_.packets();
    CHECK(!packets.empty());
    // Between the last packet and the first of the next round there is a mean gap.
    const auto gaps = static_cast<int64_t>(std::max<size_t>(packets.size(), 2) - 1);
    round_ = packets.back().at + std::max<Duration>(packets.back().at / gaps, 1ms);
    const uint32_t ticks = packets.back().timestamp - packets.front().timestamp;
    round_ticks_ = ticks + std::max<uint32_t>(ticks / static_cast<uint32_t>(gaps), 1);
  }

  std::optional<Duration> next_due() const override {
    return rounds_ * round_ + recording_.packets()[next_].at;
  }

  const Frame& take() override {
    const RecordedPacket& packet = recording_.packets()[next_];
    frame_.due = *next_due();
    frame_.first = next_ == 0 || packet.timestamp != last_timestamp_;
    if (frame_.first)
      frame_.key = std::exchange(key_wanted_, false) || (rounds_ == 0 && next_ == 0);
    frame_.last = packet.marker;
    frame_.rtp_time = static_cast<uint32_t>(rounds_) * round_ticks_ + packet.timestamp -
                      recording_.packets().front().timestamp;
    frame_.packet_bytes.assign(1, static_cast<uint16_t>(packet.packet_bytes));
    frame_.audio_level = AudibleLevel;
    frame_.payload = random_bodies_ ? Bytes{} : Bytes(packet.payload);
    last_timestamp_ = packet.timestamp;
    if (++next_ == recording_.packets().size()) {
      next_ = 0;
      ++rounds_;
    }
    return frame_;
  }

  void ask_for_key_frame() override { key_wanted_ = true; }

 private:
  const Recording recording_;
  const bool random_bodies_;
  Frame frame_;
  size_t next_ = 0;
  int64_t rounds_ = 0;
  Duration round_{};
  uint32_t round_ticks_ = 0;
  uint32_t last_timestamp_ = 0;
  bool key_wanted_ = false;
};

}  // namespace

std::unique_ptr<MediaSource> make_replay(const ReplayPlan& plan) {
  return std::make_unique<Replay>(plan);
}

}  // namespace viaduct::load
