// From a client's offer to what the worker must know and what the client is answered.
//
// Pure. An m-section that the client sends in becomes a source, one that it only receives in a slot
// with SSRCs of the bridge's own. Slots are dealt once; which source a slot carries is the worker's
// business.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "conference/messages.h"
#include "control/settings.h"
#include "protocol/sdp/sdp.h"
#include "secrecy/secret_string.h"

namespace viaduct::control {

struct Negotiation {
  std::unique_ptr<conference::EndpointDescription> endpoint;
  sdp::Answer answer;

  // Whether there is sound, or a camera; a screen is something else.
  bool sends(codec::MediaKind kind) const;
};

// InvalidArgument with a sentence for the client when it offers more sources or slots than it may,
// or no format in common. `worker` picks the candidates; `random` draws credentials and SSRCs. A
// client that hears a mix (`mixed`) has one audio slot for it.
Result<Negotiation> negotiate(const sdp::Offer& offer, const Settings& settings, size_t worker,
                              conference::EndpointId id, const std::string& name, bool mixed,
                              Random& random);

// What an offer and its answer have settled, which a restart of ICE leaves as it is.
struct Settled {
  struct Section {
    std::string mid;
    codec::MediaKind kind{};
    sdp::Direction direction{};  // from the client
    bool rejected = false;
    friend bool operator==(const Section&, const Section&) = default;
  };
  std::vector<Section> sections;
  std::string fingerprint_algorithm;
  std::vector<uint8_t> fingerprint;
  sdp::Answer answer;
};
Settled settle(const sdp::Offer& offer, const sdp::Answer& answer);

// The answer to an offer that differs in ICE credentials alone, with new ones of the bridge's. InvalidArgument with a
// sentence for the client when it differs in more.
Result<sdp::Answer> answer_restart(const sdp::Offer& offer, const Settled& settled, Random& random);

// A secret of 144 bits, as text.
secrecy::SecretString random_secret(Random& random);

// 16 hexadecimal digits: how participants and conferences are called in public.
std::string random_id(Random& random);

}  // namespace viaduct::control
