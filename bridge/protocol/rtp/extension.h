// RTP header extensions (RFC 8285) by meaning, and one endpoint's numbering of them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace viaduct::rtp {

enum class ExtensionType : uint8_t {
  AudioLevel,             // RFC 6464
  Mid,                    // RFC 8843 section 15
  Rid,                    // RFC 8852
  RepairedRid,            // RFC 8852
  AbsSendTime,            // webrtc.org/experiments/rtp-hdrext/abs-send-time
  TransportSequence,      // draft-holmer-rmcat-transport-wide-cc-extensions-01
  VideoOrientation,       // 3GPP TS 26.114 section 7.4.5
  PlayoutDelay,           // webrtc.org/experiments/rtp-hdrext/playout-delay
  AbsCaptureTime,         // webrtc.org/experiments/rtp-hdrext/abs-capture-time
  DependencyDescriptor,   // AV1 RTP specification, appendix A
  VideoLayersAllocation,  // webrtc.org/experiments/rtp-hdrext/video-layers-allocation00
};
inline constexpr int ExtensionTypes = 11;

// The URI of an SDP extmap line.
std::string_view uri_of(ExtensionType type);
std::optional<ExtensionType> extension_from_uri(std::string_view uri);

// Which identifier (1 to 14 with one-byte headers, 1 to 255 with two-byte ones) stands for which
// meaning in one session.
class ExtensionMap {
 public:
  // Ignores identifier 0 and 15, which RFC 8285 reserves. A later entry for the same meaning or
  // identifier wins.
  void set(ExtensionType type, uint8_t id) {
    if (id == 0 || id == 15) return;
    for (uint8_t& other : id_of_)
      if (other == id) other = 0;
    id_of_[static_cast<size_t>(type)] = id;
  }
  // 0 when the session does not carry it.
  uint8_t id(ExtensionType type) const { return id_of_[static_cast<size_t>(type)]; }
  bool has(ExtensionType type) const { return id(type) != 0; }
  std::optional<ExtensionType> type(uint8_t id) const {
    for (int i = 0; id != 0 && i < ExtensionTypes; ++i) {
      if (id_of_[static_cast<size_t>(i)] == id) return static_cast<ExtensionType>(i);
    }
    return std::nullopt;
  }
  friend bool operator==(const ExtensionMap&, const ExtensionMap&) = default;

 private:
  std::array<uint8_t, ExtensionTypes> id_of_{};
};

}  // namespace viaduct::rtp
