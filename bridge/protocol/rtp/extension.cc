#include "protocol/rtp/extension.h"

namespace viaduct::rtp {
namespace {

// In the order of ExtensionType.
constexpr std::array<std::string_view, ExtensionTypes> Uris = {
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "urn:ietf:params:rtp-hdrext:sdes:mid",
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    "urn:3gpp:video-orientation",
    "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
    "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00",
};

}  // namespace

std::string_view uri_of(ExtensionType type) { return Uris[static_cast<size_t>(type)]; }

std::optional<ExtensionType> extension_from_uri(std::string_view uri) {
  for (size_t i = 0; i < Uris.size(); ++i) {
    if (Uris[i] == uri) return static_cast<ExtensionType>(i);
  }
  return std::nullopt;
}

}  // namespace viaduct::rtp
