#include "conference/directory.h"

namespace viaduct::conference {

Handle<Endpoint> Directory::add(const AddEndpoint& command, Timestamp now) {
  const auto known = conference_by_id_.find(command.conference);
  Handle<Conference> where =
      known == conference_by_id_.end() ? Handle<Conference>{} : known->second;
  if (where && find(where)->members().size() == limits::EndpointsPerConference) return {};
  if (endpoints_.size() == endpoints_.capacity() || with_id(command.endpoint->id)) return {};
  if (!where) {
    where =
        conferences_.emplace(command.conference, command.conference_name, video_preference_, *this);
    if (!where) return {};
    conference_by_id_[command.conference] = where;
  }
  find(where)->set_e2ee_policy(command.e2ee);
  const Handle<Endpoint> h = endpoints_.emplace(*command.endpoint, where, random_, now);
  by_id_[command.endpoint->id] = h;
  find(where)->add(h);
  return h;
}

void Directory::remove(Handle<Endpoint> h, std::vector<Packet>& freed) {
  Endpoint* e = find(h);
  if (!e) return;
  Conference& c = conference_of(*e);
  c.remove(h);
  for (Source& source : e->sources) {
    for (Encoding& encoding : source.encodings) encoding.resend.expire(Never, freed);
  }
  by_id_.erase(e->id);
  const Handle<Conference> where = e->conference;
  endpoints_.erase(h);
  if (c.members().empty()) {
    conference_by_id_.erase(c.id);
    conferences_.erase(where);
  }
}

void Directory::begin_stream(Source& source, uint8_t encoding, uint32_t ssrc) {
  source.encodings[encoding].begin_stream(ssrc);
  for (const SlotRef& ref : source.receivers) {
    Subscription& slot = *find(ref);
    if (slot.selector.current() && slot.encoding() != encoding) continue;  // another one is forwarded
    slot.carry(slot.carries);  // the same source, whose numbers start anew
  }
  if (source.kind == codec::MediaKind::Video) source.encodings[encoding].key_frame.want();
}

uint8_t Directory::wanted_here(const Source& source) const {
  if (source.encodings.size() == 1) return source.is_received_here() ? 1 : 0;
  uint8_t wanted = 0;
  for (const SlotRef& ref : source.receivers) {
    const LayerSelector& selector = find(ref)->selector;
    for (uint8_t i = 0; i < source.encodings.size(); ++i)
      wanted = static_cast<uint8_t>(wanted | selector.may_want(i) << i);
  }
  return wanted;
}

namespace {

EncodingSnapshot snapshot_of(Encoding& e, Timestamp now) {
  return {.rid = e.rid,
          .ssrc = e.ssrc,
          .packets = e.meter.packets(),
          .bytes = e.meter.bytes(),
          .rate = e.meter.rate(now),
          .lost = static_cast<uint64_t>(std::max<int64_t>(e.stats.cumulative_lost(), 0)),
          .jitter = e.stats.jitter_time()};
}

SourceSnapshot snapshot_of(const Endpoint& e, Source& s, Timestamp now) {
  SourceSnapshot out{.kind = s.kind,
                     .mid = s.mid,
                     .content = s.content,
                     .codec = s.codec,
                     .muted = s.muted,
                     .declared_e2ee = e.declares_e2ee,
                     .observed = s.observed(),
                     .held_back = s.held_back};
  for (Encoding& encoding : s.encodings) {
    const EncodingSnapshot one = snapshot_of(encoding, now);
    out.packets += one.packets;
    out.bytes += one.bytes;
    out.rate = out.rate + one.rate;
    out.lost += one.lost;
    out.jitter = std::max(out.jitter, one.jitter);
    out.encodings.push_back(one);
  }
  for (const LayerInfo& rung : s.ladder.rungs()) out.layers.push_back(rung);
  return out;
}

// What is forwarded now, as far as its source says what that is.
std::optional<LayerInfo> shown_in(const Subscription& slot, const Directory& directory) {
  const auto layer = slot.selector.current();
  if (!layer || !slot.carries) return std::nullopt;
  const LayerInfo* known = directory.find(*slot.carries)->ladder.find(*layer);
  return known ? *known : LayerInfo{.layer = *layer};
}

EndpointSnapshot snapshot_of(Endpoint& e, const Directory& directory,
                             const dtls::Fingerprint& local, Timestamp now) {
  EndpointSnapshot out{.id = e.id, .name = e.name};
  const bool lost = e.connected() && !e.transport.ice.has_consent(now);
  out.state = lost ? "consent_lost" : to_string(e.transport.state);
  if (const auto to = e.transport.ice.destination()) out.remote_address = to->to_string();
  out.dtls_role = e.dtls_active ? "client" : "server";
  out.local_fingerprint = local.to_string();
  if (e.connected()) {
    out.dtls_version = e.transport.dtls.version;
    out.dtls_cipher = e.transport.dtls.cipher;
    out.dtls_group = e.transport.dtls.group;
    out.srtp_profile = srtp::to_string(e.transport.profile);
    out.remote_fingerprint = e.transport.dtls.remote.to_string();
  }
  out.round_trip = e.transport.round_trip;
  out.age = now - e.transport.created;
  out.available = e.available;
  out.wanted = e.demand;
  for (Source& s : e.sources) out.sources.push_back(snapshot_of(e, s, now));
  for (Subscription& s : e.slots) {
    SlotSnapshot slot{.kind = s.kind,
                      .mid = s.mid,
                      .ssrc = s.ssrc,
                      .packets = s.meter.packets(),
                      .bytes = s.meter.bytes(),
                      .rate = s.meter.rate(now),
                      .resent = s.resent,
                      .fraction_lost = s.fraction_lost,
                      .layer = shown_in(s, directory),
                      .paused = s.share.paused};
    if (s.carries) slot.carries = directory.find(s.carries->endpoint)->id;
    out.slots.push_back(std::move(slot));
  }
  return out;
}

}  // namespace

WorkerSnapshot Directory::snapshot(uint32_t worker, const dtls::Fingerprint& local, Timestamp now) {
  WorkerSnapshot out{.worker = worker};
  for_each_conference([&](Handle<Conference>, Conference& c) {
    ConferenceSnapshot one{.id = c.id,
                           .name = c.name,
                           .speaker = c.speaker(),
                           .video_codecs = c.video_codecs(),
                           .e2ee_wanted = c.e2ee_policy().wanted,
                           .e2ee_required = c.e2ee_policy().required};
    for (const Handle<Endpoint> m : c.members()) {
      Endpoint& e = *find(m);  // of relayed ones their own worker tells
      if (!e.is_relayed()) one.endpoints.push_back(snapshot_of(e, *this, local, now));
    }
    out.conferences.push_back(std::move(one));
  });
  return out;
}

}  // namespace viaduct::conference
