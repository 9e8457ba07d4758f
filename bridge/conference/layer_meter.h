// What the layers of one encoding cost and show, measured: bits and frames of the last second.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "base/units.h"
#include "protocol/rtp/frame_info.h"

namespace viaduct::conference {

class LayerMeter {
 public:
  static constexpr Duration Window = 1s;
  static constexpr Duration FirstLook = 300ms;  // after so much of the first window a guess is better than nothing

  void add(const rtp::FrameInfo& frame, size_t bytes, Timestamp now) {
    roll(now);
    layers_ = frame.layers;
    for (size_t i = 0; i < rtp::StreamLayers; ++i) {
      if (frame.indication(i) == rtp::Indication::NotPresent) continue;
      counted_[i].bytes += static_cast<uint32_t>(bytes);
      counted_[i].frames += frame.starts_frame;
    }
  }

  // That the stream has, by its newest packet: bit LayerId::index().
  uint16_t layers() const { return layers_; }
  struct Measured {
    DataRate rate;            // zero: nothing comes
    uint8_t frame_rate = 0;
  };
  // Of all that a receiver of the layer gets.
  Measured of(rtp::LayerId layer, Timestamp now) {
    roll(now);
    const size_t i = layer.index();
    if (!complete_ && now - since_ < FirstLook) return {};
    return complete_ ? measured(before_[i], Window) : measured(counted_[i], now - since_);
  }

 private:
  struct Count {
    uint32_t bytes = 0;
    uint32_t frames = 0;
  };
  static Measured measured(const Count& count, Duration time) {
    const double seconds = to_seconds(time);
    return {{static_cast<int64_t>(count.bytes * 8.0 / seconds)},
            static_cast<uint8_t>(std::min(count.frames / seconds + 0.5, 255.0))};
  }
  void roll(Timestamp now) {
    if (since_ == Timestamp{}) since_ = now;
    const Duration elapsed = now - since_;
    if (elapsed < Window) return;
    before_ = elapsed < 2 * Window ? counted_ : std::array<Count, rtp::StreamLayers>{};
    complete_ = true;
    counted_ = {};
    since_ = now;
  }

  uint16_t layers_ = 0;
  bool complete_ = false;  // `before_` holds something
  Timestamp since_{};
  std::array<Count, rtp::StreamLayers> counted_{}, before_{};
};

}  // namespace viaduct::conference
