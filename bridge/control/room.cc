#include "control/room.h"

#include "protocol/dtls/certificate.h"

namespace viaduct::control {
namespace {

using conference::EndpointId;

}  // namespace

Room::Room(const Surroundings& around, std::string id, std::string name,
           conference::ConferenceId number, conference::E2eePolicy policy)
    : around_(around),
      id_(std::move(id)),
      name_(std::move(name)),
      number_(number),
      e2ee_(policy) {
  around_.metrics.conferences_with(e2ee_).add(1);
}

Room::~Room() {
  for (const Peer* peer : people_)
    around_.metrics.participants_declaring(peer->e2ee.declared).add(-1);
  if (counts_as_direct_) around_.metrics.direct_conferences.add(-1);
  around_.metrics.conferences_with(e2ee_).add(-1);
}

// Coming and going.

void Room::add(Peer& peer, bool requires_e2ee) {
  forget_direct();  // a third ends what two had between them
  const bool raised = requires_e2ee && !e2ee_.required;
  if (raised) {
    set_policy({.wanted = true, .required = true});
    command_all(conference::SetE2eePolicy{number_, e2ee_});
  }

  peer.room = this;
  people_.push_back(&peer);
  by_endpoint_.emplace(peer.endpoint, &peer);
  by_id_.emplace(peer.id, &peer);
  around_.metrics.participants_declaring(false).add(1);

  around_.outbox.send(peer.socket, write_joined(joined_view(peer)));
  send_to_others(peer, write_participant_joined(view_of(peer)));
  if (raised) send_to_others(peer, write_e2ee(e2ee_, peer.id));
}

void Room::remove(Peer& peer) {
  send_to_others(peer, write_participant_left(peer.id));
  std::erase(people_, &peer);
  if (peer.offered) {
    for (const size_t worker : offered_workers()) {
      if (worker != peer.worker) end_relay(peer, worker);
    }
    end_relay_of_others_to(peer.worker);
  }
  by_endpoint_.erase(peer.endpoint);
  by_id_.erase(peer.id);
  around_.metrics.participants_declaring(peer.e2ee.declared).add(-1);
  peer.room = nullptr;
  peer.direct.reset();
  forget_direct();
}

void Room::tell_anew(Peer& peer) {
  around_.outbox.send(peer.socket, write_resumed(joined_view(peer)));
  tell_conference(peer);
  if (peer.told.slots) tell_slots(peer);
  for (const conference::LayersWanted& wanted : peer.told.layers)
    around_.outbox.send(peer.socket, write_send(wanted));
  if (const auto& network = peer.told.network)
    around_.outbox.send(peer.socket, write_network(network->available, network->wanted));
  for (const codec::MediaKind kind : {codec::MediaKind::Audio, codec::MediaKind::Video})
    around_.outbox.send(peer.socket, write_held_back(kind, peer.e2ee.held_back(kind)));
}

void Room::tell_conference(const Peer& peer) {
  if (!video_codecs_.empty()) around_.outbox.send(peer.socket, write_codecs(video_codecs_));
  if (speaker_) around_.outbox.send(peer.socket, write_speaker(public_id(speaker_)));
  if (!recent_speakers_.empty()) around_.outbox.send(peer.socket, recent_speakers());
}

void Room::handle_offered(Peer& peer) {
  tell_conference(peer);
  if (!peer.sends[0] || !peer.sends[1]) tell_change_of(peer);
}

// What somebody says.

std::optional<Refusal> Room::handle(Peer& peer, const ClientMessage& message) {
  if (const auto* mute = std::get_if<MuteMessage>(&message)) return handle(peer, *mute);
  if (const auto* receive = std::get_if<ReceiveMessage>(&message)) return handle(peer, *receive);
  if (const auto* e2ee = std::get_if<E2eeMessage>(&message)) return handle(peer, *e2ee);
  if (const auto* declare = std::get_if<DeclareMessage>(&message)) return handle(peer, *declare);
  if (const auto* direct = std::get_if<DirectMessage>(&message)) handle(peer, *direct);
  if (const auto* relay = std::get_if<RelayMessage>(&message)) handle(peer, *relay);
  return std::nullopt;
}

std::optional<Refusal> Room::handle(Peer& peer, const MuteMessage& mute) {
  bool& muted = peer.muted[index_of({mute.kind, mute.content})];
  if (muted == mute.muted) return std::nullopt;
  if (peer.offered) {
    if (auto busy = command(conference::SetMuted{peer.endpoint, mute.kind, mute.muted, mute.content}))
      return busy;
  }
  muted = mute.muted;
  tell_change_of(peer);
  return std::nullopt;
}

// What the worker tells.

void Room::handle(Peer& peer, const conference::SlotsChanged& report) {
  peer.told.slots = report;
  tell_slots(peer);
}

void Room::tell_slots(const Peer& peer) {
  std::vector<SlotView> slots;
  for (const auto& s : peer.told.slots->slots)
    slots.push_back({s.mid, s.kind, public_id(s.carries), s.content, s.paused});
  std::vector<UndecodableView> undecodable;
  for (const auto& u : peer.told.slots->undecodable) {
    if (auto id = public_id(u.endpoint)) undecodable.push_back({std::move(*id), u.codec});
  }
  around_.outbox.send(peer.socket, write_slots(slots, undecodable));
}

void Room::handle(const conference::SpeakerChanged& report) {
  speaker_ = report.speaker;
  send_to_offered(write_speaker(public_id(speaker_)));
}

void Room::handle(const conference::CodecsChanged& report) {
  video_codecs_ = report.video;
  send_to_offered(write_codecs(video_codecs_));
}

// Views.

RoomView Room::view() const {
  const dtls::Fingerprint own{around_.settings.fingerprint_algorithm, around_.settings.fingerprint};
  RoomView view{id_, name_, number_, workers(), {}, e2ee_, own.to_string()};
  for (const Peer* peer : people_) {
    view.people.push_back(
        {peer->id, peer->name, peer->endpoint, peer->offered, view_of(*peer).e2ee, peer->direct,
         peer->worker, peer->mixed, peer->away_since.has_value()});
  }
  return view;
}

JoinedView Room::joined_view(const Peer& peer) const {
  const Settings& settings = around_.settings;
  // A mix is made by the bridge, so media of who hears one goes by way of it.
  JoinedView joined{.participant = peer.id,
                    .conference = name_,
                    .audio_slots = peer.mixed ? 1 : settings.audio_slots,
                    .video_slots = settings.video_slots,
                    .participants = {},
                    .e2ee = e2ee_,
                    .direct_allowed = settings.direct_allowed && !peer.mixed,
                    .ice_servers = settings.ice_servers,
                    .mixed = peer.mixed,
                    .resume = peer.resume};
  for (const Peer* other : people_) {
    if (other != &peer) joined.participants.push_back(view_of(*other));
  }
  return joined;
}

ParticipantView Room::view_of(const Peer& peer) const {
  return {peer.id,
          peer.name,
          peer.muted[0] || !peer.sends[0],
          peer.muted[1] || !peer.sends[1],
          {peer.e2ee.capable, peer.e2ee.declared, peer.e2ee.verdict()},
          peer.direct.has_value(),
          peer.mixed,
          peer.shows_screen && !peer.muted[index_of({codec::MediaKind::Video, conference::Content::Screen})]};
}

// Empty for nobody, and for somebody who has just left.
std::optional<std::string> Room::public_id(std::optional<EndpointId> endpoint) const {
  const auto found = endpoint ? by_endpoint_.find(*endpoint) : by_endpoint_.end();
  return found == by_endpoint_.end() ? std::nullopt : std::optional(found->second->id);
}

// Sending.

void Room::send_to_all(std::string text) {
  const auto shared = std::make_shared<const std::string>(std::move(text));
  for (const Peer* peer : people_) around_.outbox.send(peer->socket, shared);
}

void Room::send_to_offered(std::string text) {
  const auto shared = std::make_shared<const std::string>(std::move(text));
  for (const Peer* peer : people_) {
    if (peer->offered) around_.outbox.send(peer->socket, shared);
  }
}

void Room::send_to_others(const Peer& peer, std::string text) {
  const auto shared = std::make_shared<const std::string>(std::move(text));
  for (const Peer* other : people_) {
    if (other != &peer) around_.outbox.send(other->socket, shared);
  }
}

}  // namespace viaduct::control
