// What participants have to do with each other alone: what they relay, and their direct
// connections.
#include <algorithm>

#include "control/room.h"

namespace viaduct::control {

// Those who have gone meanwhile are left out: the sender learns of it by participant-left.
void Room::handle(Peer& peer, const RelayMessage& relay) {
  ControlMetrics::Relayed& count =
      relay.all ? around_.metrics.relayed_to_all : around_.metrics.relayed_to_some;
  count.messages.add();
  if (relay.all) {
    count.bytes.add(relay.all->size() * (people_.size() - 1));
    return send_to_others(peer, write_relay(peer.id, *relay.all));
  }
  for (const Peer* other : people_) {
    const auto found = relay.to.find(other->id);
    if (found == relay.to.end() || other == &peer) continue;
    count.bytes.add(found->second.size());
    around_.outbox.send(other->socket, write_relay(peer.id, found->second));
  }
}

// A third may have joined while the claim was under way: then it means nothing any more.
void Room::handle(Peer& peer, const DirectMessage& direct) {
  const bool possible = around_.settings.direct_allowed && people_.size() == 2 &&
                        std::ranges::none_of(people_, &Peer::mixed);
  if (!possible || (!direct.active && !peer.direct)) return;
  const bool was_active = peer.direct.has_value();
  peer.direct = direct.active ? std::optional(direct.protection) : std::nullopt;
  count_as_direct();
  if (was_active != direct.active) tell_change_of(peer);
}

void Room::forget_direct() {
  for (Peer* peer : people_) {
    if (!peer->direct) continue;
    peer->direct.reset();
    tell_change_of(*peer);
  }
  count_as_direct();
}

void Room::count_as_direct() {
  const bool counts =
      people_.size() == 2 && std::all_of(people_.begin(), people_.end(),
                                         [](const Peer* p) { return p->direct.has_value(); });
  around_.metrics.direct_conferences.add(static_cast<int64_t>(counts) -
                                         static_cast<int64_t>(counts_as_direct_));
  counts_as_direct_ = counts;
}

}  // namespace viaduct::control
