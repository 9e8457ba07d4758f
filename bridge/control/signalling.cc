#include "control/signalling.h"

#include <nlohmann/json.hpp>

#include "limits.h"

namespace viaduct::control {
namespace {

using nlohmann::json;

constexpr size_t TokenBytes = 8 * 1024;

// How deep the text nests, without building anything. Brackets inside strings do not count.
size_t nesting_of(std::string_view text) {
  size_t depth = 0, deepest = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

Refusal bad_message(std::string text) { return {"bad-message", std::move(text), false}; }
Refusal bad_field(std::string text, bool final = false) {
  return {"bad-field", std::move(text), final};
}

const std::string* find_string(const json& object, const char* field) {
  const auto found = object.find(field);
  return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

ClientMessage parse_join(const json& object) {
  JoinMessage join;
  const std::string* conference = find_string(object, "conference");
  if (!conference || !is_name(*conference)) {
    return bad_field(
        "'conference' must be a string of 1 to 64 characters without control characters", true);
  }
  join.conference = *conference;
  if (object.contains("name")) {
    const std::string* name = find_string(object, "name");
    if (!name || !is_name(*name)) {
      return bad_field("'name' must be a string of 1 to 64 characters without control characters",
                       true);
    }
    join.name = *name;
  }
  if (object.contains("token")) {
    const std::string* token = find_string(object, "token");
    if (!token || token->size() > TokenBytes)
      return bad_field("'token' must be a string of at most 8192 bytes", true);
    join.token = *token;
  }
  return join;
}

ClientMessage parse_offer(const json& object) {
  const std::string* sdp = find_string(object, "sdp");
  if (!sdp || sdp->empty() || sdp->size() > limits::SdpBytes) {
    return bad_field(
        "'sdp' must be a string of at most " + std::to_string(limits::SdpBytes) + " bytes", true);
  }
  return OfferMessage{*sdp};
}

ClientMessage parse_mute(const json& object) {
  const std::string* kind = find_string(object, "kind");
  if (!kind || (*kind != "audio" && *kind != "video"))
    return bad_field("'kind' must be \"audio\" or \"video\"");
  const auto muted = object.find("muted");
  if (muted == object.end() || !muted->is_boolean())
    return bad_field("'muted' must be true or false");
  return MuteMessage{*kind == "audio" ? codec::MediaKind::Audio : codec::MediaKind::Video,
                     muted->get<bool>()};
}

json to_json(const ParticipantView& p) {
  return {{"id", p.id},
          {"name", p.name},
          {"audio", {{"muted", p.audio_muted}}},
          {"video", {{"muted", p.video_muted}}}};
}

json or_null(const std::optional<std::string>& text) { return text ? json(*text) : json(nullptr); }

}  // namespace

bool is_name(std::string_view text) {
  size_t characters = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<uint8_t>(text[i]);
    if (c < 0x20 || c == 0x7f) return false;
    if (c == 0xc2 && i + 1 < text.size() && static_cast<uint8_t>(text[i + 1]) < 0xa0)
      return false;  // U+0080 to U+009F
    if ((c & 0xc0) != 0x80) ++characters;
  }
  return characters >= 1 && characters <= limits::NameCharacters &&
         text.size() <= 4 * limits::NameCharacters;
}

ClientMessage parse_message(std::string_view text) {
  if (text.size() > limits::SignallingMessageBytes) return bad_message("the message is too long");
  if (nesting_of(text) > limits::JsonDepth) return bad_message("the message nests too deep");
  const json object =
      json::parse(text, nullptr, /*allow_exceptions=*/false);  // refuses what is not UTF-8
  if (!object.is_object()) return bad_message("the message must be one JSON object");
  const std::string* type = find_string(object, "type");
  if (!type) return bad_message("the message needs a 'type', which is a string");
  if (*type == "join") return parse_join(object);
  if (*type == "offer") return parse_offer(object);
  if (*type == "mute") return parse_mute(object);
  if (*type == "leave") return LeaveMessage{};
  return Refusal{"unknown-type", "'type' must be join, offer, mute or leave", false};
}

std::string write_joined(const JoinedView& joined) {
  json others = json::array();
  for (const ParticipantView& p : joined.participants) others.push_back(to_json(p));
  return json{{"type", "joined"},
              {"participant", joined.participant},
              {"conference", joined.conference},
              {"slots", {{"audio", joined.audio_slots}, {"video", joined.video_slots}}},
              {"participants", std::move(others)}}
      .dump();
}

std::string write_answer(std::string_view sdp) {
  return json{{"type", "answer"}, {"sdp", sdp}}.dump();
}

std::string write_participant_joined(const ParticipantView& participant) {
  return json{{"type", "participant-joined"}, {"participant", to_json(participant)}}.dump();
}

std::string write_participant_changed(const ParticipantView& participant) {
  return json{{"type", "participant-changed"}, {"participant", to_json(participant)}}.dump();
}

std::string write_participant_left(std::string_view id) {
  return json{{"type", "participant-left"}, {"id", id}}.dump();
}

std::string write_slots(const std::vector<SlotView>& slots,
                        const std::vector<UndecodableView>& undecodable) {
  json all = json::array();
  for (const SlotView& s : slots) {
    all.push_back({{"mid", s.mid},
                   {"kind", codec::to_string(s.kind)},
                   {"participant", or_null(s.participant)}});
  }
  json missed = json::array();
  for (const UndecodableView& u : undecodable) {
    missed.push_back({{"participant", u.participant}, {"codec", codec::to_string(u.codec)}});
  }
  return json{{"type", "slots"}, {"slots", std::move(all)}, {"undecodable", std::move(missed)}}
      .dump();
}

std::string write_speaker(const std::optional<std::string>& participant) {
  return json{{"type", "speaker"}, {"participant", or_null(participant)}}.dump();
}

std::string write_codecs(const std::vector<codec::CodecType>& video) {
  json names = json::array();
  for (const codec::CodecType c : video) names.push_back(codec::to_string(c));
  return json{{"type", "codecs"}, {"video", std::move(names)}}.dump();
}

std::string write_error(const Refusal& refusal) {
  return json{{"type", "error"},
              {"code", refusal.code},
              {"message", refusal.message},
              {"final", refusal.final}}
      .dump(-1, ' ', false,
            json::error_handler_t::replace);  // a refusal may quote a line of a client's SDP
}

}  // namespace viaduct::control
