#include "protocol/sdp/fmtp.h"

#include <cstdint>

#include "protocol/sdp/lines.h"

namespace viaduct::sdp {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// profile_idc 66 with constraint_set1: decodable by baseline and main decoders alike (RFC 6184 table 5).
bool is_constrained_baseline(std::string_view profile_level_id) {
  uint32_t id = 0;
  const char* const end = profile_level_id.data() + profile_level_id.size();
  const auto [stopped, error] = std::from_chars(profile_level_id.data(), end, id, 16);
  const bool whole = profile_level_id.size() == 6 && error == std::errc{} && stopped == end;
  return whole && id >> 16 == 66 && (id & 0x4000) != 0;
}

}  // namespace

std::optional<std::string_view> fmtp_parameter(std::string_view fmtp, std::string_view key) {
  while (!fmtp.empty()) {
    std::string_view value = take_until(fmtp, ';');
    if (same_name(trimmed(take_until(value, '=')), key)) return trimmed(value);
  }
  return std::nullopt;
}

bool forwards_variant(codec::CodecType type, std::string_view fmtp) {
  switch (type) {
    case codec::CodecType::Vp9: return fmtp_parameter(fmtp, "profile-id").value_or("0") == "0";
    case codec::CodecType::Av1: return fmtp_parameter(fmtp, "profile").value_or("0") == "0";
    case codec::CodecType::Opus:
    case codec::CodecType::Vp8:
    case codec::CodecType::H264: return true;
  }
  return false;
}

int h264_rank(std::string_view fmtp) {
  if (fmtp_parameter(fmtp, "packetization-mode").value_or("0") != "1") return 0;
  return is_constrained_baseline(fmtp_parameter(fmtp, "profile-level-id").value_or("")) ? 2 : 1;
}

}  // namespace viaduct::sdp
