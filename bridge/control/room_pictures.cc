// Pictures between a client and its worker: what it wants of others', what others need of its own, and what its network
// has room for.
#include "control/room.h"

namespace viaduct::control {

std::optional<Refusal> Room::handle(Peer& peer, const ReceiveMessage& receive) {
  conference::ReceiverWishes wishes{.last_n = receive.last_n, .max_height = receive.max_height};
  for (const auto& [from, to] : {std::pair{&receive.on_stage, &wishes.on_stage},
                                 std::pair{&receive.selected, &wishes.selected}}) {
    for (const ReceiveMessage::Picture& picture : *from) {
      if (const auto known = find(picture)) to->push_back(*known);
    }
  }
  for (const auto& [picture, height] : receive.max_heights) {
    if (const auto known = find(picture)) wishes.max_heights.emplace_back(*known, height);
  }
  if (wishes == peer.wishes) return std::nullopt;
  if (peer.offered) {
    WorkerLink& link = around_.workers[peer.worker];
    if (!link.flush() || !link.try_send(conference::SetReceiverWishes{peer.endpoint, wishes}))
      return Refusal{"busy", "the bridge is too busy now; try again", false};
  }
  peer.wishes = std::move(wishes);
  return std::nullopt;
}

// Nothing for somebody who is not, or no longer, in this conference.
std::optional<conference::PictureName> Room::find(const ReceiveMessage::Picture& picture) const {
  const auto found = by_id_.find(picture.participant);
  if (found == by_id_.end()) return std::nullopt;
  return conference::PictureName{found->second->endpoint, picture.content};
}

void Room::handle(Peer& peer, const conference::LayersWanted& report) {
  peer.told.keep(report);
  around_.outbox.send(peer.socket, write_send(report));
}

void Room::handle(Peer& peer, const conference::NetworkMeasured& report) {
  peer.told.network = report;
  around_.outbox.send(peer.socket, write_network(report.available, report.wanted));
}

void Room::handle(Peer& peer, const conference::ScreenShown& report) {
  if (peer.shows_screen == report.shown) return;
  peer.shows_screen = report.shown;
  tell_change_of(peer);
}

void Room::handle(const conference::RecentSpeakersChanged& report) {
  recent_speakers_ = report.speakers;
  send_to_offered(recent_speakers());
}

std::string Room::recent_speakers() const {
  std::vector<std::string> ids;
  for (const conference::EndpointId who : recent_speakers_) {
    if (auto id = public_id(who)) ids.push_back(std::move(*id));
  }
  return write_recent_speakers(ids);
}

}  // namespace viaduct::control
