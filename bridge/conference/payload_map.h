// One client's payload type numbers, both ways: what a number means, and which number this client
// knows a format by.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/codec/codec.h"
#include "protocol/sdp/sdp.h"

namespace viaduct::conference {

class PayloadMap {
 public:
  struct Meaning {
    codec::CodecType codec{};
    bool rtx = false;
    bool red = false;                // RFC 2198, with blocks of media_payload_type
    uint8_t media_payload_type = 0;  // itself, or what RTX restores to and RED holds
  };

  explicit PayloadMap(const std::vector<sdp::PayloadFormat>& formats) {
    for (const sdp::PayloadFormat& f : formats) {
      set(f.payload_type, {f.type, false, false, f.payload_type});
      if (f.rtx_payload_type) set(*f.rtx_payload_type, {f.type, true, false, f.payload_type});
      if (f.red_payload_type) set(*f.red_payload_type, {f.type, false, true, f.payload_type});
      auto& chosen = of_codec_[static_cast<size_t>(f.type)];
      if (!chosen) chosen = {f.payload_type, f.rtx_payload_type, f.red_payload_type, f.pli};
    }
  }

  std::optional<Meaning> meaning(uint8_t payload_type) const {
    return meaning_[payload_type & 127];
  }
  // The first that the client named for the format; empty when it cannot decode it.
  std::optional<uint8_t> payload_type(codec::CodecType codec) const {
    const auto& c = of_codec_[static_cast<size_t>(codec)];
    return c ? std::optional(c->media) : std::nullopt;
  }
  std::optional<uint8_t> rtx_payload_type(codec::CodecType codec) const {
    const auto& c = of_codec_[static_cast<size_t>(codec)];
    return c ? c->rtx : std::nullopt;
  }
  std::optional<uint8_t> red_payload_type(codec::CodecType codec) const {
    const auto& c = of_codec_[static_cast<size_t>(codec)];
    return c ? c->red : std::nullopt;
  }
  // Whether a sender of the format understands PLI; one that does not gets FIR.
  bool takes_pli(codec::CodecType codec) const {
    const auto& c = of_codec_[static_cast<size_t>(codec)];
    return c && c->pli;
  }
  bool decodes(codec::CodecType codec) const {
    return of_codec_[static_cast<size_t>(codec)].has_value();
  }

 private:
  struct Chosen {
    uint8_t media = 0;
    std::optional<uint8_t> rtx;
    std::optional<uint8_t> red;
    bool pli = false;
  };
  void set(uint8_t payload_type, Meaning m) { meaning_[payload_type & 127] = m; }

  std::array<std::optional<Meaning>, 128> meaning_{};
  std::array<std::optional<Chosen>, codec::CodecTypes> of_codec_{};
};

}  // namespace viaduct::conference
