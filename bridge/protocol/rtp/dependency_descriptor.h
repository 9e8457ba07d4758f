// The dependency descriptor header extension (RTP Payload Format For AV1, appendix A): which layers of its stream a
// frame belongs to and what it is predicted from. It works for every codec, and under end-to-end encryption, since it
// stands beside the payload.
//
//        |S|E| template (6) |       frame_number (16)       |   S: first packet of the frame, E: last
//        |T|A|D|F|C| ...                                        when there is a fourth byte; T: a structure follows,
//                                                               A: the decode targets that are active
//        [structure] [A: targets] [D: indications] [F: frame differences] [C: chain differences]
//
// A descriptor is short because it refers to a template of the structure, which came with the last key frame and
// describes the frames that the stream is made of: their layers, what they are to each decode target, the frames that
// they are predicted from. DependencyReader keeps what the bridge needs of it, in fixed memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "protocol/rtp/bit_reader.h"
#include "protocol/rtp/frame_info.h"

namespace viaduct::rtp {

// What a descriptor says for itself.
struct DependencyDescriptor {
  bool start_of_frame = false;
  bool end_of_frame = false;
  uint8_t template_id = 0;  // 6 bits
  uint16_t frame_number = 0;
  bool structure_present = false;

  // A receiver can begin to decode here: structures come with the first packet of a coded video sequence (section A.4).
  bool begins_key_frame() const { return start_of_frame && structure_present; }
  friend bool operator==(const DependencyDescriptor&, const DependencyDescriptor&) = default;
};

inline constexpr size_t MandatoryDescriptorBytes = 3;
inline constexpr size_t MaxDescriptorBytes = 255;  // of any header extension element

// Nothing when the mandatory three bytes are cut short.
std::optional<DependencyDescriptor> parse_dependency_descriptor(Bytes element);

// Puts another frame number into a descriptor that was parsed.
void write_frame_number(MutableBytes element, uint16_t frame_number);

// The frame comes behind later ones of its stream: what it says of the stream is out of date.
constexpr bool is_late_frame(std::optional<uint16_t> newest, uint16_t number) {
  constexpr uint16_t Furthest = 1024;
  if (!newest) return false;
  const auto behind = static_cast<uint16_t>(*newest - number);
  return behind != 0 && behind < Furthest;
}

// What a receiver may aim at, by a structure: the frames that make up a layer.
struct DecodeTargets {
  static constexpr size_t Max = 32;

  uint8_t count = 0;
  std::array<std::optional<LayerId>, Max> layers{};  // of each target; nothing: no frame belongs to it
  // Of each layer, by LayerId::index(): the targets of which its receivers have every frame. Bit i: target i.
  std::array<uint32_t, StreamLayers> within{};
  uint16_t structure_bits = 0;  // the length of the structure
};

// Reads the descriptors of one encoding, each by the structure that came before it.
class DependencyReader {
 public:
  // Of a descriptor that brings a structure; nothing for another one, and for one that is malformed.
  static std::optional<DecodeTargets> targets_of(Bytes element);

  // What the packet's descriptor says of its frame. Nothing when it is malformed, or of a structure that is not known;
  // then nothing has changed. Decode targets stand for the highest layer that they include; temporal layers above the
  // fourth count as the fourth.
  std::optional<FrameInfo> read(Bytes element);

  // Of each spatial layer, by the structure; all zero where it does not say.
  std::span<const PictureSize> sizes() const { return std::span(structure_.sizes).first(structure_.spatial_layers); }
  // The encoding begins anew, under another SSRC.
  void reset() { *this = {}; }

 private:
  static constexpr size_t MaxTemplates = 64;
  static constexpr size_t MaxTargets = DecodeTargets::Max;

  struct Template {
    LayerId layer;
    uint16_t needs = 0;  // as FrameInfo::needs
    uint32_t indications = 0;
  };
  struct Structure {
    uint8_t id_offset = 0;
    uint8_t templates = 0;  // 0: there is no structure
    uint8_t targets = 0;
    uint8_t chains = 0;
    uint8_t spatial_layers = 0;
    uint16_t layers = 0;  // that some target stands for
    std::array<Template, MaxTemplates> of{};
    std::array<std::optional<LayerId>, MaxTargets> target_layers{};
    std::array<uint64_t, MaxTargets> target_frames{};  // bit i: template i belongs to it
    // The target stands for its layer: no better one does.
    std::array<bool, MaxTargets> stands{};
    std::array<PictureSize, SpatialLayers> sizes{};
  };
  // Template by template, two bits for each target.
  using Indications = std::array<uint64_t, MaxTemplates>;

  static bool read_structure(BitReader& bits, Structure& s);
  static bool read_layers(BitReader& bits, Structure& s, std::array<uint8_t, MaxTemplates>& temporal);
  static void read_needs(BitReader& bits, Structure& s);
  static void read_chains(BitReader& bits, Structure& s);
  static void find_layers(Structure& s, const Indications& indications,
                          const std::array<uint8_t, MaxTemplates>& temporal);
  static uint32_t by_layer(const Structure& s, uint64_t by_target);
  static uint16_t layers_of(const Structure& s, uint32_t targets);
  static uint64_t read_indications(BitReader& bits, const Structure& s);
  static void read_custom_needs(BitReader& bits, FrameInfo& frame);

  Structure structure_;
  uint16_t layers_ = 0;  // that are active
  std::optional<uint16_t> newest_number_;
};

}  // namespace viaduct::rtp
