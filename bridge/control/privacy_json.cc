// The JSON of a privacy report. No addresses: participants get it, too.
#include <nlohmann/json.hpp>

#include "control/privacy.h"
#include "limits.h"

namespace viaduct::control {
namespace {

using nlohmann::ordered_json;

constexpr const char* Note =
    "What clients declare is their word, and what the bridge observes of their streams is "
    "evidence, "
    "not proof. What is said of direct connections are the clients' claims. Of media that crosses "
    "it the bridge sees, in every case, addresses, who sends and when, RTP headers with audio "
    "levels, sizes and times; and whoever serves the page decides what its code does.";

ordered_json readers(bool bridge_reads) {
  ordered_json names = ordered_json::array({"participants"});
  if (bridge_reads) names.push_back("bridge");
  return names;
}

ordered_json hop_of(const conference::EndpointSnapshot* e) {
  if (!e || e->dtls_version.empty()) return nullptr;
  return {{"dtls_version", e->dtls_version},
          {"dtls_group", e->dtls_group},
          {"dtls_cipher", e->dtls_cipher},
          {"srtp_profile", e->srtp_profile},
          {"participant_fingerprint", e->remote_fingerprint},
          {"bridge_fingerprint", e->local_fingerprint}};
}

ordered_json to_json(const std::optional<PrivacyReport::DirectClaim>& claim) {
  if (!claim) return nullptr;
  const DirectProtection& p = *claim->protection;
  return {
      {"dtls_version", p.dtls_version},
      {"dtls_cipher", p.dtls_cipher},
      {"srtp_profile", p.srtp_profile},
      {"local_fingerprint", p.local_fingerprint},
      {"remote_fingerprint", p.remote_fingerprint},
      {"claimed_by_both", claim->by_both},
      {"fingerprints_agree", claim->fingerprints_agree ? ordered_json(*claim->fingerprints_agree)
                                                       : ordered_json(nullptr)},
      {"media_at_bridge", claim->media_at_bridge}};
}

ordered_json to_json(const PrivacyReport::Stream& stream) {
  const conference::SourceSnapshot& s = *stream.source;
  return {{"kind", codec::to_string(s.kind)},
          {"mid", s.mid},
          {"codec", s.codec ? ordered_json(codec::to_string(*s.codec)) : ordered_json(nullptr)},
          {"declared", s.declared_e2ee},
          {"observed", conference::to_string(s.observed)},
          {"verdict", to_string(stream.verdict)},
          {"held_back", s.held_back == conference::HeldBack::No
                            ? ordered_json(nullptr)
                            : ordered_json(conference::to_string(s.held_back))},
          {"forwarded", stream.forwarded},
          {"readable_by", readers(stream.bridge_reads)},
          {"active", stream.active}};
}

ordered_json to_json(const PrivacyReport::Reception& r) {
  return {{"kind", codec::to_string(r.kind)},
          {"mid", r.mid ? ordered_json(*r.mid) : ordered_json(nullptr)},
          {"participant", r.from},
          {"path", to_string(r.path)},
          {"readable_by", readers(r.bridge_reads)},
          {"mixed", r.mixed}};
}

ordered_json to_json(const PrivacyReport::Participant& p, bool with_receives) {
  const RoomView::Person& person = *p.person;
  ordered_json sends = ordered_json::array(), receives = ordered_json::array();
  for (const auto& stream : p.sends) sends.push_back(to_json(stream));
  ordered_json out = {{"id", person.id},
                      {"name", person.name},
                      {"path", to_string(p.path)},
                      {"mixed", person.mixed},
                      {"hop", hop_of(p.endpoint)},
                      {"direct", to_json(p.direct)},
                      {"e2ee",
                       {{"capable", person.e2ee.capable},
                        {"declared", person.e2ee.declared},
                        {"verdict", to_string(person.e2ee.verdict)}}},
                      {"sends", std::move(sends)}};
  if (!with_receives) return out;
  for (const auto& reception : p.receives) receives.push_back(to_json(reception));
  out["receives"] = std::move(receives);
  return out;
}

ordered_json to_json(const PrivacyReport& report, bool with_receives) {
  const RoomView& room = *report.room;
  ordered_json participants = ordered_json::array();
  for (const auto& p : report.participants) participants.push_back(to_json(p, with_receives));
  return {{"conference", room.name},
          {"id", room.id},
          {"encryption", {{"wanted", room.e2ee.wanted}, {"required", room.e2ee.required}}},
          {"bridge",
           {{"fingerprint", room.bridge_fingerprint}, {"can_decrypt", report.bridge_can_decrypt}}},
          {"summary", report.summary},
          {"participants", std::move(participants)},
          {"note", Note}};
}

std::string dump_message(const PrivacyReport& report, bool with_receives) {
  return ordered_json{{"type", "privacy"}, {"report", to_json(report, with_receives)}}.dump(
      -1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace

std::string write_privacy(const PrivacyReport& report) {
  return to_json(report, true).dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string write_privacy_message(const PrivacyReport& report) {
  std::string text = dump_message(report, /*with_receives=*/true);
  return text.size() <= limits::PrivacyReportBytes ? text : dump_message(report, false);
}

}  // namespace viaduct::control
