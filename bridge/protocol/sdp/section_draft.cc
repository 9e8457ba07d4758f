#include "protocol/sdp/section_draft.h"

#include <algorithm>
#include <cctype>

#include "limits.h"

namespace viaduct::sdp {
namespace {

// A token (RFC 8866 section 9) that fits the MID header extension in its one-byte form (RFC 8285 section 4.2).
bool is_mid(std::string_view text) {
  constexpr size_t MaxMidBytes = 16;
  constexpr std::string_view NotInTokens = " \"(),/:;<=>?@[\\]";
  return !text.empty() && text.size() <= MaxMidBytes && text.find_first_of(NotInTokens) == std::string_view::npos &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

// SRTP keyed by DTLS, under each name that RFC 9429 section 5.1.2 allows for it.
bool is_dtls_srtp(std::string_view protocol) {
  return protocol.ends_with("RTP/SAVPF") || protocol.ends_with("RTP/SAVP");
}

bool sends(Direction d) { return d == Direction::SendRecv || d == Direction::SendOnly; }
bool receives(Direction d) { return d == Direction::SendRecv || d == Direction::RecvOnly; }

}  // namespace

std::optional<Direction> direction_from_name(std::string_view name) {
  if (name == "sendrecv") return Direction::SendRecv;
  if (name == "sendonly") return Direction::SendOnly;
  if (name == "recvonly") return Direction::RecvOnly;
  if (name == "inactive") return Direction::Inactive;
  return std::nullopt;
}

Result<SectionDraft> SectionDraft::start(const Line& line) {
  SectionDraft draft;
  draft.line_ = line;
  std::string_view rest = line.value;
  draft.section_.media = take_word(rest);
  const auto port = parse_number<uint16_t>(take_word(rest));
  draft.section_.protocol = take_word(rest);
  draft.section_.format_list = rest;
  if (!port || rest.empty()) return error_at(line, "not of the form 'm=media port protocol formats'");

  draft.port_is_zero_ = *port == 0;
  draft.section_.kind = draft.section_.media == "video" ? codec::MediaKind::Video : codec::MediaKind::Audio;
  draft.media_supported_ = (draft.section_.media == "audio" || draft.section_.media == "video") &&
                           is_dtls_srtp(draft.section_.protocol);
  if (draft.media_supported_) {
    if (auto listed = draft.payloads_.list(line, rest); !listed) return listed.error();
  }
  return draft;
}

Result<void> SectionDraft::handle_attribute(const Line& line) {
  if (line.name == "mid") {
    if (!is_mid(line.rest)) return error_at(line, "not a token of 1 to 16 characters");
    section_.mid = line.rest;
    return {};
  }
  if (!media_supported_) return {};
  if (const auto direction = direction_from_name(line.name)) direction_ = direction;
  else if (line.name == "bundle-only") bundle_only_ = true;
  else if (line.name == "rtcp-mux") rtcp_mux_ = true;
  else if (line.name == "rtcp-rsize") section_.reduced_size_rtcp = true;
  else if (line.name == "extmap-allow-mixed") section_.mixed_extensions = true;
  else if (line.name == "msid") section_.msid = line.rest;
  else if (line.name == "rtpmap") return payloads_.handle_rtpmap(line);
  else if (line.name == "fmtp") return payloads_.handle_fmtp(line);
  else if (line.name == "rtcp-fb") payloads_.handle_feedback(line);
  else if (line.name == "extmap") return handle_extension(line);
  else if (line.name == "ssrc-group") return handle_ssrc_group(line);
  else if (line.name == "rid") return handle_rid(line);
  else if (line.name == "simulcast") handle_simulcast(line);
  else if (line.name == "ssrc" && !section_.ssrc) {
    std::string_view rest = line.rest;
    section_.ssrc = parse_number<uint32_t>(take_word(rest));
    if (!section_.ssrc) return error_at(line, "not an SSRC");
  } else {
    return transport_.handle(line);
  }
  return {};
}

// extmap:id[/direction] uri [attributes] (RFC 8285 section 8).
Result<void> SectionDraft::handle_extension(const Line& line) {
  std::string_view rest = line.rest;
  std::string_view number = take_word(rest);
  const std::string_view uri = take_word(rest);
  const auto id = parse_number<uint16_t>(take_until(number, '/'));
  const auto direction = number.empty() ? Direction::SendRecv : direction_from_name(number);
  if (!id || !direction || uri.empty()) return error_at(line, "not of the form 'extmap:id uri'");
  // 15 is reserved; 4096 and up only hold the place of extensions that an answer would number (RFC 8285 section 8).
  if (*id == 0 || *id == 15 || *id > 255) return {};
  if (extensions_.size() == 255) return error_at(line, "more extensions than identifiers");
  extensions_.push_back({static_cast<uint8_t>(*id), uri, *direction});
  return {};
}

// Only FID concerns the bridge: media and its RTX (RFC 5576 section 4.2). The first group is the first encoding's.
Result<void> SectionDraft::handle_ssrc_group(const Line& line) {
  std::string_view rest = line.rest;
  if (take_word(rest) != "FID" || section_.rtx_ssrc) return {};
  const auto media = parse_number<uint32_t>(take_word(rest));
  const auto rtx = parse_number<uint32_t>(take_word(rest));
  if (!media || !rtx) return error_at(line, "FID needs two SSRCs");
  section_.ssrc = media;
  section_.rtx_ssrc = rtx;
  return {};
}

// rid:id direction [restrictions] (RFC 8851 section 10). The identifier fits the RID header extension (RFC 8852).
Result<void> SectionDraft::handle_rid(const Line& line) {
  constexpr size_t MaxRidBytes = 16;
  std::string_view rest = line.rest;
  const std::string_view id = take_word(rest);
  const bool is_rid = !id.empty() && id.size() <= MaxRidBytes &&
                      std::ranges::all_of(id, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; });
  if (!is_rid) return error_at(line, "not an identifier of 1 to 16 letters and digits");
  if (take_word(rest) == "send" && sent_rids_.size() < limits::EncodingsPerSource) sent_rids_.push_back(id);
  return {};
}

// simulcast:send a;b,c;~d (RFC 8853 section 5.1): streams are separated by semicolons. Of alternatives the first is
// taken, and one that would begin paused is a stream like others.
void SectionDraft::handle_simulcast(const Line& line) {
  std::string_view rest = line.rest;
  while (!rest.empty()) {
    const std::string_view direction = take_word(rest);
    std::string_view streams = take_word(rest);
    if (direction != "send" || !section_.rids.empty()) continue;
    while (!streams.empty() && section_.rids.size() < limits::EncodingsPerSource) {
      std::string_view alternatives = take_until(streams, ';');
      std::string_view rid = take_until(alternatives, ',');
      if (rid.starts_with('~')) rid.remove_prefix(1);
      section_.rids.emplace_back(rid);
    }
  }
}

// Simulcast is what both kinds of lines name; media finds its way by MID and RID then, whatever SSRCs are stated.
void SectionDraft::settle_simulcast() {
  const auto has_no_line = [&](const std::string& rid) {
    return std::ranges::find(sent_rids_, rid) == sent_rids_.end();
  };
  std::erase_if(section_.rids, has_no_line);
  if (!sends(section_.direction) || section_.kind != codec::MediaKind::Video) section_.rids.clear();
  if (section_.rids.size() < 2) section_.rids.clear();
  if (section_.rids.empty()) return;
  section_.ssrc.reset();
  section_.rtx_ssrc.reset();
}

Result<MediaSection> SectionDraft::finish(const SessionDefaults& session, BundleNumbers& bundle) {
  section_.direction = direction_.value_or(session.direction);
  section_.mixed_extensions |= session.mixed_extensions;
  if (media_supported_) section_.formats = payloads_.formats(section_.kind);
  // A bundle-only section has port 0 until it is answered (RFC 8843 section 6).
  section_.rejected = !media_supported_ || (port_is_zero_ && !bundle_only_) || section_.formats.empty();
  if (section_.rejected) return std::move(section_);

  if (section_.mid.empty()) return error_at(line_, "the section has no a=mid");
  if (!rtcp_mux_) return error_at(line_, "the section has no a=rtcp-mux; RTP and RTCP must share a port");
  transport_.inherit(session.transport);
  if (auto agreed = agree_on_payloads(bundle); !agreed) return agreed.error();
  if (auto agreed = agree_on_extensions(bundle); !agreed) return agreed.error();
  settle_simulcast();
  if (!sends(section_.direction)) {
    section_.ssrc.reset();  // Firefox states here what its receiver reports will carry
    section_.rtx_ssrc.reset();
  }
  return std::move(section_);
}

Result<void> SectionDraft::agree_on_payloads(BundleNumbers& bundle) const {
  for (const uint8_t payload_type : payloads_.listed()) {
    auto& meaning = bundle.payloads[payload_type];
    if (!meaning) meaning = payloads_.mapping(payload_type);
    if (*meaning != payloads_.mapping(payload_type)) {
      return error_at(line_, "payload type " + std::to_string(payload_type) + " means two different things");
    }
  }
  return {};
}

Result<void> SectionDraft::agree_on_extensions(BundleNumbers& bundle) {
  for (const OfferedExtension& offered : extensions_) {
    std::string_view& uri = bundle.extension_uris[offered.id];
    if (uri.empty()) uri = offered.uri;
    if (uri != offered.uri) {
      return error_at(line_, "extension " + std::to_string(offered.id) + " means two different things");
    }
    const auto type = rtp::extension_from_uri(offered.uri);
    if (!type) continue;
    if (bundle.extensions.has(*type) && bundle.extensions.id(*type) != offered.id) {
      return error_at(line_, "extension " + std::string(rtp::uri_of(*type)) + " has two different identifiers");
    }
    bundle.extensions.set(*type, offered.id);
    // An extension that never flows the way the section's media does is of no use there.
    const bool useful = (sends(section_.direction) && sends(offered.direction)) ||
                        (receives(section_.direction) && receives(offered.direction));
    if (useful) section_.extensions.set(*type, offered.id);
  }
  return {};
}

}  // namespace viaduct::sdp
