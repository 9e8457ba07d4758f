#include "protocol/rtp/dependency_descriptor.h"

#include <algorithm>

namespace viaduct::rtp {
namespace {

constexpr uint8_t StructureTemporalLayers = 8;  // that there can be (AV1 bitstream specification, section 6.2.3)

void set_needs(FrameInfo& frame, uint64_t needs) {
  frame.needs = needs;
  frame.prediction = needs == 0 ? Prediction::Nothing : Prediction::NumberedFrames;
}

}  // namespace

std::optional<DependencyDescriptor> parse_dependency_descriptor(Bytes element) {
  if (element.size() < MandatoryDescriptorBytes) return std::nullopt;
  return DependencyDescriptor{
      .start_of_frame = (element[0] & 0x80) != 0,
      .end_of_frame = (element[0] & 0x40) != 0,
      .template_id = static_cast<uint8_t>(element[0] & 0x3f),
      .frame_number = load_be16(&element[1]),
      .structure_present = element.size() > MandatoryDescriptorBytes && (element[3] & 0x80) != 0,
  };
}

void write_frame_number(MutableBytes element, uint16_t frame_number) { store_be16(&element[1], frame_number); }

// Section A.8.2, in its order.
std::optional<FrameInfo> DependencyReader::read(Bytes element) {
  const auto descriptor = parse_dependency_descriptor(element);
  if (!descriptor) return std::nullopt;
  BitReader bits(element.subspan(MandatoryDescriptorBytes));
  const bool extended = element.size() > MandatoryDescriptorBytes;
  const uint32_t flags = extended ? bits.bits(5) : 0;

  std::optional<Structure> own;
  if ((flags & 0x10) != 0 && !read_structure(bits, own.emplace())) return std::nullopt;
  const Structure& s = own ? *own : structure_;
  const size_t index = (descriptor->template_id + size_t{64} - s.id_offset) % 64;
  if (index >= s.templates) return std::nullopt;
  uint16_t layers = own ? s.layers : layers_;
  if ((flags & 0x08) != 0) layers = layers_of(s, bits.bits(s.targets));

  FrameInfo frame{.starts_frame = descriptor->start_of_frame,
                  .ends_frame = descriptor->end_of_frame,
                  .layer = s.of[index].layer,
                  .layers = layers,
                  .indications = s.of[index].indications,
                  .number = descriptor->frame_number};
  set_needs(frame, s.of[index].needs);
  if ((flags & 0x04) != 0) frame.indications = by_layer(s, read_indications(bits, s));
  if ((flags & 0x02) != 0) read_custom_needs(bits, frame);
  if ((flags & 0x01) != 0) {
    for (size_t chain = 0; chain < s.chains; ++chain) bits.bits(8);
  }
  if (!bits.ok()) return std::nullopt;
  // A structure may be repeated; only a frame that needs no other can be begun with.
  frame.key_frame = descriptor->begins_key_frame() && frame.prediction == Prediction::Nothing;

  if (!is_late_frame(newest_number_, descriptor->frame_number)) {
    if (own) structure_ = *own;
    layers_ = layers;
    newest_number_ = descriptor->frame_number;
  }
  return frame;
}

std::optional<DecodeTargets> DependencyReader::targets_of(Bytes element) {
  const auto descriptor = parse_dependency_descriptor(element);
  if (!descriptor || !descriptor->structure_present) return std::nullopt;
  BitReader bits(element.subspan(MandatoryDescriptorBytes));
  bits.bits(5);
  const size_t begin = bits.position();
  Structure s;
  if (!read_structure(bits, s)) return std::nullopt;
  DecodeTargets out{.count = s.targets,
                    .layers = s.target_layers,
                    .structure_bits = static_cast<uint16_t>(bits.position() - begin)};
  for (size_t layer = 0; layer < s.targets; ++layer) {
    if (!s.stands[layer]) continue;
    uint32_t& within = out.within[s.target_layers[layer]->index()];
    for (size_t target = 0; target < s.targets; ++target) {
      const uint64_t frames = s.target_frames[target];
      if (frames != 0 && (frames & ~s.target_frames[layer]) == 0) within |= uint32_t{1} << target;
    }
  }
  return out;
}

// | id offset (6) | targets - 1 (5) | layers | indications | differences | chains | sizes? | [sizes]
bool DependencyReader::read_structure(BitReader& bits, Structure& s) {
  s.id_offset = static_cast<uint8_t>(bits.bits(6));
  s.targets = static_cast<uint8_t>(bits.bits(5) + 1);
  std::array<uint8_t, MaxTemplates> temporal{};
  if (!read_layers(bits, s, temporal)) return false;
  Indications indications{};
  for (size_t i = 0; i < s.templates; ++i) indications[i] = read_indications(bits, s);
  read_needs(bits, s);
  read_chains(bits, s);
  find_layers(s, indications, temporal);
  if (bits.flag()) {
    for (size_t i = 0; i < s.spatial_layers; ++i) {
      // One less than they are; 65,536 is not told from 65,535.
      s.sizes[i].width = static_cast<uint16_t>(std::min<uint32_t>(bits.bits(16) + 1, 0xffff));
      s.sizes[i].height = static_cast<uint16_t>(std::min<uint32_t>(bits.bits(16) + 1, 0xffff));
    }
  }
  return bits.ok();
}

// After each template two bits say where the next one stands: 0 in the same layer, 1 in the next temporal one, 2 in the
// lowest one of the next spatial layer, 3 nowhere.
bool DependencyReader::read_layers(BitReader& bits, Structure& s, std::array<uint8_t, MaxTemplates>& temporal) {
  uint8_t spatial_id = 0, temporal_id = 0;
  for (uint32_t next = 0; next != 3;) {
    if (s.templates == MaxTemplates) return false;
    const uint8_t clamped = std::min<uint8_t>(temporal_id, TemporalLayers - 1);
    temporal[s.templates] = temporal_id;
    s.of[s.templates++].layer = {.spatial = spatial_id, .temporal = clamped};
    next = bits.bits(2);
    if (!bits.ok()) return false;
    if (next == 1 && ++temporal_id == StructureTemporalLayers) return false;
    if (next == 2 && ++spatial_id == SpatialLayers) return false;
    if (next == 2) temporal_id = 0;
  }
  s.spatial_layers = static_cast<uint8_t>(spatial_id + 1);
  return true;
}

// For each template, as long as a 1 comes: | 1 | difference - 1 (4) |.
void DependencyReader::read_needs(BitReader& bits, Structure& s) {
  for (size_t i = 0; i < s.templates; ++i) {
    while (bits.flag()) s.of[i].needs |= static_cast<uint16_t>(1u << bits.bits(4));
  }
}

// Read over: the bridge counts on what it has forwarded, which protects no less.
void DependencyReader::read_chains(BitReader& bits, Structure& s) {
  s.chains = static_cast<uint8_t>(bits.below(s.targets + uint32_t{1}));
  if (s.chains == 0) return;
  for (size_t target = 0; target < s.targets; ++target) bits.below(s.chains);
  for (size_t i = 0; i < size_t{s.templates} * s.chains; ++i) bits.bits(4);
}

// A target's layer is the highest one of the templates that belong to it (section A.8.3, decode_target_layers).
void DependencyReader::find_layers(Structure& s, const Indications& indications,
                                   const std::array<uint8_t, MaxTemplates>& temporal) {
  std::array<uint8_t, StreamLayers> highest{};  // temporal layer + 1 of the target that stands for each layer
  std::array<uint8_t, StreamLayers> best{};
  for (uint8_t target = 0; target < s.targets; ++target) {
    uint8_t spatial_id = 0, temporal_id = 0;
    uint64_t& frames = s.target_frames[target];
    for (size_t i = 0; i < s.templates; ++i) {
      if ((indications[i] >> (2 * target) & 3) == 0) continue;
      frames |= uint64_t{1} << i;
      spatial_id = std::max(spatial_id, s.of[i].layer.spatial);
      temporal_id = std::max(temporal_id, temporal[i]);
    }
    if (frames == 0) continue;
    const LayerId layer{spatial_id, std::min<uint8_t>(temporal_id, TemporalLayers - 1)};
    s.target_layers[target] = layer;
    if (temporal_id + 1 <= highest[layer.index()]) continue;
    if (highest[layer.index()] != 0) s.stands[best[layer.index()]] = false;
    highest[layer.index()] = static_cast<uint8_t>(temporal_id + 1);
    best[layer.index()] = target;
    s.stands[target] = true;
  }
  s.layers = layers_of(s, 0xffffffff);
  for (size_t i = 0; i < s.templates; ++i) s.of[i].indications = by_layer(s, indications[i]);
}

uint32_t DependencyReader::by_layer(const Structure& s, uint64_t by_target) {
  FrameInfo frame{.indications = 0};
  for (size_t target = 0; target < s.targets; ++target) {
    if (!s.stands[target]) continue;
    frame.indicate(*s.target_layers[target], static_cast<Indication>(by_target >> (2 * target) & 3));
  }
  return frame.indications;
}

// `targets`: bit i is target i.
uint16_t DependencyReader::layers_of(const Structure& s, uint32_t targets) {
  uint16_t layers = 0;
  for (size_t target = 0; target < s.targets; ++target) {
    if ((targets >> target & 1) != 0 && s.stands[target])
      layers |= static_cast<uint16_t>(1u << s.target_layers[target]->index());
  }
  return layers;
}

uint64_t DependencyReader::read_indications(BitReader& bits, const Structure& s) {
  uint64_t by_target = 0;
  for (size_t target = 0; target < s.targets; ++target) by_target |= uint64_t{bits.bits(2)} << (2 * target);
  return by_target;
}

// As long as the size is not 0: | size (2) | difference - 1 (4 * size) |.
void DependencyReader::read_custom_needs(BitReader& bits, FrameInfo& frame) {
  uint64_t needs = 0;
  bool told = true;
  while (const uint32_t size = bits.bits(2)) {
    const uint32_t difference = bits.bits(size_t{4} * size);
    if (difference < 64) needs |= uint64_t{1} << difference;
    told = told && difference < 64;
  }
  set_needs(frame, needs);
  if (!told) frame.prediction = Prediction::Unknown;
}

}  // namespace viaduct::rtp
