// Streams of layered video as encoders make them: which frames come, what they are predicted from, and how their
// dependency descriptors (RTP Payload Format For AV1, appendix A) say it.
//
// The truth about dependencies is kept beside the descriptors, so that a test can judge what was forwarded by it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/rtp/frame_info.h"

namespace viaduct::testing {

// Most significant bit first.
class BitWriter {
 public:
  void bits(uint32_t value, size_t count) {
    for (size_t i = count; i-- > 0; ++size_) {
      if (size_ % 8 == 0) bytes_.push_back(0);
      bytes_.back() = static_cast<uint8_t>(bytes_.back() | (value >> i & 1) << (7 - size_ % 8));
    }
  }
  // A number below `values` (ns(n)).
  void below(uint32_t value, uint32_t values) {
    size_t width = 0;
    while (values >> width != 0) ++width;
    const uint32_t short_ones = (1u << width) - values;
    if (value < short_ones) bits(value, width - 1);
    else bits(value + short_ones, width);
  }
  std::vector<uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<uint8_t> bytes_;
  size_t size_ = 0;
};

// `indications`: one of "-DSR" for each decode target.
struct FrameTemplate {
  rtp::LayerId layer;
  std::string indications;
  std::vector<uint16_t> differences;  // in frame numbers
  std::vector<uint8_t> chains = {};   // differences, for each chain
  friend bool operator==(const FrameTemplate&, const FrameTemplate&) = default;
};

struct FrameStructure {
  uint8_t id_offset = 0;
  std::vector<FrameTemplate> templates;
  std::vector<uint8_t> chain_of_target = {};
  std::vector<rtp::PictureSize> sizes = {};
};

struct DescriptorFields {
  bool starts_frame = true;
  bool ends_frame = true;
  uint8_t template_index = 0;
  uint16_t number = 0;
  bool with_structure = false;
  std::optional<uint32_t> active_targets = {};
  std::optional<std::string> indications = {};
  std::optional<std::vector<uint16_t>> differences = {};
  std::optional<std::vector<uint8_t>> chains = {};
};

inline uint32_t indication_bits(char c) { return static_cast<uint32_t>(std::string("-DSR").find(c)); }

inline void write_structure(BitWriter& out, const FrameStructure& s) {
  const auto targets = static_cast<uint32_t>(s.templates[0].indications.size());
  out.bits(s.id_offset, 6);
  out.bits(targets - 1, 5);
  for (size_t i = 0; i < s.templates.size(); ++i) {
    if (i > 0) {
      const rtp::LayerId from = s.templates[i - 1].layer, to = s.templates[i].layer;
      out.bits(to == from ? 0 : to.spatial == from.spatial ? 1 : 2, 2);
    }
  }
  out.bits(3, 2);
  for (const FrameTemplate& t : s.templates) {
    for (const char c : t.indications) out.bits(indication_bits(c), 2);
  }
  for (const FrameTemplate& t : s.templates) {
    for (const uint16_t d : t.differences) out.bits(0x10u | (d - 1u), 5);
    out.bits(0, 1);
  }
  const auto chains = static_cast<uint32_t>(s.templates[0].chains.size());
  out.below(chains, targets + 1);
  if (chains > 0) {
    for (const uint8_t chain : s.chain_of_target) out.below(chain, chains);
    for (const FrameTemplate& t : s.templates) {
      for (const uint8_t d : t.chains) out.bits(d, 4);
    }
  }
  out.bits(s.sizes.empty() ? 0 : 1, 1);
  for (const rtp::PictureSize& size : s.sizes) {
    out.bits(size.width - 1u, 16);
    out.bits(size.height - 1u, 16);
  }
}

inline std::vector<uint8_t> write_descriptor(const FrameStructure& s, const DescriptorFields& d) {
  BitWriter out;
  out.bits(d.starts_frame, 1);
  out.bits(d.ends_frame, 1);
  out.bits((s.id_offset + d.template_index) % 64u, 6);
  out.bits(d.number, 16);
  if (!d.with_structure && !d.active_targets && !d.indications && !d.differences && !d.chains) return out.take();
  out.bits(d.with_structure, 1);
  out.bits(d.active_targets.has_value(), 1);
  out.bits(d.indications.has_value(), 1);
  out.bits(d.differences.has_value(), 1);
  out.bits(d.chains.has_value(), 1);
  if (d.with_structure) write_structure(out, s);
  if (d.active_targets) out.bits(*d.active_targets, s.templates[0].indications.size());
  if (d.indications) {
    for (const char c : *d.indications) out.bits(indication_bits(c), 2);
  }
  if (d.differences) {
    for (const uint16_t difference : *d.differences) {
      const uint32_t size = difference <= 16 ? 1 : difference <= 256 ? 2 : 3;
      out.bits(size, 2);
      out.bits(difference - 1u, size_t{4} * size);
    }
    out.bits(0, 2);
  }
  if (d.chains) {
    for (const uint8_t chain : *d.chains) out.bits(chain, 8);
  }
  return out.take();
}

// How the spatial layers hang together (AV1 bitstream specification, section 6.7.5): L3T3, L3T3_KEY, S3T3.
enum class Spatial : uint8_t { Full, KeyPicturesOnly, Independent };

// An encoder of three temporal layers, in the order 0 2 1 2, or of fewer.
class LayeredStream {
 public:
  struct Frame {
    rtp::LayerId layer;
    uint16_t number = 0;
    int64_t picture = 0;
    bool key_picture = false;
    bool ends_picture = false;
    std::vector<uint16_t> differences;
    std::string indications;
  };

