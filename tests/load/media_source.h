// When a stream sends which packets: frames of a camera or a microphone, a fixed rate, a recording.
//
// Sans-IO and seeded: the same plan and seed give the same frames, except for key frames that
// somebody asked for. Times are counted from the stream's start.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "tests/load/media_plan.h"

namespace viaduct::load {

// Packets that leave together.
struct Frame {
  Duration due{};
  bool key = false;
  bool first = true;                   // false: goes on with the picture of the frame before
  bool last = true;                    // the picture ends with it
  uint32_t rtp_time = 0;               // in the stream's clock, from its start
  std::vector<uint16_t> packet_bytes;  // of each RTP packet in clear
  std::optional<uint8_t> audio_level;  // in -dBov (RFC 6464)
  Bytes payload;                       // of a recording that is sent as it is; one packet
};

class MediaSource {
 public:
  virtual ~MediaSource() = default;
  // When the next frame is due; nothing once the stream is over.
  virtual std::optional<Duration> next_due() const = 0;
  // The frame that is due, and moves on. Valid until the next call.
  virtual const Frame& take() = 0;
  // The next frame shall be one that decoding can begin with.
  virtual void ask_for_key_frame() {}
  // Whether somebody who otherwise follows their own talk spurts speaks from now on; nothing goes
  // back to the spurts.
  virtual void set_speaking(std::optional<bool>) {}
};

std::unique_ptr<MediaSource> make_camera(const Layer& layer, const VideoPlan& plan, uint64_t seed);
std::unique_ptr<MediaSource> make_microphone(const AudioPlan& plan, uint64_t seed);
std::unique_ptr<MediaSource> make_fixed_rate(const FixedPlan& plan);
std::unique_ptr<MediaSource> make_replay(const ReplayPlan& plan);

}  // namespace viaduct::load
