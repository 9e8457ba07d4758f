#include "control/rooms.h"

#include <algorithm>

#include "base/log.h"
#include "control/negotiation.h"

namespace viaduct::control {
namespace {

using codec::MediaKind;
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
    : settings_(settings),
      tokens_(tokens),
      workers_(workers),
      random_(random),
      metrics_(metrics),
      around_rooms_{settings, workers, metrics, outbox_} {}

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
  } else if (const auto* resume = std::get_if<ResumeMessage>(&message)) {
    handle(peer, *resume, now);
  } else if (!peer.room) {
    refuse(peer, {"not-joined", "join a conference first", false});
  } else if (const auto* offer = std::get_if<OfferMessage>(&message)) {
    handle(peer, *offer, now);
  } else if (const auto* restart = std::get_if<RestartMessage>(&message)) {
    handle(peer, *restart);
  } else if (const auto* question = std::get_if<PrivacyMessage>(&message)) {
    handle(peer, *question, now);
  } else if (std::holds_alternative<LeaveMessage>(message)) {
    outbox_.close(socket, nullptr, close_code::Normal);
    forget(peer, /*tell_worker=*/true);
  } else if (const auto refused = peer.room->handle(peer, message)) {
    refuse(peer, *refused);
  } else if (std::holds_alternative<E2eeMessage>(message)) {
    end_mixes(*peer.room);
  }
}

// Of a conference that is encrypted now the bridge can mix no more; who wants to stay joins again
// without.
void Rooms::end_mixes(const Room& room) {
  if (!room.e2ee().sealed()) return;
  std::vector<Peer*> listeners;
  std::ranges::copy_if(room.people(), std::back_inserter(listeners), &Peer::mixed);
  for (Peer* peer : listeners) {
    metrics_.lost_participants["mix-needs-plaintext"].add();
    end(*peer,
        {"mix-needs-plaintext",
         "this conference is encrypted end to end now: the bridge cannot hear it to mix it", true},
        /*tell_worker=*/true);
  }
}

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
  end_away(now);
}

void Rooms::drain() {
  const auto text = std::make_shared<const std::string>(
      write_error({"shutting-down", "the bridge is shutting down", true}));
  for (const auto& [socket, peer] : peers_) outbox_.close(socket, text, close_code::GoingAway);
  rooms_by_number_.clear();
  rooms_.clear();
  endpoints_.clear();
  participants_.clear();
  peers_.clear();
  away_.clear();
  privacy_questions_.clear();
  for (WorkerLink& worker : workers_) 
    worker.participants = worker.relayed = worker.conferences = 0;
  show_totals();
}

// Messages of a client that change where it is; all others are for its room.

void Rooms::handle(Peer& peer, const OfferMessage& message, Timestamp now) {
  if (peer.offered) return refuse(peer, {"already-offered", "a client offers once", false});

  const Result<sdp::Offer> offer = sdp::parse_offer(message.sdp);
  if (!offer) return refuse(peer, {"offer-refused", offer.error().text, true});
  Room& room = *peer.room;
  Result<Negotiation> negotiation =
      negotiate(*offer, settings_, peer.worker, peer.endpoint, peer.name, peer.mixed, random_);
  if (!negotiation) return refuse(peer, {"offer-refused", negotiation.error().text, true});

  for (conference::SourceDescription& source : negotiation->endpoint->sources) {
    const bool is_screen = std::ranges::find(message.screens, source.mid) != message.screens.end();
    if (is_screen && source.kind == MediaKind::Video) source.content = conference::Content::Screen;
  }
  const std::string answer =
      sdp::write_answer(*offer, negotiation->answer, settings_.video_preference);
  for (const MediaKind kind : {MediaKind::Audio, MediaKind::Video})
    peer.sends[index_of(kind)] = negotiation->sends(kind);
  if (!room.offer(peer, std::move(negotiation->endpoint)))
    return refuse(peer, {"busy", "the bridge is too busy now; try again", true});
  peer.offered = true;
  peer.settled = settle(*offer, negotiation->answer);
  peer.signalling = now - peer.since;
  metrics_.signalling_seconds.observe(to_seconds(peer.signalling));
  outbox_.send(peer.socket, write_answer(answer));
  room.handle_offered(peer);
}

// An answer costs the worker a snapshot and may be long.
void Rooms::handle(Peer& peer, const PrivacyMessage&, Timestamp now) {
  if (peer.asked_privacy && now - *peer.asked_privacy < PrivacyInterval)
    return refuse(peer, {"busy", "this can be asked once a second", false});
  peer.asked_privacy = now;
  privacy_questions_.push_back(peer.socket);
}

