#include "control/negotiation.h"

#include <algorithm>
#include <cstdio>

#include "limits.h"

namespace viaduct::control {
namespace {

using codec::MediaKind;
using sdp::Direction;

constexpr size_t UfragCharacters = 8;   // 48 bits; RFC 8445 section 5.3 asks for 24
constexpr size_t PwdCharacters = 24;    // 144 bits; it asks for 128

Error refused(std::string text) { return {ErrorCode::InvalidArgument, std::move(text)}; }

bool is_source(const sdp::MediaSection& m) {
  return !m.rejected && (m.direction == Direction::SendRecv || m.direction == Direction::SendOnly);
}
bool is_slot(const sdp::MediaSection& m) { return !m.rejected && m.direction == Direction::RecvOnly; }

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
    while (ssrc == 0 || std::find(used_.begin(), used_.end(), ssrc) != used_.end()) ssrc = random_.u32();
    used_.push_back(ssrc);
    return ssrc;
  }

 private:
  Random& random_;
  std::vector<uint32_t> used_;
};

bool is_wanted(codec::CodecType type, const Settings& settings) {
  const auto& wanted = settings.video_preference;
  return codec::kind_of(type) == MediaKind::Audio || std::find(wanted.begin(), wanted.end(), type) != wanted.end();
}

// The formats and header extensions of all sections as one table: sdp::parse_offer has refused offers where they disagree.
Result<void> merge_sections(const sdp::Offer& offer, const Settings& settings, conference::EndpointDescription& endpoint) {
  for (const sdp::MediaSection& m : offer.media) {
    if (!is_source(m) && !is_slot(m)) continue;
    for (const sdp::PayloadFormat& format : m.formats) {
      const bool known = std::any_of(endpoint.formats.begin(), endpoint.formats.end(), [&](const sdp::PayloadFormat& other) {
        return other.payload_type == format.payload_type;
      });
      if (!known && is_wanted(format.type, settings)) endpoint.formats.push_back(format);
    }
    for (int i = 0; i < rtp::ExtensionTypes; ++i) {
      const auto type = static_cast<rtp::ExtensionType>(i);
      if (m.extensions.has(type)) endpoint.extensions.set(type, m.extensions.id(type));
    }
  }
  if (endpoint.formats.empty()) return refused("the offer has no audio or video format that this bridge forwards");
  if (endpoint.formats.size() > limits::PayloadTypesPerEndpoint) return refused("the offer has too many payload types");
  return {};
}

Result<void> check_counts(const sdp::Offer& offer, const Settings& settings) {
  size_t sources = 0, audio_slots = 0, video_slots = 0;
  for (const sdp::MediaSection& m : offer.media) {
    sources += is_source(m);
    if (is_slot(m)) ++(m.kind == MediaKind::Audio ? audio_slots : video_slots);
  }
  if (sources > limits::SourcesPerEndpoint) {
    return refused("the offer has more than " + std::to_string(limits::SourcesPerEndpoint) + " sources");
  }
  if (audio_slots > settings.audio_slots || video_slots > settings.video_slots) {
    return refused("the offer has more receive slots than 'joined' gave");
  }
  return {};
}

}  // namespace

bool Negotiation::sends(MediaKind kind) const {
  return std::any_of(endpoint->sources.begin(), endpoint->sources.end(), [kind](const auto& s) { return s.kind == kind; });
}

Result<Negotiation> negotiate(const sdp::Offer& offer, const Settings& settings, size_t worker, conference::EndpointId id,
                              const std::string& name, Random& random) {
  if (Result<void> counts = check_counts(offer, settings); !counts) return counts.error();

  Negotiation n;
  n.endpoint = std::make_unique<conference::EndpointDescription>();
  conference::EndpointDescription& endpoint = *n.endpoint;
  if (Result<void> merged = merge_sections(offer, settings, endpoint); !merged) return merged.error();

  SsrcDealer ssrcs(offer, random);
  endpoint.id = id;
  endpoint.name = name;
  endpoint.cname = random_id(random);
  endpoint.feedback_ssrc = ssrcs.deal();
  endpoint.local_ufrag = random.ice_chars(UfragCharacters);
  endpoint.local_pwd = random.ice_chars(PwdCharacters);
  endpoint.remote_ufrag = offer.ice_ufrag;
  endpoint.remote_pwd = offer.ice_pwd;
  endpoint.fingerprint_algorithm = offer.fingerprint_algorithm;
  endpoint.fingerprint = offer.fingerprint;
  endpoint.dtls_active = offer.setup == sdp::Setup::Passive;

  for (const sdp::MediaSection& m : offer.media) {
    sdp::AnswerSection section;
    if (is_source(m)) {
      section.direction = Direction::RecvOnly;
      endpoint.sources.push_back({m.kind, m.mid, m.ssrc, m.rtx_ssrc});
    } else if (is_slot(m)) {
      // A stream of its own for each slot: what it carries changes, so nothing may be tied to another slot for lip sync.
      const std::string stream = "slot-" + std::to_string(endpoint.slots.size());
      section.direction = Direction::SendOnly;
      section.ssrc = ssrcs.deal();
      if (m.kind == MediaKind::Video) section.rtx_ssrc = ssrcs.deal();
      section.cname = endpoint.cname;
      section.msid = stream + " " + stream;
      endpoint.slots.push_back({m.kind, m.mid, *section.ssrc, section.rtx_ssrc.value_or(0)});
    }
    n.answer.media.push_back(std::move(section));
  }

  n.answer.ice_ufrag = endpoint.local_ufrag;
  n.answer.ice_pwd = endpoint.local_pwd;
  n.answer.fingerprint_algorithm = settings.fingerprint_algorithm;
  n.answer.fingerprint = settings.fingerprint;
  n.answer.setup = endpoint.dtls_active ? sdp::Setup::Active : sdp::Setup::Passive;
  n.answer.candidates = settings.candidates.at(worker);
  return n;
}

std::string random_id(Random& random) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(random.u64()));
  return text;
}

}  // namespace viaduct::control
