// The messages of the signalling socket: JSON text to checked values and back. The contract is
// deploy/docs/signalling.md.
//
// Pure: no socket, no state. A parsed message is complete and within bounds. Nothing a client sends
// may crash the parser, take it deeper than limits::JsonDepth or be echoed back.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/codec/codec.h"

namespace viaduct::control {

// Client to bridge.
struct JoinMessage {
  std::string conference;
  std::string name;   // empty when the client leaves it to the token
  std::string token;  // empty when absent
};
struct OfferMessage {
  std::string sdp;
};
struct MuteMessage {
  codec::MediaKind kind{};
  bool muted = false;
};
struct LeaveMessage {};

// Why a message is refused, in the words of the contract's `error`.
struct Refusal {
  std::string_view code;
  std::string message;
  bool final = false;
};

using ClientMessage = std::variant<Refusal, JoinMessage, OfferMessage, MuteMessage, LeaveMessage>;

// Reads one text frame of at most limits::SignallingMessageBytes. Unknown fields are ignored.
ClientMessage parse_message(std::string_view text);

// True for UTF-8 of 1 to limits::NameCharacters characters without control characters: a person's
// or a conference's name.
bool is_name(std::string_view text);

// Bridge to client.
struct ParticipantView {
  std::string id;
  std::string name;
  bool audio_muted = false;
  bool video_muted = false;
};
struct SlotView {
  std::string mid;
  codec::MediaKind kind{};
  std::optional<std::string> participant;  // empty: the slot is idle
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
};

std::string write_joined(const JoinedView& joined);
std::string write_answer(std::string_view sdp);
std::string write_participant_joined(const ParticipantView& participant);
std::string write_participant_changed(const ParticipantView& participant);
std::string write_participant_left(std::string_view id);
std::string write_slots(const std::vector<SlotView>& slots,
                        const std::vector<UndecodableView>& undecodable);
std::string write_speaker(const std::optional<std::string>& participant);
std::string write_codecs(const std::vector<codec::CodecType>& video);
std::string write_error(const Refusal& refusal);

}  // namespace viaduct::control
