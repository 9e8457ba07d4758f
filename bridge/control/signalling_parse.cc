// A client's messages: JSON text to checked values.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "control/signalling.h"
#include "limits.h"

namespace viaduct::control {
namespace {

using conference::Content;
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

// The value of a field that is true or false; nothing when it is missing or something else.
std::optional<bool> find_bool(const json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_boolean()) return std::nullopt;
  return found->get<bool>();
}

std::string must_be_boolean(std::string_view field) {
  return "'" + std::string(field) + "' must be true or false";
}

// Takes a field that may be left out. False when it is there and not true or false.
bool take_bool(const json& object, const char* field, bool& into) {
  if (!object.contains(field)) return true;
  const std::optional<bool> value = find_bool(object, field);
  into = value.value_or(false);
  return value.has_value();
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
  if (!take_bool(object, "e2ee", join.e2ee)) return bad_field(must_be_boolean("e2ee"), true);
  if (!take_bool(object, "require_e2ee", join.require_e2ee))
    return bad_field(must_be_boolean("require_e2ee"), true);
  if (!take_bool(object, "mixed", join.mixed)) return bad_field(must_be_boolean("mixed"), true);
  return join;
}

ClientMessage parse_resume(const json& object) {
  const std::string* participant = find_string(object, "participant");
  const std::string* secret = find_string(object, "resume");
  for (const auto& [field, text] : {std::pair{"participant", participant}, std::pair{"resume", secret}}) {
    if (!text || text->size() > limits::NameCharacters)
      return bad_field("'" + std::string(field) + "' must be a string of at most 64 bytes", true);
  }
  return ResumeMessage{*participant, *secret};
}

ClientMessage parse_restart(const json& object) {
  const std::string* sdp = find_string(object, "sdp");
  if (!sdp || sdp->empty() || sdp->size() > limits::SdpBytes)
    return bad_field("'sdp' must be a string of at most " + std::to_string(limits::SdpBytes) + " bytes");
  return RestartMessage{*sdp};
}

ClientMessage parse_offer(const json& object) {
  const std::string* sdp = find_string(object, "sdp");
  if (!sdp || sdp->empty() || sdp->size() > limits::SdpBytes) {
    return bad_field(
        "'sdp' must be a string of at most " + std::to_string(limits::SdpBytes) + " bytes", true);
  }
  OfferMessage offer{*sdp, {}};
  const auto screens = object.find("screens");
  if (screens == object.end()) return offer;
  if (!screens->is_array() || screens->size() > limits::SourcesPerEndpoint)
    return bad_field("'screens' must be an array of at most 4 strings", true);
  for (const json& mid : *screens) {
    const auto* text = mid.get_ptr<const std::string*>();
    if (!text) return bad_field("'screens' must be an array of at most 4 strings", true);
    offer.screens.push_back(*text);
  }
  return offer;
}

ClientMessage parse_mute(const json& object) {
  const std::string* kind = find_string(object, "kind");
  if (!kind || (*kind != "audio" && *kind != "video" && *kind != "screen"))
    return bad_field("'kind' must be \"audio\", \"video\" or \"screen\"");
  const std::optional<bool> muted = find_bool(object, "muted");
  if (!muted) return bad_field(must_be_boolean("muted"));
  return MuteMessage{*kind == "audio" ? codec::MediaKind::Audio : codec::MediaKind::Video, *muted,
                     *kind == "screen" ? Content::Screen : Content::Camera};
}

// "<participant>" is a camera, "<participant>/screen" a screen.
ReceiveMessage::Picture picture_of(std::string_view name) {
  constexpr std::string_view Screen = "/screen";
  const bool is_screen = name.ends_with(Screen);
  if (is_screen) name.remove_suffix(Screen.size());
  return {std::string(name), is_screen ? Content::Screen : Content::Camera};
}

bool is_picture_name(const std::string* name) { return name && name->size() <= limits::NameCharacters; }

// A whole number; how large a large one is, and how far below nothing, does not matter.
std::optional<int> small_number_of(const json& value) {
  constexpr double Most = 1 << 16;
  if (!value.is_number_integer()) return std::nullopt;
  return static_cast<int>(std::clamp(value.get<double>(), double{conference::ReceiverWishes::NoLimit}, Most));
}

// False when the field is there and no list of pictures.
bool take_pictures(const json& object, const char* field, std::vector<ReceiveMessage::Picture>& into) {
  const auto found = object.find(field);
  if (found == object.end()) return true;
  if (!found->is_array() || found->size() > limits::PicturesNamedPerWish) return false;
  for (const json& name : *found) {
    const auto* text = name.get_ptr<const std::string*>();
    if (!is_picture_name(text)) return false;
    into.push_back(picture_of(*text));
  }
  return true;
}

bool take_heights(const json& object, ReceiveMessage& receive) {
  const auto found = object.find("max_heights");
  if (found == object.end()) return true;
  if (!found->is_object() || found->size() > limits::PicturesNamedPerWish) return false;
  for (const auto& [name, value] : found->items()) {
    const std::optional<int> height = small_number_of(value);
    if (!is_picture_name(&name) || !height) return false;
    receive.max_heights.emplace_back(picture_of(name), *height);
  }
  return true;
}

ClientMessage parse_receive(const json& object) {
  ReceiveMessage receive;
  for (const auto& [field, into] :
       {std::pair{"on_stage", &receive.on_stage}, std::pair{"selected", &receive.selected}}) {
    if (!take_pictures(object, field, *into))
      return bad_field("'" + std::string(field) + "' must be an array of at most 64 names of pictures");
  }
  if (!take_heights(object, receive))
    return bad_field("'max_heights' must be an object of at most 64 names of pictures, each with a whole number");
  if (const auto height = object.find("max_height"); height != object.end()) {
    const std::optional<int> value = small_number_of(*height);
    if (!value) return bad_field("'max_height' must be a whole number");
    receive.max_height = *value;
  }
  if (const auto last_n = object.find("last_n"); last_n != object.end() && !last_n->is_null()) {
    const std::optional<int> value = small_number_of(*last_n);
    if (!value) return bad_field("'last_n' must be a whole number");
    if (*value >= 0) receive.last_n = static_cast<uint32_t>(*value);
  }
  return receive;
}

ClientMessage parse_e2ee(const json& object) {
  const std::optional<bool> wanted = find_bool(object, "wanted");
  if (!wanted) return bad_field(must_be_boolean("wanted"));
  return E2eeMessage{*wanted};
}

ClientMessage parse_declare(const json& object) {
  const std::optional<bool> e2ee = find_bool(object, "e2ee");
  if (!e2ee) return bad_field(must_be_boolean("e2ee"));
  return DeclareMessage{*e2ee};
}

bool is_protection_text(std::string_view text) {
  return text.size() <= limits::ProtectionTextBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// What a browser does not tell may be left out.
ClientMessage parse_direct(const json& object) {
  const std::optional<bool> active = find_bool(object, "active");
  if (!active) return bad_field(must_be_boolean("active"));
  DirectMessage direct{*active, {}};
  const auto found = object.find("protection");
  if (found == object.end()) return direct;
  if (!found->is_object()) return bad_field("'protection' must be an object");
  DirectProtection& p = direct.protection;
  for (const auto& [field, into] :
       {std::pair{"dtls_version", &p.dtls_version}, std::pair{"dtls_cipher", &p.dtls_cipher},
        std::pair{"srtp_profile", &p.srtp_profile},
        std::pair{"local_fingerprint", &p.local_fingerprint},
        std::pair{"remote_fingerprint", &p.remote_fingerprint}}) {
    if (!found->contains(field)) continue;
    const std::string* text = find_string(*found, field);
    if (!text || !is_protection_text(*text)) {
      return bad_field("'" + std::string(field) +
                       "' must be a string of at most 128 printable ASCII characters");
    }
    *into = *text;
  }
  return direct;
}

ClientMessage parse_relay(const json& object) {
  const auto to = object.find("to");
  if (object.contains("all") == (to != object.end()))
    return bad_field("a relay must have either 'all' or 'to'");
  RelayMessage relay;
  if (to == object.end()) {
    const std::string* text = find_string(object, "all");
    if (!text || text->size() > limits::RelayToAllBytes)
      return bad_field("'all' must be a string of at most 4096 bytes");
    relay.all = *text;
    return relay;
  }
  if (!to->is_object() || to->size() > limits::EndpointsPerConference)
    return bad_field("'to' must be an object of at most 500 participants");
  size_t bytes = 0;
  for (const auto& [participant, data] : to->items()) {
    const auto* text = data.get_ptr<const std::string*>();
    bytes += text ? text->size() : 0;
    if (!text || bytes > limits::RelayBytes)
      return bad_field("'to' must have a string for each participant, 65536 bytes in all");
    relay.to.emplace(participant, *text);
  }
  return relay;
}

using Parser = ClientMessage (*)(const json&);
constexpr std::pair<std::string_view, Parser> Parsers[] = {
    {"join", parse_join},
    {"resume", parse_resume},
    {"offer", parse_offer},
    {"restart", parse_restart},
    {"mute", parse_mute},
    {"receive", parse_receive},
    {"e2ee", parse_e2ee},
    {"declare", parse_declare},
    {"direct", parse_direct},
    {"relay", parse_relay},
    {"privacy", [](const json&) -> ClientMessage { return PrivacyMessage{}; }},
    {"leave", [](const json&) -> ClientMessage { return LeaveMessage{}; }}};

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
  for (const auto& [name, parse] : Parsers) {
    if (*type == name) return parse(object);
  }
  return Refusal{"unknown-type", "this bridge knows no message of that 'type'", false};
}

}  // namespace viaduct::control
