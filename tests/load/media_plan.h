// What a stream of a scenario looks like: numbers only, as the scenario file or the command line
// gives them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/time.h"
#include "base/units.h"

namespace viaduct::load {

class Recording;

// One resolution of a camera. Several are simulcast, the smallest first.
struct Layer {
  uint16_t width = 1280;
  uint16_t height = 720;
  double frames_per_second = 30;
  DataRate bitrate = DataRate::kbps(1500);
};

struct VideoPlan {
  std::vector<Layer> layers = {Layer{}};
  std::optional<Duration> key_frame_every;  // beside those that are asked for
  size_t packet_bytes = 1200;               // at most, of an RTP packet in clear
};

struct AudioPlan {
  DataRate bitrate = DataRate::kbps(32);
  Duration packet_every = 20ms;
  double talk_share = 0.4;  // of the time, on average; 1 is always, 0 never
  Duration spurt = 4s;      // mean length of a talk spurt
  bool dtx = true;          // nothing but a small packet every 400 ms in silence
};

// Packets of one size at a fixed rate, as the packet path is measured.
struct FixedPlan {
  double packets_per_second = 1000;
  size_t packet_bytes = 1200;  // of the RTP packet in clear, header and extensions included
  size_t frame_packets = 1;    // that leave together and are one frame
};

struct ReplayPlan {
  std::shared_ptr<const Recording> recording;
  uint32_t ssrc = 0;          // which of its streams
  bool random_bodies = true;  // of the recording only headers, sizes and times
};

}  // namespace viaduct::load
