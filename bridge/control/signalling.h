// The messages of the signalling socket: JSON text to checked values and back. The contract is
// deploy/docs/signalling.md.
//
// Pure: no socket, no state. A parsed message is complete and within bounds. Nothing a client sends
// may crash the parser, take it deeper than limits::JsonDepth or be echoed back.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "conference/messages.h"
#include "control/e2ee_verdict.h"
#include "protocol/codec/codec.h"
#include "secrecy/secret_string.h"

namespace viaduct::control {

// Client to bridge.
struct JoinMessage {
  std::string conference;
  std::string name;           // empty when the client leaves it to the token
  std::string token;          // empty when absent
  bool e2ee = false;          // can encrypt end to end
  bool require_e2ee = false;  // counts when this join opens the conference
  bool mixed = false;         // wants one mix instead of single voices
};
struct OfferMessage {
  std::string sdp;
  std::vector<std::string> screens;  // mids of m-sections that carry a screen
};
// Instead of a join: the participant's socket was cut, and this is the next one.
struct ResumeMessage {
  std::string participant;
  secrecy::SecretString secret;
};
// The offer again, with other ICE credentials.
struct RestartMessage {
  std::string sdp;
};
struct MuteMessage {
  codec::MediaKind kind{};
  bool muted = false;
  conference::Content content{};  // of video
};
// What the client wants to see. People are named as it names them: they may not exist.
struct ReceiveMessage {
  struct Picture {
    std::string participant;
    conference::Content content{};
    friend bool operator==(const Picture&, const Picture&) = default;
  };
  std::optional<uint32_t> last_n;  // empty: as many as there are slots
  std::vector<Picture> on_stage, selected;
  int max_height = conference::ReceiverWishes::NoLimit;
  std::vector<std::pair<Picture, int>> max_heights;
};
struct E2eeMessage {
  bool wanted = false;
};
struct DeclareMessage {
  bool e2ee = false;
};
// What a client says of the encryption between it and the other participant. Claims: the bridge has
// no part in that connection. Empty: not told.
struct DirectProtection {
  std::string dtls_version, dtls_cipher, srtp_profile, local_fingerprint, remote_fingerprint;
};
struct DirectMessage {
  bool active = false;
  DirectProtection protection;
};
// For other participants; the bridge does not read it.
struct RelayMessage {
  std::optional<std::string> all;         // for everybody else, or, when empty:
  std::map<std::string, std::string> to;  // by participant
};
struct PrivacyMessage {};
struct LeaveMessage {};

// Why a message is refused, in the words of the contract's `error`.
struct Refusal {
  std::string_view code;
  std::string message;
  bool final = false;
};

using ClientMessage =
    std::variant<Refusal, JoinMessage, ResumeMessage, OfferMessage, RestartMessage, MuteMessage,
                 ReceiveMessage, E2eeMessage, DeclareMessage, DirectMessage, RelayMessage,
                 PrivacyMessage, LeaveMessage>;

// Reads one text frame of at most limits::SignallingMessageBytes. Unknown fields are ignored.
ClientMessage parse_message(std::string_view text);

// True for UTF-8 of 1 to limits::NameCharacters characters without control characters: a person's
// or a conference's name.
bool is_name(std::string_view text);

// Bridge to client.
struct E2eeView {
  bool capable = false;
  bool declared = false;
  E2eeVerdict verdict = E2eeVerdict::Undeclared;
};
struct ParticipantView {
  std::string id;
  std::string name;
  bool audio_muted = false;
  bool video_muted = false;
  E2eeView e2ee = {};
  bool direct = false;
  bool mixed = false;   // the bridge mixes for it what it hears
  bool screen = false;  // it sends a screen now
};
struct SlotView {
  std::string mid;
  codec::MediaKind kind{};
  std::optional<std::string> participant;  // empty: the slot is idle
  conference::Content content{};           // of video
  bool paused = false;
};
struct UndecodableView {
  std::string participant;
  codec::CodecType codec{};
};
struct JoinedView {
  std::string participant;
  std::string conference;
  uint32_t audio_slots = 0;
  uint32_t video_slots = 0;
  std::vector<ParticipantView> participants;
  conference::E2eePolicy e2ee = {};
  bool direct_allowed = false;
  std::vector<std::string> ice_servers = {};  // for direct connections
  bool mixed = false;                         // the audio slot carries a mix
  secrecy::SecretString resume = {};          // what a further socket has to show to be this participant's
};

std::string write_joined(const JoinedView& joined);
std::string write_resumed(const JoinedView& resumed);
std::string write_answer(std::string_view sdp);
std::string write_participant_joined(const ParticipantView& participant);
std::string write_participant_changed(const ParticipantView& participant);
std::string write_participant_left(std::string_view id);
std::string write_slots(const std::vector<SlotView>& slots,
                        const std::vector<UndecodableView>& undecodable);
std::string write_speaker(const std::optional<std::string>& participant);
std::string write_recent_speakers(const std::vector<std::string>& participants);
std::string write_send(const conference::LayersWanted& wanted);
std::string write_network(std::optional<DataRate> available, DataRate wanted);
std::string write_codecs(const std::vector<codec::CodecType>& video);
// `by`: the participant whose message or join changed it.
std::string write_e2ee(const conference::E2eePolicy& policy, std::string_view by);
std::string write_relay(std::string_view from, std::string_view data);
std::string write_held_back(codec::MediaKind kind, conference::HeldBack reason);
std::string write_error(const Refusal& refusal);

}  // namespace viaduct::control
