// parse_offer(): line by line into a SectionDraft, then what the sections must have in common.

#include <algorithm>
#include <bitset>
#include <optional>
#include <string>
#include <vector>

#include "limits.h"
#include "protocol/sdp/lines.h"
#include "protocol/sdp/sdp.h"
#include "protocol/sdp/section_draft.h"

namespace viaduct::sdp {
namespace {

// Rejected sections included; room for a data channel and some of what later versions of browsers may add.
constexpr size_t MaxSections =
    limits::SourcesPerEndpoint + limits::AudioSlotsPerEndpoint + limits::VideoSlotsPerEndpoint + 8;

Error invalid(std::string text) { return {ErrorCode::InvalidArgument, std::move(text)}; }

class OfferParser {
 public:
  Result<Offer> parse(std::string_view text);

 private:
  Result<void> handle(const Line& line);
  Result<void> handle_session_attribute(const Line& line);
  Result<void> end_section();
  Result<void> take_transport(const TransportAttributes& transport, std::string_view mid);
  Result<void> check_bundle() const;
  Result<void> check_limits() const;

  Offer offer_;
  SessionDefaults session_;
  BundleNumbers bundle_numbers_;
  std::vector<std::string_view> bundled_mids_;
  std::optional<SectionDraft> draft_;
};

Result<Offer> OfferParser::parse(std::string_view text) {
  if (text.size() > limits::SdpBytes) {
    return invalid("the SDP is longer than " + std::to_string(limits::SdpBytes) + " bytes");
  }
  if (!text.starts_with("v=0\r\n") && !text.starts_with("v=0\n")) return invalid("the SDP does not begin with v=0");

  LineReader lines(text);
  while (const auto line = lines.next()) {
    if (auto handled = handle(*line); !handled) return handled.error();
  }
  if (auto ended = end_section(); !ended) return ended.error();
  if (offer_.ice_ufrag.empty()) return invalid("the SDP has no audio or video section that the bridge can accept");
  if (auto checked = check_bundle(); !checked) return checked.error();
  if (auto checked = check_limits(); !checked) return checked.error();
  return std::move(offer_);
}

Result<void> OfferParser::handle(const Line& line) {
  if (line.type == 0) return error_at(line, "not of the form 'x=value'");
  if (line.type == 'm') {
    if (auto ended = end_section(); !ended) return ended;
    if (offer_.media.size() == MaxSections) {
      return error_at(line, "more than " + std::to_string(MaxSections) + " sections");
    }
    auto started = SectionDraft::start(line);
    if (!started) return started.error();
    draft_ = std::move(*started);
    return {};
  }
  if (line.type != 'a') return {};  // addresses, bandwidths and times mean nothing to an ICE-lite answerer
  return draft_ ? draft_->handle_attribute(line) : handle_session_attribute(line);
}

Result<void> OfferParser::handle_session_attribute(const Line& line) {
  if (line.name == "extmap-allow-mixed") {
    session_.mixed_extensions = true;
  } else if (const auto direction = direction_from_name(line.name)) {
    session_.direction = *direction;
  } else if (line.name == "group") {
    std::string_view rest = line.rest;
    if (take_word(rest) != "BUNDLE" || !bundled_mids_.empty()) return {};
    for (std::string_view mid = take_word(rest); !mid.empty(); mid = take_word(rest)) bundled_mids_.push_back(mid);
    std::ranges::sort(bundled_mids_);
  } else {
    return session_.transport.handle(line);
  }
  return {};
}

Result<void> OfferParser::end_section() {
  if (!draft_) return {};
  auto section = draft_->finish(session_, bundle_numbers_);
  if (!section) return section.error();
  // All sections share the first one's transport (RFC 8843 section 7.3).
  if (!section->rejected && offer_.ice_ufrag.empty()) {
    if (auto taken = take_transport(draft_->transport(), section->mid); !taken) return taken;
  }
  offer_.media.push_back(std::move(*section));
  draft_.reset();
  return {};
}

Result<void> OfferParser::take_transport(const TransportAttributes& transport, std::string_view mid) {
  if (const auto missing = transport.missing(); !missing.empty()) {
    return invalid("section '" + std::string(mid) + "' has no " + std::string(missing));
  }
  offer_.ice_ufrag = transport.ice_ufrag;
  offer_.ice_pwd = transport.ice_pwd;
  offer_.fingerprint_algorithm = transport.fingerprint_algorithm;
  offer_.fingerprint = transport.fingerprint;
  offer_.setup = transport.setup.value_or(Setup::ActPass);
  return {};
}

Result<void> OfferParser::check_bundle() const {
  std::vector<std::string_view> mids;
  for (const MediaSection& section : offer_.media) {
    if (!section.mid.empty()) mids.push_back(section.mid);
    if (!section.rejected && !std::ranges::binary_search(bundled_mids_, std::string_view(section.mid))) {
      return invalid("section '" + section.mid + "' is not in a=group:BUNDLE; everything must share one transport");
    }
  }
  std::ranges::sort(mids);
  if (const auto twice = std::ranges::adjacent_find(mids); twice != mids.end()) {
    return invalid("two sections have a=mid:" + std::string(*twice));
  }
  return {};
}

Result<void> OfferParser::check_limits() const {
  size_t sources = 0;
  size_t audio_slots = 0;
  size_t video_slots = 0;
  std::bitset<PayloadTable::PayloadTypes> payload_types;
  for (const MediaSection& section : offer_.media) {
    if (section.rejected) continue;
    for (const PayloadFormat& format : section.formats) payload_types[format.payload_type] = true;
    if (section.direction == Direction::RecvOnly) {
      ++(section.kind == codec::MediaKind::Audio ? audio_slots : video_slots);
    } else if (section.direction != Direction::Inactive) {
      ++sources;
    }
  }
  struct Bound {
    size_t count, limit;
    std::string_view of_what;
  };
  const Bound bounds[] = {
      {sources, limits::SourcesPerEndpoint, "sections to send in"},
      {audio_slots, limits::AudioSlotsPerEndpoint, "recvonly audio sections"},
      {video_slots, limits::VideoSlotsPerEndpoint, "recvonly video sections"},
      {payload_types.count(), limits::PayloadTypesPerEndpoint, "payload types"},
  };
  for (const Bound& bound : bounds) {
    if (bound.count <= bound.limit) continue;
    return invalid("the SDP has more than " + std::to_string(bound.limit) + " " + std::string(bound.of_what));
  }
  return {};
}

}  // namespace

Result<Offer> parse_offer(std::string_view text) { return OfferParser().parse(text); }

}  // namespace viaduct::sdp
