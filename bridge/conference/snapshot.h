// A worker's conferences at one moment, as plain values for the admin API.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "base/units.h"
#include "conference/layer.h"
#include "protocol/codec/codec.h"

namespace viaduct::conference {

enum class EndpointId : uint64_t {};
enum class ConferenceId : uint64_t {};

// What the bodies of a stream look like. Evidence, not proof: plaintext can be dressed up as noise.
enum class ObservedBodies : uint8_t { Undecided, Plain, Ciphertext };
constexpr const char* to_string(ObservedBodies o) {
  constexpr const char* Names[] = {"undecided", "plain", "ciphertext"};
  return Names[static_cast<size_t>(o)];
}

// Why a source is not forwarded in a conference that requires end-to-end encryption.
enum class HeldBack : uint8_t { No, Undeclared, Contradicted };
constexpr const char* to_string(HeldBack h) {
  constexpr const char* Names[] = {"no", "undeclared", "contradicted"};
  return Names[static_cast<size_t>(h)];
}

// What a video source shows.
enum class Content : uint8_t { Camera, Screen };
constexpr const char* to_string(Content c) { return c == Content::Screen ? "screen" : "camera"; }

// One stream of a source: the only one, or one of simulcast.
struct EncodingSnapshot {
  std::string rid;                         // empty without simulcast
  std::optional<uint32_t> ssrc;
  uint64_t packets = 0;
  uint64_t bytes = 0;
  DataRate rate;                           // over the last second
  uint64_t lost = 0;                       // RFC 3550 appendix A.3, after recovery by RTX
  Duration jitter{};
};

struct SourceSnapshot {
  codec::MediaKind kind{};
  std::string mid;
  Content content{};                       // of video
  std::optional<codec::CodecType> codec;   // of the last packet
  bool muted = false;
  uint64_t packets = 0;                    // these of all encodings together
  uint64_t bytes = 0;
  DataRate rate;
  uint64_t lost = 0;
  Duration jitter{};                       // the largest
  bool declared_e2ee = false;              // its sender says so
  ObservedBodies observed{};
  HeldBack held_back{};
  std::vector<EncodingSnapshot> encodings;
  std::vector<LayerInfo> layers;           // video: what can be received of it, the least first
};

struct SlotSnapshot {
  codec::MediaKind kind{};
  std::string mid;
  uint32_t ssrc = 0;
  std::optional<EndpointId> carries;
  uint64_t packets = 0;
  uint64_t bytes = 0;
  DataRate rate;
  uint64_t resent = 0;
  double fraction_lost = 0;                // of the receiver's last report
  std::optional<LayerInfo> layer;          // video: what is forwarded now
  bool paused = false;                     // video: there is no room for it
};

struct EndpointSnapshot {
  EndpointId id{};
  std::string name;
  std::string state;                       // "new", "checking", "handshaking", "connected", "consent_lost"
  std::string remote_address;              // full: this is the admin API, loopback by default; empty before ICE
  std::string local_address;
  std::string dtls_role;                   // the bridge's: "server" or "client"
  std::string dtls_version;                // "DTLSv1.2"; these five are empty before DTLS is done
  std::string dtls_cipher;
  std::string dtls_group;
  std::string srtp_profile;
  std::string remote_fingerprint;          // "sha-256 AB:CD:..."
  std::string local_fingerprint;
  std::optional<Duration> round_trip;
  Duration age{};
  std::optional<DataRate> available;       // that can be sent to it; empty: nobody measures
  DataRate wanted;                         // what would be sent if all of that could
  std::vector<SourceSnapshot> sources;
  std::vector<SlotSnapshot> slots;
};

struct ConferenceSnapshot {
  ConferenceId id{};
  std::string name;
  std::optional<EndpointId> speaker;
  std::vector<codec::CodecType> video_codecs;
  std::vector<EndpointSnapshot> endpoints;
  bool e2ee_wanted = false;
  bool e2ee_required = false;
};

struct WorkerSnapshot {
  uint32_t worker = 0;
  std::vector<ConferenceSnapshot> conferences;
};

}  // namespace viaduct::conference