  LayeredStream(Spatial kind, uint8_t spatial, uint8_t temporal, uint16_t first_number = 1)
      : kind_(kind), spatial_(spatial), temporal_(temporal), number_(first_number) {
    structure_ = make_structure();
  }

  // The frames of the next picture, lowest spatial layer first.
  std::vector<Frame> next(bool key) {
    if (picture_ < 0) key = true;
    phase_ = key ? 0 : (phase_ + 1) % cycle();
    ++picture_;
    if (key) last_ = {};
    std::vector<Frame> frames;
    for (uint8_t s = 0; s < spatial_; ++s) frames.push_back(make_frame(s, key));
    frames.back().ends_picture = true;
    return frames;
  }

  // One packet's descriptor; templates name the layer and the custom fields the rest, where no template fits.
  std::vector<uint8_t> descriptor(const Frame& f, bool starts, bool ends) const {
    DescriptorFields d{.starts_frame = starts, .ends_frame = ends, .number = f.number};
    d.with_structure = starts && f.key_picture && f.layer.spatial == 0;
    const FrameTemplate wanted{f.layer, f.indications, f.differences};
    for (size_t i = 0; i < structure_.templates.size(); ++i) {
      if (structure_.templates[i] == wanted) {
        d.template_index = static_cast<uint8_t>(i);
        return write_descriptor(structure_, d);
      }
      if (structure_.templates[i].layer == f.layer) d.template_index = static_cast<uint8_t>(i);
    }
    d.indications = f.indications;
    d.differences = f.differences;
    return write_descriptor(structure_, d);
  }
  const FrameStructure& structure() const { return structure_; }

 private:
  size_t cycle() const { return size_t{1} << (temporal_ - 1); }
  uint8_t temporal_now() const {
    if (phase_ == 0) return 0;
    return static_cast<uint8_t>(temporal_ == 3 && phase_ == 2 ? 1 : temporal_ - 1);
  }

  Frame make_frame(uint8_t s, bool key) {
    const uint8_t t = temporal_now();
    Frame f{.layer = {s, t}, .number = number_, .picture = picture_, .key_picture = key};
    // The newest frame of a lower temporal layer, or of the lowest itself.
    std::optional<uint16_t> before;
    for (uint8_t lower = 0; lower < std::max<uint8_t>(t, 1); ++lower) {
      const auto& candidate = last_[s][lower];
      if (candidate && (!before || static_cast<int16_t>(*candidate - *before) > 0)) before = candidate;
    }
    if (before) f.differences.push_back(static_cast<uint16_t>(number_ - *before));
    const bool on_layer_below = s > 0 && (kind_ == Spatial::Full || (kind_ == Spatial::KeyPicturesOnly && key));
    if (on_layer_below) f.differences.push_back(1);
    f.indications = indications_of(f.layer, key);
    last_[s][t] = number_++;
    return f;
  }

  std::string indications_of(rtp::LayerId of, bool key) const {
    std::string text;
    for (uint8_t s = 0; s < spatial_; ++s) {
      for (uint8_t t = 0; t < temporal_; ++t) text += indication_of(of, key, s, t);
    }
    return text;
  }
  char indication_of(rtp::LayerId of, bool key, uint8_t s, uint8_t t) const {
    if (s < of.spatial || t < of.temporal) return '-';
    if (s == of.spatial) return of.temporal > 0 && t == of.temporal ? 'D' : 'S';
    if (kind_ == Spatial::Independent) return '-';
    if (key) return 'S';
    return kind_ == Spatial::Full ? 'R' : '-';
  }

  // A template for a key frame and for another one of each layer.
  FrameStructure make_structure() const {
    FrameStructure s{.id_offset = 60};
    for (uint8_t spatial = 0; spatial < spatial_; ++spatial) {
      for (uint8_t temporal = 0; temporal < temporal_; ++temporal) {
        const rtp::LayerId layer{spatial, temporal};
        if (temporal == 0) {
          const bool alone = spatial == 0 || kind_ == Spatial::Independent;
          s.templates.push_back({layer, indications_of(layer, true), std::vector<uint16_t>(alone ? 0 : 1, 1)});
        }
        const auto ahead = static_cast<uint16_t>(temporal == 2 ? spatial_ : spatial_ * (cycle() >> temporal));
        std::vector<uint16_t> differences{ahead};
        if (spatial > 0 && kind_ == Spatial::Full) differences.push_back(1);
        s.templates.push_back({layer, indications_of(layer, false), differences});
      }
    }
    for (uint8_t spatial = 0; spatial < spatial_; ++spatial) {
      s.sizes.push_back({static_cast<uint16_t>(320 << spatial), static_cast<uint16_t>(180 << spatial)});
    }
    return s;
  }

  Spatial kind_;
  uint8_t spatial_;
  uint8_t temporal_;
  uint16_t number_;
  FrameStructure structure_;
  int64_t picture_ = -1;
  size_t phase_ = 0;
  std::array<std::array<std::optional<uint16_t>, rtp::TemporalLayers>, rtp::SpatialLayers> last_{};
};

}  // namespace viaduct::testing
