// Where a packet stands among the frames and layers of its stream: all that choosing layers needs, whichever of the
// dependency descriptor, the VP8 and the VP9 payload descriptor said it.
//
// A stream has up to 4 spatial layers of up to 4 temporal ones each; layer (s, t) is all that a receiver needs to see
// spatial layer s at the frame rate of temporal layer t. What each of them is to the frame, and which of them there
// are, is said in one word each, so that the value can be copied to another worker and kept beside the packet.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace viaduct::rtp {

inline constexpr uint8_t SpatialLayers = 4;
inline constexpr uint8_t TemporalLayers = 4;
inline constexpr size_t StreamLayers = size_t{SpatialLayers} * TemporalLayers;

struct LayerId {
  uint8_t spatial = 0;
  uint8_t temporal = 0;
  constexpr size_t index() const { return size_t{spatial} * TemporalLayers + temporal; }
  friend constexpr auto operator<=>(const LayerId&, const LayerId&) = default;
};

constexpr LayerId layer_at(size_t index) {
  return {static_cast<uint8_t>(index / TemporalLayers), static_cast<uint8_t>(index % TemporalLayers)};
}

struct PictureSize {
  uint16_t width = 0;  // in pixels; 0: not known
  uint16_t height = 0;
  friend bool operator==(const PictureSize&, const PictureSize&) = default;
};

// What a frame is to a receiver of a layer (AV1 RTP specification, appendix A, decode target indications).
enum class Indication : uint8_t {
  NotPresent,   // not part of the layer
  Discardable,  // part of it, and no later frame of the layer needs it
  Switch,       // part of it, and a receiver of a lower layer can go over to the layer here
  Required,     // part of it
};

// What a frame is predicted from, as far as it is known.
enum class Prediction : uint8_t {
  Unknown,
  Nothing,        // it can be decoded alone
  LayerBelow,     // the frame of the next lower spatial layer in the same picture, and nothing else
  LowestFrames,   // frames of the lowest temporal layer, and nothing else
  NumberedFrames  // those that FrameInfo::needs names
};

struct FrameInfo {
  bool starts_frame = false;  // first packet of the frame of one spatial layer
  bool ends_frame = false;    // last packet of it
  bool key_frame = false;     // this packet begins a picture that decoding can begin with
  bool unmarked = false;      // nothing that may be looked at says whether it is a key frame
  LayerId layer;              // that the frame belongs to
  Prediction prediction{};
  uint16_t layers = 1;                // layers that the stream has now, or may have: bit LayerId::index()
  uint32_t indications = 0xffffffff;  // two bits for each layer; Required for all where nothing is known
  std::optional<uint16_t> number;     // of the frame, in its dependency descriptor
  uint64_t needs = 0;                 // bit i: frame `number - 1 - i`, when they are numbered

  constexpr Indication indication(size_t layer_index) const {
    return static_cast<Indication>(indications >> (2 * layer_index) & 3);
  }
  constexpr Indication indication(LayerId of) const { return indication(of.index()); }
  constexpr void indicate(LayerId of, Indication what) {
    const auto shift = static_cast<unsigned>(2 * of.index());
    indications = (indications & ~(uint32_t{3} << shift)) | static_cast<uint32_t>(what) << shift;
  }
  // Layers that the frame is `what` to, in the form of `layers`.
  constexpr uint16_t layers_with(Indication what) const {
    uint16_t found = 0;
    for (size_t i = 0; i < StreamLayers; ++i) {
      if (static_cast<Indication>(indications >> (2 * i) & 3) == what) found |= static_cast<uint16_t>(1u << i);
    }
    return found;
  }
  constexpr bool has(LayerId of) const { return (layers >> of.index() & 1) != 0; }
  friend bool operator==(const FrameInfo&, const FrameInfo&) = default;
};

}  // namespace viaduct::rtp