const Room* Rooms::room_of(SocketId socket) const {
  const auto found = peers_.find(socket);
  return found == peers_.end() ? nullptr : found->second->room;
}

void Rooms::answer_privacy(SocketId socket, std::shared_ptr<const std::string> text) {
  const auto found = peers_.find(socket);
  if (found == peers_.end()) return;
  if (text) return outbox_.send(socket, std::move(text));
  refuse(*found->second, {"busy", "the bridge is too busy now; try again", false});
}

// Reports of a worker. An endpoint or a conference that is not known any more has ended while the
// report was under way.

void Rooms::handle_report(const conference::Report& report, Timestamp now) {
  std::visit(
      [&](const auto& r) {
        using T = std::decay_t<decltype(r)>;
        if constexpr (std::is_same_v<T, conference::EndpointConnected>) {
          handle(r, now);
        } else if constexpr (std::is_same_v<T, conference::EndpointGone>) {
          handle(r);
        } else if constexpr (requires { r.endpoint; }) {
          if (Peer* peer = find_peer(r.endpoint)) peer->room->handle(*peer, r);
        } else if constexpr (requires { r.conference; }) {
          const auto found = rooms_by_number_.find(r.conference);
          if (found != rooms_by_number_.end()) found->second->handle(r);
        }
      },
      report);
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

// Going.

void Rooms::leave_room(Peer& peer, bool tell_worker) {
  Room& room = *peer.room;
  WorkerLink& worker = workers_[peer.worker];
  if (tell_worker && peer.offered) worker.send(conference::RemoveEndpoint{peer.endpoint});
  room.remove(peer);
  endpoints_.erase(peer.endpoint);
  participants_.erase(peer.id);
  --worker.participants;
  log::info("participant {} left conference {}, {} present", peer.id, room.id(),
            room.people().size());
  if (room.people_on(peer.worker) == 0) --worker.conferences;
  if (!room.people().empty()) return;
  rooms_by_number_.erase(room.number());
  rooms_.erase(rooms_.find(room.name()));
}

// Takes it from those with a socket, or from those without. It is in one of the two.
std::unique_ptr<Peer> Rooms::release(Peer& peer) {
  return peer.away_since ? std::move(away_.extract(peer.id).mapped())
                         : std::move(peers_.extract(peer.socket).mapped());
}

// `peer` is gone afterwards.
void Rooms::forget(Peer& peer, bool tell_worker) {
  if (peer.room) leave_room(peer, tell_worker);
  release(peer);
  show_totals();
}

Peer* Rooms::find_peer(EndpointId endpoint) const {
  const auto found = endpoints_.find(endpoint);
  return found == endpoints_.end() ? nullptr : found->second;
}

Peer* Rooms::find_peer(const std::string& participant) const {
  const auto found = participants_.find(participant);
  return found == participants_.end() ? nullptr : found->second;
}

// Views.

std::vector<RoomView> Rooms::views() const {
  std::vector<RoomView> views;
  for (const auto& [name, room] : rooms_) views.push_back(room->view());
  std::sort(views.begin(), views.end(),
            [](const RoomView& a, const RoomView& b) { return a.number < b.number; });
  return views;
}

std::optional<RoomView> Rooms::find(std::string_view name_or_id) const {
  if (const auto named = rooms_.find(std::string(name_or_id)); named != rooms_.end())
    return named->second->view();
  for (const auto& [name, room] : rooms_) {
    const bool inside = std::any_of(room->people().begin(), room->people().end(),
                                    [&](const Peer* p) { return p->id == name_or_id; });
    if (room->id() == name_or_id || inside) return room->view();
  }
  return std::nullopt;
}

// Refusing.

void Rooms::refuse(Peer& peer, const Refusal& refusal) {
  metrics_.refused_messages[refusal.code].add();
  if (refusal.final) return end(peer, refusal, /*tell_worker=*/true);
  outbox_.send(peer.socket, write_error(refusal));
}

// `peer` is gone afterwards.
void Rooms::end(Peer& peer, const Refusal& refusal, bool tell_worker) {
  outbox_.close(peer.socket, std::make_shared<const std::string>(write_error(refusal)),
                close_code::FinalError);
  forget(peer, tell_worker);
}

void Rooms::show_totals() {
  metrics_.sockets.set(static_cast<int64_t>(peers_.size()));
  metrics_.participants.set(static_cast<int64_t>(endpoints_.size()));
  metrics_.participants_away.set(static_cast<int64_t>(away_.size()));
  metrics_.conferences.set(static_cast<int64_t>(rooms_.size()));
}

}  // namespace viaduct::control
