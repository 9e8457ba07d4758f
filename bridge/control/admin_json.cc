// The JSON of the admin API, from plain values.
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "control/admin.h"

namespace viaduct::control {
namespace {

using conference::EndpointId;
using nlohmann::ordered_json;
using Ids = std::unordered_map<EndpointId, std::string>;  // what participants are called in public

ordered_json public_id(const Ids& ids, std::optional<EndpointId> endpoint) {
  const auto found = endpoint ? ids.find(*endpoint) : ids.end();
  return found == ids.end() ? ordered_json(nullptr) : ordered_json(found->second);
}

ordered_json to_json(const conference::EncodingSnapshot& e) {
  return {{"rid", e.rid.empty() ? ordered_json(nullptr) : ordered_json(e.rid)},
          {"ssrc", e.ssrc ? ordered_json(*e.ssrc) : ordered_json(nullptr)},
          {"packets", e.packets},
          {"bytes", e.bytes},
          {"bits_per_second", e.rate.bits_per_second},
          {"lost", e.lost},
          {"jitter_seconds", to_seconds(e.jitter)}};
}

// A layer as streams call it, and what is known of it.
ordered_json to_json(const conference::LayerInfo& l) {
  const auto known = [](int value) { return value > 0 ? ordered_json(value) : ordered_json(nullptr); };
  return {{"encoding", l.layer.encoding},
          {"spatial", l.layer.id.spatial},
          {"temporal", l.layer.id.temporal},
          {"height", known(l.height)},
          {"frame_rate", known(l.frame_rate)},
          {"bits_per_second", l.rate.bits_per_second}};
}

ordered_json to_json(const conference::SourceSnapshot& s) {
  ordered_json layers = ordered_json::array();
  for (const conference::LayerInfo& l : s.layers) layers.push_back(to_json(l));
  ordered_json encodings = ordered_json::array();
  for (const conference::EncodingSnapshot& e : s.encodings) encodings.push_back(to_json(e));
  return {{"kind", codec::to_string(s.kind)},
          {"mid", s.mid},
          {"codec", s.codec ? ordered_json(codec::to_string(*s.codec)) : ordered_json(nullptr)},
          {"muted", s.muted},
          {"packets", s.packets},
          {"bytes", s.bytes},
          {"bits_per_second", s.rate.bits_per_second},
          {"lost", s.lost},
          {"jitter_seconds", to_seconds(s.jitter)},
          {"declared_e2ee", s.declared_e2ee},
          {"observed", conference::to_string(s.observed)},
          {"held_back", s.held_back == conference::HeldBack::No
                            ? ordered_json(nullptr)
                            : ordered_json(conference::to_string(s.held_back))},
          {"content", s.kind == codec::MediaKind::Video ? ordered_json(conference::to_string(s.content))
                                                        : ordered_json(nullptr)},
          {"encodings", std::move(encodings)},
          {"layers", std::move(layers)}};
}

ordered_json to_json(const conference::SlotSnapshot& s, const Ids& ids) {
  return {{"kind", codec::to_string(s.kind)},
          {"mid", s.mid},
          {"ssrc", s.ssrc},
          {"participant", public_id(ids, s.carries)},
          {"packets", s.packets},
          {"bytes", s.bytes},
          {"bits_per_second", s.rate.bits_per_second},
          {"resent", s.resent},
          {"fraction_lost", s.fraction_lost},
          {"layer", s.layer ? to_json(*s.layer) : ordered_json(nullptr)},
          {"paused", s.paused}};
}

// What protects this leg: its two ends are the fingerprints' owners.
ordered_json encryption_of(const conference::EndpointSnapshot& e) {
  return {{"dtls_role", e.dtls_role},
          {"dtls_version", e.dtls_version},
          {"dtls_cipher", e.dtls_cipher},
          {"dtls_group", e.dtls_group},
          {"srtp_profile", e.srtp_profile},
          {"remote_fingerprint", e.remote_fingerprint},
          {"local_fingerprint", e.local_fingerprint}};
}

ordered_json to_json(const RoomView::Person& person, const conference::EndpointSnapshot& e,
                     const Ids& ids) {
  ordered_json sources = ordered_json::array(), slots = ordered_json::array();
  for (const auto& s : e.sources) sources.push_back(to_json(s));
  for (const auto& s : e.slots) slots.push_back(to_json(s, ids));
  return {{"id", person.id},
          {"name", person.name},
          {"worker", person.worker},
          {"state", e.state},
          {"age_seconds", to_seconds(e.age)},
          {"remote_address", e.remote_address},
          {"local_address", e.local_address},
          {"round_trip_seconds",
           e.round_trip ? ordered_json(to_seconds(*e.round_trip)) : ordered_json(nullptr)},
          {"available_bits_per_second",
           e.available ? ordered_json(e.available->bits_per_second) : ordered_json(nullptr)},
          {"wanted_bits_per_second", e.wanted.bits_per_second},
          {"encryption", encryption_of(e)},
          {"e2ee",
           {{"capable", person.e2ee.capable},
            {"declared", person.e2ee.declared},
            {"verdict", to_string(person.e2ee.verdict)}}},
          {"direct", person.direct.has_value()},
          {"mixed", person.mixed},
          {"away", person.away},
          {"sources", std::move(sources)},
          {"slots", std::move(slots)}};
}

ordered_json to_json(const RoomView& room,
                     const std::vector<conference::WorkerSnapshot>& snapshots) {
  const auto parts = find_snapshots(room, snapshots);
  Ids ids;
  for (const RoomView::Person& person : room.people) ids.emplace(person.endpoint, person.id);
  std::unordered_map<EndpointId, const conference::EndpointSnapshot*> known;
  ordered_json codecs = ordered_json::array();
  for (const auto* part : parts) {
    for (const auto& e : part->endpoints) known.emplace(e.id, &e);
  }
  if (!parts.empty()) {
    for (const codec::CodecType c : parts.front()->video_codecs)
      codecs.push_back(codec::to_string(c));
  }
  ordered_json endpoints = ordered_json::array();
  for (const RoomView::Person& person : room.people) {
    const auto found = known.find(person.endpoint);
    endpoints.push_back(
        found != known.end()
            ? to_json(person, *found->second, ids)
            : ordered_json{{"id", person.id}, {"name", person.name}, {"state", "joining"}});
  }
  return {{"id", room.id},
          {"name", room.name},
          {"workers", room.workers},
          {"participants", room.people.size()},
          {"speaker",
           parts.empty() ? ordered_json(nullptr) : public_id(ids, parts.front()->speaker)},
          {"video_codecs", std::move(codecs)},
          {"e2ee", {{"wanted", room.e2ee.wanted}, {"required", room.e2ee.required}}},
          {"endpoints", std::move(endpoints)}};
}

// Names are UTF-8, checked when people joined; the rest is ASCII from the workers. Whatever slips
// through is replaced, not thrown at.
std::string dump(const ordered_json& value) {
  return value.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string write_conference_list(const std::vector<RoomView>& rooms,
                                  const std::vector<conference::WorkerSnapshot>& snapshots) {
  ordered_json all = ordered_json::array();
  for (const RoomView& room : rooms) all.push_back(to_json(room, snapshots));
  return dump({{"conferences", std::move(all)}});
}

std::string write_conference(const RoomView& room,
                             const std::vector<conference::WorkerSnapshot>& snapshots) {
  return dump(to_json(room, snapshots));
}

}  // namespace viaduct::control
