// What control and workers say to each other, over bounded rings: control -> worker Command, worker
// -> control Report.
//
// Control negotiates (SDP, tokens, names); a worker owns the conference and its media. Both name
// people by EndpointId and conferences by ConferenceId, numbers that control draws once and never
// uses again.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "conference/snapshot.h"
#include "conference/wishes.h"
#include "protocol/codec/codec.h"
#include "protocol/rtp/extension.h"
#include "protocol/sdp/sdp.h"
#include "secrecy/secret_string.h"

namespace viaduct::congestion {
enum class Reporting : uint8_t;
}

namespace viaduct::conference {

// One m-section that the client sends in.
struct SourceDescription {
  codec::MediaKind kind = codec::MediaKind::Audio;
  std::string mid;
  std::optional<uint32_t> ssrc;  // absent: learned from the MID of an authenticated packet
  std::optional<uint32_t> rtx_ssrc;
  std::vector<std::string> rids{};  // of simulcast, in the offer's order; empty without
  Content content{};
};

// One m-section that the client receives in. The SSRCs are the bridge's and stay the same whatever
// source the slot carries.
struct SlotDescription {
  codec::MediaKind kind = codec::MediaKind::Audio;
  std::string mid;
  uint32_t ssrc = 0;
  uint32_t rtx_ssrc = 0;  // video only
  bool transport_wide = false;  // its packets have transport-wide sequence numbers
  bool takes_red = false;       // audio, as RED (RFC 2198) under the client's number for it
};

// All a worker needs to know of one client, as negotiated.
struct EndpointDescription {
  EndpointId id{};
  std::string name;            // as shown to others
  std::string cname;           // of the bridge's streams to this client (RFC 3550 section 6.5.1)
  uint32_t feedback_ssrc = 0;  // the sender SSRC of RTCP that belongs to no slot
  std::string local_ufrag, remote_ufrag;
  secrecy::SecretString local_pwd, remote_pwd;
  std::string fingerprint_algorithm;
  std::vector<uint8_t> fingerprint;
  bool dtls_active = false;                 // the bridge is the DTLS client
  std::vector<sdp::PayloadFormat> formats;  // of all sections; each payload type once
  rtp::ExtensionMap extensions;             // in what the client sends
  rtp::ExtensionMap slot_extensions;        // in what it receives
  std::vector<SourceDescription> sources;
  std::vector<SlotDescription> slots;
  bool mixed = false;  // gets one mix in its first audio slot instead of single voices
  congestion::Reporting reporting{};  // how the client tells what arrives
  // The worker that has its transport, where it is another one: then the client has no slots here,
  // and what it sends comes over the relay (path/relay.h).
  std::optional<uint32_t> relayed_from;
};

// What the other workers of a conference need to know of a client of `worker`: no secret of its
// transport, and nothing that it receives.
inline EndpointDescription relayed_description(const EndpointDescription& of, uint32_t worker) {
  EndpointDescription relayed;
  relayed.id = of.id;
  relayed.name = of.name;
  relayed.formats = of.formats;
  relayed.extensions = of.extensions;
  relayed.sources = of.sources;
  relayed.relayed_from = worker;
  return relayed;
}

// What a conference has decided about end-to-end encryption.
//
// `wanted` seals it: from then on no code of the bridge that reads codec data runs for it, whatever each sender
// declares. `required` (which implies wanted) also holds back what is not declared encrypted, and what is declared
// but contradicted by its bodies.
struct E2eePolicy {
  bool wanted = false;
  bool required = false;
  bool sealed() const { return wanted || required; }
  friend bool operator==(const E2eePolicy&, const E2eePolicy&) = default;
};

struct AddEndpoint {
  ConferenceId conference{};
  std::string conference_name;
  std::unique_ptr<EndpointDescription> endpoint;
  E2eePolicy e2ee;  // the conference's, now
};
struct RemoveEndpoint {
  EndpointId endpoint{};
};
// New ICE credentials of both sides (RFC 8445 section 9). DTLS, keys and media go on as they are.
struct RestartIce {
  EndpointId endpoint{};
  std::string local_ufrag, remote_ufrag;
  secrecy::SecretString local_pwd, remote_pwd;
};
// The client says that it has stopped or resumed sending sound, its camera or its screen; the bridge shows it and
// forwards nothing while muted.
struct SetMuted {
  EndpointId endpoint{};
  codec::MediaKind kind{};
  bool muted = false;
  Content content{};  // of video
};
// What the client wants to receive of pictures from now on.
struct SetReceiverWishes {
  EndpointId endpoint{};
  ReceiverWishes wishes;
};
// The conference goes over to, or back from, end-to-end encryption.
struct SetE2eePolicy {
  ConferenceId conference{};
  E2eePolicy policy;
};
// The client says whether its frames are encrypted end to end from now on.
struct DeclareE2ee {
  EndpointId endpoint{};
  bool declared = false;
};
struct TakeSnapshot {
  uint64_t request = 0;
};
// The worker says goodbye to every client (RTCP BYE), then its thread ends.
struct Stop {};

using Command =
    std::variant<std::monostate, AddEndpoint, RemoveEndpoint, RestartIce, SetMuted, SetReceiverWishes,
                 SetE2eePolicy, DeclareE2ee, TakeSnapshot, Stop>;

// The transport to a client works: ICE has an address, DTLS is done, SRTP keys are in place.
struct EndpointConnected {
  EndpointId endpoint{};
  Duration ice{};   // from AddEndpoint to the first authenticated STUN request
  Duration dtls{};  // from there to the keys
};
enum class GoneReason : uint8_t {
  ConsentLost,
  HandshakeFailed,
  HandshakeTimeout,
  PeerClosed,
  Refused
};
constexpr const char* to_string(GoneReason r) {
  switch (r) {
    case GoneReason::ConsentLost:
      return "consent_lost";
    case GoneReason::HandshakeFailed:
      return "handshake_failed";
    case GoneReason::HandshakeTimeout:
      return "handshake_timeout";
    case GoneReason::PeerClosed:
      return "peer_closed";
    case GoneReason::Refused:
      return "refused";  // AddEndpoint found no room
  }
  return "unknown";
}
// The worker has removed the endpoint by itself. Not sent in answer to RemoveEndpoint.
struct EndpointGone {
  EndpointId endpoint{};
  GoneReason reason{};
};
struct SlotAssignment {
  std::string mid;
  codec::MediaKind kind{};
  std::optional<EndpointId> carries;  // whose source; empty when the slot is idle
  std::string source_mid;
  Content content{};    // video: what it shows
  bool paused = false;  // video: there is no room for it now
};
struct UndecodableSource {
  EndpointId endpoint{};
  codec::CodecType codec{};
  friend bool operator==(const UndecodableSource&, const UndecodableSource&) = default;
};
// What each of an endpoint's slots carries from now on, all slots each time, and which sources it
// misses because its browser cannot decode them.
struct SlotsChanged {
  EndpointId endpoint{};
  std::vector<SlotAssignment> slots;
  std::vector<UndecodableSource> undecodable;
};
// Who speaks, or spoke last; or nobody.
struct SpeakerChanged {
  ConferenceId conference{};
  std::optional<EndpointId> speaker;
};
// Who has spoken, the most recent first, limits::RecentSpeakersTold of them at most.
struct RecentSpeakersChanged {
  ConferenceId conference{};
  std::vector<EndpointId> speakers;
};
// Which encodings of a video source anybody needs, in the order of SourceDescription::rids, and how high a picture:
// less than 0 is no limit, and 0 is none.
struct LayersWanted {
  struct Encoding {
    std::string rid;  // empty without simulcast
    bool wanted = false;
  };
  EndpointId endpoint{};
  std::string source_mid;
  std::vector<Encoding> encodings;
  int max_height = ReceiverWishes::NoLimit;
};
// What can be sent to the client, where that is measured, and what would be sent if all of it could.
struct NetworkMeasured {
  EndpointId endpoint{};
  std::optional<DataRate> available;
  DataRate wanted;
};
// The client has begun or ceased to send a screen.
struct ScreenShown {
  EndpointId endpoint{};
  bool shown = false;
};
// The video formats that everyone in the conference decodes, most wanted first. Senders use the
// first they can encode.
struct CodecsChanged {
  ConferenceId conference{};
  std::vector<codec::CodecType> video;
};
// What the bodies of a source look like has become clear, or has changed.
struct BodiesObserved {
  EndpointId endpoint{};
  std::string source_mid;
  codec::MediaKind kind{};
  ObservedBodies observed{};
};
// A source of the client is held back from now on, and why; HeldBack::No: it is forwarded again.
struct SourceHeldBack {
  EndpointId endpoint{};
  std::string source_mid;
  codec::MediaKind kind{};
  HeldBack reason{};
};
// How much of its time the worker was busy since its last such report, about a second ago: 0 to 1.
struct LoadMeasured {
  double busy = 0;
};
struct SnapshotTaken {
  uint64_t request = 0;
  WorkerSnapshot snapshot;
};
struct Stopped {};

using Report = std::variant<std::monostate, EndpointConnected, EndpointGone, SlotsChanged,
                            SpeakerChanged, RecentSpeakersChanged, LayersWanted, NetworkMeasured,
                            ScreenShown, CodecsChanged, BodiesObserved, SourceHeldBack,
                            LoadMeasured, SnapshotTaken, Stopped>;

}  // namespace viaduct::conference
