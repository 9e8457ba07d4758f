// The media formats the bridge forwards. It never decodes them; it knows their names and what their
// packets' first bytes say.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace viaduct::codec {

enum class MediaKind : uint8_t { Audio, Video };
enum class CodecType : uint8_t { Opus, Vp8, Vp9, H264, Av1 };
inline constexpr int CodecTypes = 5;

constexpr MediaKind kind_of(CodecType c) {
  return c == CodecType::Opus ? MediaKind::Audio : MediaKind::Video;
}
constexpr uint32_t clock_rate_of(CodecType c) { return c == CodecType::Opus ? 48'000 : 90'000; }

constexpr const char* to_string(MediaKind k) { return k == MediaKind::Audio ? "audio" : "video"; }

// The encoding name of an SDP rtpmap line (RFC 8866 section 6.6).
constexpr const char* to_string(CodecType c) {
  switch (c) {
    case CodecType::Opus:
      return "opus";
    case CodecType::Vp8:
      return "VP8";
    case CodecType::Vp9:
      return "VP9";
    case CodecType::H264:
      return "H264";
    case CodecType::Av1:
      return "AV1";
  }
  return "unknown";
}

// Encoding names compare without case (RFC 4855 section 3).
constexpr std::optional<CodecType> codec_from_name(std::string_view name) {
  constexpr auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  for (int i = 0; i < CodecTypes; ++i) {
    const auto type = static_cast<CodecType>(i);
    const std::string_view candidate = to_string(type);
    bool equal = candidate.size() == name.size();
    for (size_t k = 0; equal && k < name.size(); ++k) equal = lower(candidate[k]) == lower(name[k]);
    if (equal) return type;
  }
  return std::nullopt;
}

}  // namespace viaduct::codec
