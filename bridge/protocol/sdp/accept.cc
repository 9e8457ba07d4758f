// What the bridge accepts of an offer: the DTLS role, one format of each codec, the extensions it carries.

#include <algorithm>

#include "protocol/sdp/fmtp.h"
#include "protocol/sdp/sdp.h"

namespace viaduct::sdp {
namespace {

// Which extensions flow from a client to the bridge (sections it sends in) and from the bridge to a client (its
// slots).
//
// Left out on purpose: the audio level towards clients, who measure what they hear themselves, and send times from
// clients, since transport-wide sequence numbers tell the bridge more. Towards clients they are what REMB needs.
//
// The dependency descriptor and video layers allocation outgrow the 16 bytes of a one-byte element (RFC 8285 section
// 4.2). Whoever takes no streams that mix both forms of elements (section 6) would miss just the descriptors that the
// others refer to, so they are not agreed on at all.
struct CarriedExtension {
  rtp::ExtensionType type;
  bool from_client;
  bool to_client;
  bool mixed_only = false;
};
constexpr CarriedExtension CarriedExtensions[] = {
    {rtp::ExtensionType::AudioLevel, true, false},
    {rtp::ExtensionType::Mid, true, true},
    {rtp::ExtensionType::Rid, true, false},
    {rtp::ExtensionType::RepairedRid, true, false},
    {rtp::ExtensionType::TransportSequence, true, true},
    {rtp::ExtensionType::AbsSendTime, false, true},
    {rtp::ExtensionType::VideoOrientation, true, true},
    {rtp::ExtensionType::PlayoutDelay, false, true},
    {rtp::ExtensionType::AbsCaptureTime, true, true},
    {rtp::ExtensionType::DependencyDescriptor, true, true, true},
    {rtp::ExtensionType::VideoLayersAllocation, true, false, true},
};

// The offered format of `type` that most decoders take; null when there is none the bridge accepts.
const PayloadFormat* pick_format(const MediaSection& section, codec::CodecType type) {
  const PayloadFormat* best = nullptr;
  int best_rank = 0;
  for (const PayloadFormat& format : section.formats) {
    if (format.type != type) continue;
    const int rank = type == codec::CodecType::H264 ? h264_rank(format.fmtp) : 1;
    if (rank > best_rank) {
      best = &format;
      best_rank = rank;
    }
  }
  return best;
}

}  // namespace

Setup answer_setup(Setup offered) { return offered == Setup::Passive ? Setup::Active : Setup::Passive; }

std::vector<PayloadFormat> accepted_formats(const MediaSection& section,
                                            const std::vector<codec::CodecType>& video_preference) {
  std::vector<PayloadFormat> accepted;
  if (section.rejected) return accepted;
  const auto add = [&](codec::CodecType type) {
    const bool there = std::ranges::any_of(accepted, [type](const PayloadFormat& f) { return f.type == type; });
    if (const PayloadFormat* format = pick_format(section, type); format && !there) accepted.push_back(*format);
  };
  if (section.kind == codec::MediaKind::Audio) {
    add(codec::CodecType::Opus);
  } else {
    for (const codec::CodecType type : video_preference) add(type);
  }
  return accepted;
}

rtp::ExtensionMap accepted_extensions(const MediaSection& section, Direction direction) {
  const bool from_client = direction == Direction::RecvOnly || direction == Direction::SendRecv;
  const bool to_client = direction == Direction::SendOnly || direction == Direction::SendRecv;
  rtp::ExtensionMap accepted;
  for (const CarriedExtension& carried : CarriedExtensions) {
    if (carried.mixed_only && !section.mixed_extensions) continue;
    const bool tells_more = section.extensions.has(rtp::ExtensionType::TransportSequence);
    if (carried.type == rtp::ExtensionType::AbsSendTime && tells_more) continue;
    if ((carried.from_client && from_client) || (carried.to_client && to_client)) {
      accepted.set(carried.type, section.extensions.id(carried.type));
    }
  }
  return accepted;
}

}  // namespace viaduct::sdp
