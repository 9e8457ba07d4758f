// The bridge's messages as JSON text.
#include <nlohmann/json.hpp>

#include "control/signalling.h"

namespace viaduct::control {
namespace {

using nlohmann::json;

json to_json(const ParticipantView& p) {
  return {{"id", p.id},
          {"name", p.name},
          {"audio", {{"muted", p.audio_muted}}},
          {"video", {{"muted", p.video_muted}}},
          {"e2ee",
           {{"capable", p.e2ee.capable},
            {"declared", p.e2ee.declared},
            {"verdict", to_string(p.e2ee.verdict)}}},
          {"direct", p.direct},
          {"mixed", p.mixed},
          {"screen", p.screen}};
}

json or_null(const std::optional<std::string>& text) { return text ? json(*text) : json(nullptr); }

std::string write(const char* type, const JoinedView& joined) {
  json others = json::array();
  for (const ParticipantView& p : joined.participants) others.push_back(to_json(p));
  return json{{"type", type},
              {"participant", joined.participant},
              {"conference", joined.conference},
              {"slots", {{"audio", joined.audio_slots}, {"video", joined.video_slots}}},
              {"e2ee", {{"wanted", joined.e2ee.wanted}, {"required", joined.e2ee.required}}},
              {"direct", {{"allowed", joined.direct_allowed}, {"ice_servers", joined.ice_servers}}},
              {"mixed", joined.mixed},
              {"resume", joined.resume.view()},
              {"features", {"receive", "layers"}},  // what a bridge without them would not understand
              {"participants", std::move(others)}}
      .dump();
}

}  // namespace

std::string write_joined(const JoinedView& joined) { return write("joined", joined); }
std::string write_resumed(const JoinedView& resumed) { return write("resumed", resumed); }

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
    const bool shows = s.participant && s.kind == codec::MediaKind::Video;
    all.push_back({{"mid", s.mid},
                   {"kind", codec::to_string(s.kind)},
                   {"participant", or_null(s.participant)},
                   {"content", shows ? json(conference::to_string(s.content)) : json(nullptr)},
                   {"paused", s.paused}});
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

std::string write_recent_speakers(const std::vector<std::string>& participants) {
  return json{{"type", "recent_speakers"}, {"participants", participants}}.dump();
}

std::string write_send(const conference::LayersWanted& wanted) {
  json layers = json::array();
  for (const auto& e : wanted.encodings)
    layers.push_back({{"rid", e.rid.empty() ? json(nullptr) : json(e.rid)}, {"wanted", e.wanted}});
  json source = {{"mid", wanted.source_mid}, {"layers", std::move(layers)}, {"max_height", wanted.max_height}};
  return json{{"type", "send"}, {"sources", json::array({std::move(source)})}}.dump();
}

std::string write_network(std::optional<DataRate> available, DataRate wanted) {
  return json{{"type", "network"},
              {"available", available ? json(available->bits_per_second) : json(nullptr)},
              {"wanted", wanted.bits_per_second}}
      .dump();
}

std::string write_codecs(const std::vector<codec::CodecType>& video) {
  json names = json::array();
  for (const codec::CodecType c : video) names.push_back(codec::to_string(c));
  return json{{"type", "codecs"}, {"video", std::move(names)}}.dump();
}

std::string write_e2ee(const conference::E2eePolicy& policy, std::string_view by) {
  return json{
      {"type", "e2ee"}, {"wanted", policy.wanted}, {"required", policy.required}, {"by", by}}
      .dump();
}

std::string write_relay(std::string_view from, std::string_view data) {
  return json{{"type", "relay"}, {"from", from}, {"data", data}}.dump();
}

std::string write_held_back(codec::MediaKind kind, conference::HeldBack reason) {
  json why = nullptr;
  if (reason != conference::HeldBack::No) why = conference::to_string(reason);
  return json{{"type", "held-back"}, {"kind", codec::to_string(kind)}, {"reason", why}}.dump();
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
