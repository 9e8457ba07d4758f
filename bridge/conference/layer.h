// The versions of a picture that a sender offers: encodings (simulcast), and spatial and temporal layers within one
// (SVC), as one ladder from the least to the best.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/units.h"
#include "limits.h"
#include "protocol/rtp/frame_info.h"

namespace viaduct::conference {

struct Layer {
  uint8_t encoding = 0;  // index in Source::encodings
  rtp::LayerId id;       // within it
  friend constexpr auto operator<=>(const Layer&, const Layer&) = default;
};

// One rung: what it takes to receive the layer with all that it builds on, and what is to be seen for it.
struct LayerInfo {
  Layer layer;
  uint16_t width = 0;  // in pixels; 0: not known
  uint16_t height = 0;
  uint8_t frame_rate = 0;  // 0: not known
  DataRate rate;
  friend bool operator==(const LayerInfo&, const LayerInfo&) = default;
};

// All that can be received of a source now, least first: a further rung looks better and has no lower rate.
class LayerLadder {
 public:
  static constexpr size_t MaxRungs = limits::EncodingsPerSource * rtp::StreamLayers;

  void clear() { size_ = 0; }
  void add(const LayerInfo& rung) {
    if (size_ < MaxRungs) rungs_[size_++] = rung;
  }
  std::span<const LayerInfo> rungs() const { return std::span(rungs_).first(size_); }
  std::span<LayerInfo> rungs() { return std::span(rungs_).first(size_); }
  bool empty() const { return size_ == 0; }
  const LayerInfo* find(Layer layer) const {
    for (const LayerInfo& r : rungs()) {
      if (r.layer == layer) return &r;
    }
    return nullptr;
  }

 private:
  std::array<LayerInfo, MaxRungs> rungs_{};
  size_t size_ = 0;
};

}  // namespace viaduct::conference
