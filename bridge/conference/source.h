// What a client sends in one m-section: a microphone, a camera, a screen. One RTP stream or several of one picture
// (encodings), and who receives it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/slot_map.h"
#include "conference/encoding.h"
#include "conference/layer.h"
#include "conference/layer_needs.h"
#include "conference/loudness.h"
#include "conference/messages.h"
#include "conference/relayed_state.h"
#include "limits.h"
#include "protocol/codec/codec.h"

namespace viaduct::conference {

class Endpoint;

// A source as others name it. Finds nothing once the endpoint is gone.
struct SourceRef {
  Handle<Endpoint> endpoint;
  uint16_t source = 0;  // index in Endpoint::sources
  friend bool operator==(const SourceRef&, const SourceRef&) = default;
};

// A receive slot as a source names it.
struct SlotRef {
  Handle<Endpoint> endpoint;
  uint16_t slot = 0;  // index in Endpoint::slots
  friend bool operator==(const SlotRef&, const SlotRef&) = default;
};

class Source {
 public:
  explicit Source(const SourceDescription& description)
      : kind(description.kind),
        mid(description.mid),
        content(description.content),
        needs(encoding_count(description)) {
    encodings.resize(encoding_count(description));
    for (size_t i = 0; i < description.rids.size() && i < encodings.size(); ++i)
      encodings[i].rid = description.rids[i];
    if (!description.rids.empty()) return;  // several streams, none of which the offer has named
    encodings.front().ssrc = description.ssrc;
    encodings.front().rtx_ssrc = description.rtx_ssrc;
  }

  const codec::MediaKind kind;
  const std::string mid;
  const Content content;                  // video: what it shows
  std::vector<Encoding> encodings;        // at least one; never more or fewer than at first
  bool muted = false;                     // the client says so
  bool sending = false;                   // at least one packet came, and no BYE since
  std::optional<codec::CodecType> codec;  // of the newest packet

  Loudness loudness;     // audio
  LayerLadder ladder;    // video: what can be received of it now
  uint32_t ladder_version = 0;  // counts its changes
  HeldBack held_back{};  // by a conference that requires end-to-end encryption
  bool mixed = false;    // audio: decoded for those who hear a mix

  LayerNeeds needs;           // video: what anybody needs of it
  uint64_t ladder_shape = 0;  // video: as receivers' layers were chosen by it
  struct Screen {
    uint64_t packets = 0;
    Timestamp alive;     // since when no packet came
    bool shown = false;  // as last reported
  } screen;

  std::vector<SlotRef> receivers;  // slots that carry it now
  Relaying relaying;
  // Whether anybody receives it, here or on another worker.
  bool is_received() const { return is_received_here() || is_relayed(); }
  bool is_received_here() const { return !receivers.empty() || mixed; }
  bool is_relayed() const {
    return std::ranges::any_of(encodings, [](const Encoding& e) { return e.relayed_to != 0; });
  }

  // What its bodies look like: one encoding in clear is enough to be read.
  ObservedBodies observed() const {
    ObservedBodies all{};
    for (const Encoding& e : encodings) {
      if (e.bodies.verdict() == ObservedBodies::Plain) return ObservedBodies::Plain;
      if (e.bodies.verdict() != ObservedBodies::Undecided) all = e.bodies.verdict();
    }
    return all;
  }
  // The client sends another format: what was known of its frames means nothing, in all encodings.
  void begin_format(codec::CodecType next) {
    codec = next;
    for (Encoding& e : encodings) {
      e.describes_frames = false;
      e.dependencies.reset();
      e.bodies.look_anew();
    }
  }
  // Frames are encrypted or not from now on. True when what is thought of its bodies has changed.
  bool forget_bodies() {
    bool changed = false;
    for (Encoding& e : encodings) changed = e.bodies.forget() || changed;
    return changed;
  }
  // Without simulcast the one that there is, whatever the packet says.
  std::optional<uint8_t> encoding_with_rid(std::string_view rid) const {
    if (encodings.size() == 1) return 0;
    for (uint8_t i = 0; i < encodings.size(); ++i) {
      if (encodings[i].rid == rid) return i;
    }
    return std::nullopt;
  }
  // A key frame of each encoding.
  void want_key_frames() {
    for (Encoding& e : encodings) e.key_frame.want();
  }

 private:
  static size_t encoding_count(const SourceDescription& description) {
    return std::clamp<size_t>(description.rids.size(), 1, limits::EncodingsPerSource);
  }
};

}  // namespace viaduct::conference
