#include "control/negotiation.h"

#include <algorithm>
#include <cstdio>

#include "limits.h"
#include "protocol/congestion/controller.h"

namespace viaduct::control {
namespace {

using codec::MediaKind;
using sdp::Direction;

constexpr size_t UfragCharacters = 8;  // 48 bits; RFC 8445 section 5.3 asks for 24
constexpr size_t PwdCharacters = 24;   // 144 bits; it asks for 128

Error refused(std::string text) { return {ErrorCode::InvalidArgument, std::move(text)}; }

// Draws SSRCs that neither side of this client's session uses yet.
class SsrcDealer {
 public:
  SsrcDealer(const sdp::Offer& offer, Random& random) : random_(random) {
    for (const sdp::MediaSection& m : offer.media) {
      if (m.ssrc) used_.push_back(*m.ssrc);
      if (m.rtx_ssrc) used_.push_back(*m.rtx_ssrc);
    }
  }
  uint32_t deal() {
    uint32_t ssrc = 0;
    while (ssrc == 0 || std::find(used_.begin(), used_.end(), ssrc) != used_.end())
      ssrc = random_.u32();
    used_.push_back(ssrc);
    return ssrc;
  }

 private:
  Random& random_;
  std::vector<uint32_t> used_;
};

// What the answer says of one section.
Direction answer_direction(const sdp::MediaSection& m,
                           const std::vector<sdp::PayloadFormat>& accepted) {
  if (m.rejected || accepted.empty()) return Direction::Inactive;
  if (m.direction == Direction::RecvOnly) return Direction::SendOnly;
  return m.direction == Direction::Inactive ? Direction::Inactive : Direction::RecvOnly;
}

// Adds what a section agrees on to the client's tables; sdp::parse_offer has refused offers whose
// sections disagree.
void merge(const std::vector<sdp::PayloadFormat>& formats, conference::EndpointDescription& endpoint) {
  for (const sdp::PayloadFormat& format : formats) {
    const auto known = std::ranges::find(endpoint.formats, format.payload_type, &sdp::PayloadFormat::payload_type);
    if (known == endpoint.formats.end()) {
      endpoint.formats.push_back(format);
    } else if (!known->red_payload_type) {
      known->red_payload_type = format.red_payload_type;
    }
  }
}
void merge(const rtp::ExtensionMap& extensions, rtp::ExtensionMap& all) {
  for (int i = 0; i < rtp::ExtensionTypes; ++i) {
    const auto type = static_cast<rtp::ExtensionType>(i);
    if (extensions.has(type)) all.set(type, extensions.id(type));
  }
}

// Takes one section over: a source, a slot with SSRCs of its own, or nothing.
sdp::AnswerSection add_section(const sdp::MediaSection& m, const Settings& settings,
                               SsrcDealer& ssrcs, conference::EndpointDescription& endpoint) {
  const std::vector<sdp::PayloadFormat> formats =
      sdp::accepted_formats(m, settings.video_preference);
  sdp::AnswerSection section;
  section.direction = answer_direction(m, formats);
  if (section.direction == Direction::Inactive) return section;
  merge(formats, endpoint);
  const rtp::ExtensionMap accepted = sdp::accepted_extensions(m, section.direction);
  merge(accepted, section.direction == Direction::RecvOnly ? endpoint.extensions : endpoint.slot_extensions);
  if (section.direction == Direction::RecvOnly) {
    endpoint.sources.push_back({m.kind, m.mid, m.ssrc, m.rtx_ssrc, m.rids});
    return section;
  }
  // A stream of its own for each slot: what it carries changes, so nothing may be tied to another
  // slot for lip sync.
  const std::string stream = "slot-" + std::to_string(endpoint.slots.size());
  section.ssrc = ssrcs.deal();
  if (m.kind == MediaKind::Video) section.rtx_ssrc = ssrcs.deal();
  section.cname = endpoint.cname;
  section.msid = stream + " " + stream;
  const bool transport_wide = accepted.has(rtp::ExtensionType::TransportSequence) &&
                              std::ranges::any_of(formats, &sdp::PayloadFormat::transport_cc);
  const bool takes_red = std::ranges::any_of(
      formats, [](const sdp::PayloadFormat& f) { return f.red_payload_type.has_value(); });
  endpoint.slots.push_back({m.kind, m.mid, *section.ssrc, section.rtx_ssrc.value_or(0), transport_wide, takes_red});
  return section;
}

// By what the client offers for its slots, the best that the bridge understands.
congestion::Reporting reporting_of(const sdp::Offer& offer, const rtp::ExtensionMap& slot_extensions) {
  const auto offers = [&](bool sdp::PayloadFormat::*feedback) {
    return std::ranges::any_of(offer.media, [&](const sdp::MediaSection& m) {
      return m.direction == Direction::RecvOnly && !m.rejected && std::ranges::any_of(m.formats, feedback);
    });
  };
  using enum congestion::Reporting;
  if (offers(&sdp::PayloadFormat::transport_cc) && slot_extensions.has(rtp::ExtensionType::TransportSequence))
    return TransportWide;
  if (offers(&sdp::PayloadFormat::ccfb)) return PerStream;
  if (offers(&sdp::PayloadFormat::remb) && slot_extensions.has(rtp::ExtensionType::AbsSendTime)) return Remb;
  return None;
}

Result<void> check_bounds(const conference::EndpointDescription& endpoint,
                          const Settings& settings) {
  const auto is_audio = [](const conference::SlotDescription& s) {
    return s.kind == MediaKind::Audio;
  };
  const auto audio_slots =
      static_cast<size_t>(std::count_if(endpoint.slots.begin(), endpoint.slots.end(), is_audio));
  if (endpoint.formats.empty())
    return refused("the offer has no audio or video format that this bridge forwards");
  if (endpoint.formats.size() > limits::PayloadTypesPerEndpoint)
    return refused("the offer has too many payload types");
  if (endpoint.sources.size() > limits::SourcesPerEndpoint) {
    return refused("the offer has more than " + std::to_string(limits::SourcesPerEndpoint) +
                   " sources");
  }
  if (audio_slots > (endpoint.mixed ? 1 : settings.audio_slots) ||
      endpoint.slots.size() - audio_slots > settings.video_slots) {
    return refused("the offer has more receive slots than 'joined' gave");
  }
  return {};
}

}  // namespace

bool Negotiation::sends(MediaKind kind) const {
  return std::any_of(endpoint->sources.begin(), endpoint->sources.end(),
                     [kind](const auto& s) { return s.kind == kind && s.content == conference::Content::Camera; });
}

Result<Negotiation> negotiate(const sdp::Offer& offer, const Settings& settings, size_t worker,
                              conference::EndpointId id, const std::string& name, bool mixed,
                              Random& random) {
  Negotiation n;
  n.endpoint = std::make_unique<conference::EndpointDescription>();
  conference::EndpointDescription& endpoint = *n.endpoint;
  SsrcDealer ssrcs(offer, random);
  endpoint.id = id;
  endpoint.name = name;
  endpoint.mixed = mixed;
  endpoint.cname = random_id(random);
  endpoint.feedback_ssrc = ssrcs.deal();
  endpoint.local_ufrag = random.ice_chars(UfragCharacters);
  endpoint.local_pwd = random.ice_chars(PwdCharacters);
  endpoint.remote_ufrag = offer.ice_ufrag;
  endpoint.remote_pwd = offer.ice_pwd;
  endpoint.fingerprint_algorithm = offer.fingerprint_algorithm;
  endpoint.fingerprint = offer.fingerprint;
  n.answer.setup = sdp::answer_setup(offer.setup);
  endpoint.dtls_active = n.answer.setup == sdp::Setup::Active;
  for (const sdp::MediaSection& m : offer.media)
    n.answer.media.push_back(add_section(m, settings, ssrcs, endpoint));
  if (Result<void> bounds = check_bounds(endpoint, settings); !bounds) return bounds.error();

  endpoint.reporting = reporting_of(offer, endpoint.slot_extensions);
  n.answer.ice_ufrag = endpoint.local_ufrag;
  n.answer.ice_pwd = endpoint.local_pwd;
  n.answer.fingerprint_algorithm = settings.fingerprint_algorithm;
  n.answer.fingerprint = settings.fingerprint;
  n.answer.candidates = settings.candidates.at(worker);
  return n;
}

Settled settle(const sdp::Offer& offer, const sdp::Answer& answer) {
  Settled settled{{}, offer.fingerprint_algorithm, offer.fingerprint, answer};
  for (const sdp::MediaSection& m : offer.media)
    settled.sections.push_back({m.mid, m.kind, m.direction, m.rejected});
  return settled;
}

Result<sdp::Answer> answer_restart(const sdp::Offer& offer, const Settled& settled, Random& random) {
  const Settled now = settle(offer, {});
  if (now.fingerprint_algorithm != settled.fingerprint_algorithm || now.fingerprint != settled.fingerprint)
    return refused("a restart keeps the DTLS fingerprint of the offer");
  if (now.sections != settled.sections)
    return refused("a restart keeps the m-sections of the offer, with their mids and directions");
  sdp::Answer answer = settled.answer;
  answer.ice_ufrag = random.ice_chars(UfragCharacters);
  answer.ice_pwd = random.ice_chars(PwdCharacters);
  return answer;
}

secrecy::SecretString random_secret(Random& random) { return random.ice_chars(PwdCharacters); }

std::string random_id(Random& random) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(random.u64()));
  return text;
}

}  // namespace viaduct::control
