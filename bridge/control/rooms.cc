#include "control/rooms.h"

#include <algorithm>

#include "base/log.h"
#include "control/negotiation.h"
#include "limits.h"

namespace viaduct::control {
namespace {

using codec::MediaKind;
using conference::ConferenceId;
using conference::EndpointId;
using conference::GoneReason;

size_t index_of(MediaKind kind) { return static_cast<size_t>(kind); }

Refusal refusal_of(GoneReason reason) {
  switch (reason) {
    case GoneReason::ConsentLost:
      return {"connection-lost", "the media connection has been silent for too long", true};
    case GoneReason::HandshakeFailed:
      return {"connection-failed", "the encryption of media could not be agreed on", true};
    case GoneReason::HandshakeTimeout:
      return {"connection-failed", "no media connection came about", true};
    case GoneReason::PeerClosed:
      return {"connection-closed", "the client closed its media connection", true};
    case GoneReason::Refused:
      return {"bridge-full", "the bridge has no room for more participants", true};
  }
  return {"connection-lost", "the media connection ended", true};
}

}  // namespace

Rooms::Rooms(const Settings& settings, const TokenVerifier& tokens,
             std::vector<WorkerLink>& workers, Random& random, ControlMetrics& metrics)
    : settings_(settings), tokens_(tokens), workers_(workers), random_(random), metrics_(metrics) {}

// Sockets.

void Rooms::handle_opened(SocketId socket, Timestamp now) {
  auto peer = std::make_unique<Peer>();
  peer->socket = socket;
  peer->since = now;
  peers_.emplace(socket, std::move(peer));
  show_totals();
}

void Rooms::handle_message(SocketId socket, std::string_view text, Timestamp now, Duration wall) {
  const auto found = peers_.find(socket);
  if (found == peers_.end()) return;  // its final error is on the way
  Peer& peer = *found->second;

  const ClientMessage message = parse_message(text);
  if (const auto* refusal = std::get_if<Refusal>(&message)) {
    refuse(peer, *refusal);
  } else if (const auto* join = std::get_if<JoinMessage>(&message)) {
    handle(peer, *join, now, wall);
  } else if (!peer.room) {
    refuse(peer, {"not-joined", "join a conference first", false});
  } else if (const auto* offer = std::get_if<OfferMessage>(&message)) {
    handle(peer, *offer, now);
  } else if (const auto* mute = std::get_if<MuteMessage>(&message)) {
    handle(peer, *mute);
  } else {
    outgoing_.push_back({socket, nullptr, close_code::Normal});
    forget(socket, /*tell_worker=*/true);
  }
}

void Rooms::handle_closed(SocketId socket) { forget(socket, /*tell_worker=*/true); }

void Rooms::handle_timers(Timestamp now) {
  std::vector<Peer*> late;
  for (const auto& [socket, peer] : peers_) {
    const bool waits = !peer->room || !peer->offered;
    if (waits && now - peer->since > (peer->room ? OfferTimeout : JoinTimeout))
      late.push_back(peer.get());
  }
  for (Peer* peer : late) {
    metrics_.lost_participants["join-timeout"].add();
    end(*peer, {"join-timeout", peer->room ? "no offer came" : "no join came", true},
        /*tell_worker=*/false);
  }
}

void Rooms::drain() {
  const auto text = std::make_shared<const std::string>(
      write_error({"shutting-down", "the bridge is shutting down", true}));
  for (const auto& [socket, peer] : peers_)
    outgoing_.push_back({socket, text, close_code::GoingAway});
  peers_.clear();
  endpoints_.clear();
  rooms_by_number_.clear();
  rooms_.clear();
  for (WorkerLink& worker : workers_) worker.participants = worker.conferences = 0;
  show_totals();
}

// Messages of a client.

void Rooms::handle(Peer& peer, const JoinMessage& join, Timestamp now, Duration wall) {
  if (peer.room)
    return refuse(peer, {"already-joined", "this socket is in a conference already", false});

  std::string name = join.name;
  if (join.token.empty() && tokens_.required()) {
    return refuse_join(peer, "token-required", "this bridge admits only people with a token");
  }
  if (!join.token.empty() && tokens_.has_key()) {
    const Result<TokenClaims> claims = tokens_.verify(join.token, wall);
    if (!claims) return refuse_join(peer, "token-invalid", claims.error().text);
    if (!claims->allows(join.conference))
      return refuse_join(peer, "token-invalid", "the token is for another conference");
    if (claims->name) name = *claims->name;
  }
  if (name.empty()) return refuse_join(peer, "bad-field", "'name' is missing");

  Room* room = find_or_open_room(join.conference);
  if (!room)
    return refuse_join(peer, "bridge-full",
                       "the bridge has no room for more participants or conferences");
  if (room->people.size() >= settings_.limits.participants_per_conference) {
    return refuse_join(peer, "conference-full", "the conference is full");
  }

  JoinedView joined{
      random_id(random_), room->name, settings_.audio_slots, settings_.video_slots, {}};
  for (const Peer* other : room->people) joined.participants.push_back(view_of(*other));
  peer.room = room;
  peer.id = joined.participant;
  peer.name = std::move(name);
  peer.endpoint = EndpointId{++last_endpoint_};
  peer.since = now;
  endpoints_.emplace(peer.endpoint, &peer);
  room->people.push_back(&peer);
  ++workers_[room->worker].participants;

  send(peer, write_joined(joined));
  send_to_others(peer, write_participant_joined(view_of(peer)));
  metrics_.joins["joined"].add();
  show_totals();
  log::info("participant {} joined conference {}, worker {}, {} present", peer.id, room->id,
            room->worker, room->people.size());
}

void Rooms::handle(Peer& peer, const OfferMessage& message, Timestamp now) {
  if (peer.offered) return refuse(peer, {"already-offered", "a client offers once", false});

  const Result<sdp::Offer> offer = sdp::parse_offer(message.sdp);
  if (!offer) return refuse(peer, {"offer-refused", offer.error().text, true});
  Room& room = *peer.room;
  Result<Negotiation> negotiation =
      negotiate(*offer, settings_, room.worker, peer.endpoint, peer.name, random_);
  if (!negotiation) return refuse(peer, {"offer-refused", negotiation.error().text, true});

  const std::string answer =
      sdp::write_answer(*offer, negotiation->answer, settings_.video_preference);
  for (const MediaKind kind : {MediaKind::Audio, MediaKind::Video})
    peer.sends[index_of(kind)] = negotiation->sends(kind);
  conference::Command add =
      conference::AddEndpoint{room.number, room.name, std::move(negotiation->endpoint), room.e2ee};
  WorkerLink& worker = workers_[room.worker];
  if (!worker.try_send(std::move(add)))
    return refuse(peer, {"busy", "the bridge is too busy now; try again", true});
  peer.offered = true;
  peer.signalling = now - peer.since;
  metrics_.signalling_seconds.observe(to_seconds(peer.signalling));
  for (const MediaKind kind : {MediaKind::Audio, MediaKind::Video}) {
    // What was muted before the offer. If the ring is full just now, it waits there like every
    // command that must arrive.
    if (peer.muted[index_of(kind)]) worker.send(conference::SetMuted{peer.endpoint, kind, true});
  }

  send(peer, write_answer(answer));
  if (!room.video_codecs.empty()) send(peer, write_codecs(room.video_codecs));
  if (room.speaker) send(peer, write_speaker(public_id(room.speaker)));
  if (!peer.sends[0] || !peer.sends[1])
    send_to_others(peer, write_participant_changed(view_of(peer)));
}

void Rooms::handle(Peer& peer, const MuteMessage& mute) {
  bool& muted = peer.muted[index_of(mute.kind)];
  if (muted == mute.muted) return;
  if (peer.offered && !workers_[peer.room->worker].try_send(
                          conference::SetMuted{peer.endpoint, mute.kind, mute.muted})) {
    return refuse(peer, {"busy", "the bridge is too busy now; try again", false});
  }
  muted = mute.muted;
  send_to_others(peer, write_participant_changed(view_of(peer)));
}

// Reports of a worker. An endpoint that is not known any more has left while the report was under
// way.

void Rooms::handle_report(const conference::Report& report, Timestamp now) {
  if (const auto* r = std::get_if<conference::EndpointConnected>(&report)) handle(*r, now);
  if (const auto* r = std::get_if<conference::EndpointGone>(&report)) handle(*r);
  if (const auto* r = std::get_if<conference::SlotsChanged>(&report)) handle(*r);
  if (const auto* r = std::get_if<conference::SpeakerChanged>(&report)) handle(*r);
  if (const auto* r = std::get_if<conference::CodecsChanged>(&report)) handle(*r);
}

void Rooms::handle(const conference::EndpointConnected& report, Timestamp now) {
  const Peer* peer = find_peer(report.endpoint);
  if (!peer) return;
  metrics_.ice_seconds.observe(to_seconds(report.ice));
  metrics_.dtls_seconds.observe(to_seconds(report.dtls));
  metrics_.total_seconds.observe(to_seconds(now - peer->since));
  log::info("participant {} is connected: signalling {} ms, ice {} ms, dtls {} ms", peer->id,
            to_ms(peer->signalling), to_ms(report.ice), to_ms(report.dtls));
}

void Rooms::handle(const conference::EndpointGone& report) {
  Peer* peer = find_peer(report.endpoint);
  if (!peer) return;
  const Refusal refusal = refusal_of(report.reason);
  metrics_.lost_participants[refusal.code].add();
  log::info("participant {} lost its media connection: {}", peer->id, to_string(report.reason));
  end(*peer, refusal, /*tell_worker=*/false);
}

void Rooms::handle(const conference::SlotsChanged& report) {
  const Peer* peer = find_peer(report.endpoint);
  if (!peer) return;
  std::vector<SlotView> slots;
  for (const auto& s : report.slots) slots.push_back({s.mid, s.kind, public_id(s.carries)});
  std::vector<UndecodableView> undecodable;
  for (const auto& u : report.undecodable) {
    if (auto id = public_id(u.endpoint)) undecodable.push_back({std::move(*id), u.codec});
  }
  send(*peer, write_slots(slots, undecodable));
}

void Rooms::handle(const conference::SpeakerChanged& report) {
  Room* room = find_room(report.conference);
  if (!room) return;
  room->speaker = report.speaker;
  const std::string text = write_speaker(public_id(report.speaker));
  for (const Peer* peer : room->people) {
    if (peer->offered) send(*peer, text);
  }
}

void Rooms::handle(const conference::CodecsChanged& report) {
  Room* room = find_room(report.conference);
  if (!room) return;
  room->video_codecs = report.video;
  const std::string text = write_codecs(report.video);
  for (const Peer* peer : room->people) {
    if (peer->offered) send(*peer, text);
  }
}

// Coming and going.

Rooms::Room* Rooms::find_or_open_room(const std::string& name) {
  if (endpoints_.size() >= settings_.limits.participants) return nullptr;
  if (const auto found = rooms_.find(name); found != rooms_.end()) {
    const bool full = workers_[found->second->worker].participants >= limits::EndpointsPerWorker;
    return full ? nullptr : found->second.get();
  }
  const std::optional<size_t> worker = pick_worker();
  if (!worker || rooms_.size() >= settings_.limits.conferences) return nullptr;
  auto room = std::make_unique<Room>();
  room->id = random_id(random_);
  room->name = name;
  room->number = ConferenceId{++last_conference_};
  room->worker = *worker;
  ++workers_[*worker].conferences;
  rooms_by_number_.emplace(room->number, room.get());
  return rooms_.emplace(name, std::move(room)).first->second.get();
}

// The worker with the fewest participants that still has room.
std::optional<size_t> Rooms::pick_worker() const {
  std::optional<size_t> best;
  for (size_t i = 0; i < workers_.size(); ++i) {
    const WorkerLink& w = workers_[i];
    if (w.participants >= limits::EndpointsPerWorker ||
        w.conferences >= limits::ConferencesPerWorker)
      continue;
    if (!best || w.participants < workers_[*best].participants) best = i;
  }
  return best;
}

void Rooms::leave_room(Peer& peer, bool tell_worker) {
  Room& room = *peer.room;
  WorkerLink& worker = workers_[room.worker];
  if (tell_worker && peer.offered) worker.send(conference::RemoveEndpoint{peer.endpoint});
  send_to_others(peer, write_participant_left(peer.id));
  std::erase(room.people, &peer);
  endpoints_.erase(peer.endpoint);
  --worker.participants;
  peer.room = nullptr;
  log::info("participant {} left conference {}, {} present", peer.id, room.id, room.people.size());
  if (!room.people.empty()) return;
  --worker.conferences;
  rooms_by_number_.erase(room.number);
  rooms_.erase(rooms_.find(room.name));
}

void Rooms::forget(SocketId socket, bool tell_worker) {
  const auto found = peers_.find(socket);
  if (found == peers_.end()) return;
  if (found->second->room) leave_room(*found->second, tell_worker);
  peers_.erase(found);
  show_totals();
}

// Views.

ParticipantView Rooms::view_of(const Peer& peer) const {
  return {peer.id, peer.name, peer.muted[0] || !peer.sends[0], peer.muted[1] || !peer.sends[1]};
}

std::optional<std::string> Rooms::public_id(std::optional<EndpointId> endpoint) const {
  const Peer* peer = endpoint ? find_peer(*endpoint) : nullptr;
  return peer ? std::optional(peer->id) : std::nullopt;
}

Rooms::Peer* Rooms::find_peer(EndpointId endpoint) const {
  const auto found = endpoints_.find(endpoint);
  return found == endpoints_.end() ? nullptr : found->second;
}

Rooms::Room* Rooms::find_room(ConferenceId number) const {
  const auto found = rooms_by_number_.find(number);
  return found == rooms_by_number_.end() ? nullptr : found->second;
}

std::vector<RoomView> Rooms::views() const {
  std::vector<RoomView> views;
  for (const auto& [name, room] : rooms_) {
    RoomView& view =
        views.emplace_back(RoomView{room->id, room->name, room->number, room->worker, {}});
    for (const Peer* p : room->people)
      view.people.push_back({p->id, p->name, p->endpoint, p->offered});
  }
  std::sort(views.begin(), views.end(),
            [](const RoomView& a, const RoomView& b) { return a.number < b.number; });
  return views;
}

std::optional<RoomView> Rooms::find(std::string_view name_or_id) const {
  std::optional<RoomView> by_id;
  for (RoomView& view : views()) {
    if (view.name == name_or_id) return std::move(view);
    const bool inside = std::any_of(view.people.begin(), view.people.end(),
                                    [&](const auto& p) { return p.id == name_or_id; });
    if (view.id == name_or_id || inside) by_id = std::move(view);
  }
  return by_id;
}

// Sending.

void Rooms::send(const Peer& peer, std::string text) {
  outgoing_.push_back({peer.socket, std::make_shared<const std::string>(std::move(text))});
}

void Rooms::send_to_others(const Peer& peer, std::string text) {
  const auto shared = std::make_shared<const std::string>(std::move(text));
  for (const Peer* other : peer.room->people) {
    if (other != &peer) outgoing_.push_back({other->socket, shared});
  }
}

void Rooms::refuse(Peer& peer, const Refusal& refusal) {
  metrics_.refused_messages[refusal.code].add();
  if (refusal.final) return end(peer, refusal, /*tell_worker=*/true);
  send(peer, write_error(refusal));
}

void Rooms::refuse_join(Peer& peer, std::string_view code, std::string text) {
  metrics_.joins[code].add();
  log::info("a join was refused: {}", code);
  end(peer, {code, std::move(text), true}, /*tell_worker=*/false);
}

// `peer` is gone afterwards.
void Rooms::end(Peer& peer, const Refusal& refusal, bool tell_worker) {
  outgoing_.push_back({peer.socket, std::make_shared<const std::string>(write_error(refusal)),
                       close_code::FinalError});
  forget(peer.socket, tell_worker);
}

void Rooms::show_totals() {
  metrics_.sockets.set(static_cast<int64_t>(peers_.size()));
  metrics_.participants.set(static_cast<int64_t>(endpoints_.size()));
  metrics_.conferences.set(static_cast<int64_t>(rooms_.size()));
}

}  // namespace viaduct::control
