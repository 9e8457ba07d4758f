// The workers of a conference: one, or several among which its people are spread. What one of them
// is told of the conference all are told, and each learns of the people of the others.
#include <algorithm>

#include "control/room.h"

namespace viaduct::control {

std::vector<size_t> Room::workers() const {
  std::vector<size_t> workers;
  for (const Peer* p : people_) {
    if (std::ranges::find(workers, p->worker) == workers.end()) workers.push_back(p->worker);
  }
  return workers;
}

size_t Room::people_on(size_t worker) const {
  return static_cast<size_t>(
      std::ranges::count_if(people_, [&](const Peer* p) { return p->worker == worker; }));
}

std::vector<size_t> Room::offered_workers() const {
  std::vector<size_t> workers;
  for (const Peer* p : people_) {
    if (p->offered && std::ranges::find(workers, p->worker) == workers.end())
      workers.push_back(p->worker);
  }
  return workers;
}

// A worker hears of the others' people first, so that what it tells of the conference is right from
// the beginning.
bool Room::offer(Peer& peer, std::unique_ptr<conference::EndpointDescription> endpoint) {
  const std::vector<size_t> workers = offered_workers();
  const bool is_first_there = std::ranges::find(workers, peer.worker) == workers.end();
  WorkerLink& link = around_.workers[peer.worker];
  if (!link.flush()) return false;
  peer.relayed = relayed_description(*endpoint, static_cast<uint32_t>(peer.worker));
  if (is_first_there) relay_others_to(peer.worker);
  if (!link.try_send(conference::AddEndpoint{number_, name_, std::move(endpoint), e2ee_})) {
    if (is_first_there) end_relay_of_others_to(peer.worker);
    return false;
  }
  // If a ring is full just now, these wait like every command that must arrive.
  tell_of(peer, link);
  if (peer.wishes != conference::ReceiverWishes())
    link.send(conference::SetReceiverWishes{peer.endpoint, peer.wishes});
  for (const size_t worker : workers) {
    if (worker != peer.worker) relay(peer, worker);
  }
  return true;
}

// Nobody is told of a state that the workers do not have, and what waits for a worker stays
// bounded: while one is behind, clients are refused.
template <typename C>
std::optional<Refusal> Room::command(const C& command) {
  const std::vector<size_t> workers = offered_workers();
  const bool ready = std::ranges::all_of(
      workers, [&](size_t worker) { return around_.workers[worker].flush(); });
  if (workers.empty()) return std::nullopt;
  if (!ready || !around_.workers[workers.front()].try_send(C(command)))
    return Refusal{"busy", "the bridge is too busy now; try again", false};
  for (size_t i = 1; i < workers.size(); ++i) around_.workers[workers[i]].send(C(command));
  return std::nullopt;
}
template std::optional<Refusal> Room::command(const conference::SetMuted&);
template std::optional<Refusal> Room::command(const conference::DeclareE2ee&);
template std::optional<Refusal> Room::command(const conference::SetE2eePolicy&);

template <typename C>
void Room::command_all(const C& command) {
  for (const size_t worker : offered_workers()) around_.workers[worker].send(C(command));
}
template void Room::command_all(const conference::SetE2eePolicy&);

void Room::relay(const Peer& peer, size_t worker) {
  WorkerLink& link = around_.workers[worker];
  ++link.relayed;
  link.send(conference::AddEndpoint{
      number_, name_, std::make_unique<conference::EndpointDescription>(
                          relayed_description(peer.relayed, static_cast<uint32_t>(peer.worker))),
      e2ee_});
  tell_of(peer, link);
}

// What the client has said of what it sends.
void Room::tell_of(const Peer& peer, WorkerLink& link) {
  for (const Muteable& m : Muteables) {
    if (peer.muted[index_of(m)])
      link.send(conference::SetMuted{peer.endpoint, m.kind, true, m.content});
  }
  if (peer.e2ee.declared) link.send(conference::DeclareE2ee{peer.endpoint, true});
}

void Room::relay_others_to(size_t worker) {
  for (const Peer* p : people_) {
    if (p->offered && p->worker != worker) relay(*p, worker);
  }
}

void Room::end_relay(const Peer& peer, size_t worker) {
  --around_.workers[worker].relayed;
  around_.workers[worker].send(conference::RemoveEndpoint{peer.endpoint});
}

// Once nobody is left there to receive them.
void Room::end_relay_of_others_to(size_t worker) {
  const bool is_needed = std::ranges::any_of(
      people_, [&](const Peer* p) { return p->offered && p->worker == worker; });
  if (is_needed) return;
  for (const Peer* p : people_) {
    if (p->offered && p->worker != worker) end_relay(*p, worker);
  }
}

}  // namespace viaduct::control
