// Joining: whom tokens and the configuration admit, and to which conference on which worker.
#include <algorithm>

#include "base/log.h"
#include "control/negotiation.h"
#include "control/rooms.h"
#include "limits.h"

namespace viaduct::control {

using conference::ConferenceId;
using conference::EndpointId;

void Rooms::handle(Peer& peer, const JoinMessage& join, Timestamp now, Duration wall) {
  if (peer.room)
    return refuse(peer, {"already-joined", "this socket is in a conference already", false});
  const std::variant<Refusal, Admission> admitted = admit(join, wall);
  if (const auto* refusal = std::get_if<Refusal>(&admitted)) return refuse_join(peer, *refusal);
  const auto& admission = std::get<Admission>(admitted);

  const auto found = rooms_.find(join.conference);
  const std::optional<size_t> worker =
      pick_worker(found == rooms_.end() ? nullptr : found->second.get());
  Room* room = worker ? find_or_open_room(join.conference,
                                          admission.requires_e2ee || join.require_e2ee)
                      : nullptr;
  if (!room) {
    return refuse_join(
        peer, {"bridge-full", "the bridge has no room for more participants or conferences", true});
  }
  if (room->people().size() >= settings_.limits.participants_per_conference)
    return refuse_join(peer, {"conference-full", "the conference is full", true});

  peer.id = random_id(random_);
  peer.name = admission.name;
  peer.endpoint = EndpointId{++last_endpoint_};
  peer.since = now;
  peer.e2ee.capable = join.e2ee;
  peer.mixed = join.mixed;
  peer.resume = random_secret(random_);
  endpoints_.emplace(peer.endpoint, &peer);
  participants_.emplace(peer.id, &peer);
  peer.worker = *worker;
  WorkerLink& link = workers_[*worker];
  ++link.participants;
  link.load.on_join();
  if (room->people_on(*worker) == 0) ++link.conferences;
  room->add(peer, admission.requires_e2ee);
  metrics_.joins["joined"].add();
  show_totals();
  log::info("participant {} joined conference {}, worker {}, {} present", peer.id, room->id(),
            *worker, room->people().size());
  end_mixes(*room);
}

std::variant<Refusal, Rooms::Admission> Rooms::admit(const JoinMessage& join, Duration wall) const {
  Admission admission{join.name, settings_.require_e2ee};
  if (join.token.empty() && tokens_.required())
    return Refusal{"token-required", "this bridge admits only people with a token", true};
  if (!join.token.empty() && tokens_.has_key()) {
    const Result<TokenClaims> claims = tokens_.verify(join.token, wall);
    if (!claims) return Refusal{"token-invalid", claims.error().text, true};
    if (!claims->allows(join.conference))
      return Refusal{"token-invalid", "the token is for another conference", true};
    if (claims->name) admission.name = *claims->name;
    if (claims->requires_e2ee) admission.requires_e2ee = true;
  }
  if (admission.name.empty()) return Refusal{"bad-field", "'name' is missing", true};
  if (!join.mixed) return admission;

  const auto found = rooms_.find(join.conference);
  const bool is_open = found != rooms_.end();
  if (admission.requires_e2ee || (is_open ? found->second->e2ee().sealed() : join.require_e2ee)) {
    return Refusal{"mix-needs-plaintext",
                   "this conference is encrypted end to end: the bridge cannot hear it to mix it",
                   true};
  }
  if (!settings_.mixed_audio)
    return Refusal{"mix-unavailable", "this bridge mixes no audio", true};
  return admission;
}

void Rooms::refuse_join(Peer& peer, const Refusal& refusal) {
  metrics_.joins[refusal.code].add();
  log::info("a join was refused: {}", refusal.code);
  end(peer, refusal, /*tell_worker=*/false);
}

Room* Rooms::find_or_open_room(const std::string& name, bool require_e2ee) {
  if (endpoints_.size() >= settings_.limits.participants) return nullptr;
  if (const auto found = rooms_.find(name); found != rooms_.end()) return found->second.get();
  if (rooms_.size() >= settings_.limits.conferences) return nullptr;
  const conference::E2eePolicy policy{.wanted = require_e2ee, .required = require_e2ee};
  auto room = std::make_unique<Room>(around_rooms_, random_id(random_), name,
                                     ConferenceId{++last_conference_}, policy);
  rooms_by_number_.emplace(room->number(), room.get());
  return rooms_.emplace(name, std::move(room)).first->second.get();
}

// A conference stays on one worker as long as it fits: what is on one need not be relayed. Where it
// does not, the least loaded worker that has few enough of its people, or else the least loaded.
std::optional<size_t> Rooms::pick_worker(const Room* room) const {
  const auto has_few = [&](size_t worker) {
    return !room || room->people_on(worker) < settings_.participants_per_worker;
  };
  if (room) {
    for (const size_t worker : room->workers()) {
      if (has_space(worker, room) && has_few(worker) && !workers_[worker].load.is_high())
        return worker;
    }
  }
  std::optional<size_t> best;
  for (size_t i = 0; i < workers_.size(); ++i) {
    if (!has_space(i, room)) continue;
    const bool is_better = !best || (has_few(i) != has_few(*best)
                                         ? has_few(i)
                                         : workers_[i].is_freer_than(workers_[*best]));
    if (is_better) best = i;
  }
  return best;
}

// Where a conference goes first, its people of other workers have to fit in, too; and where it is
// already, one more has to fit everywhere.
bool Rooms::has_space(size_t index, const Room* room) const {
  const auto fits = [](const WorkerLink& w, size_t more) {
    return w.participants + w.relayed + more <= limits::EndpointsPerWorker;
  };
  const WorkerLink& worker = workers_[index];
  if (!room || room->people_on(index) == 0) {
    return worker.conferences < limits::ConferencesPerWorker &&
           fits(worker, 1 + (room ? room->people().size() : 0));
  }
  const std::vector<size_t> all = room->workers();
  return std::ranges::all_of(all, [&](size_t w) { return fits(workers_[w], 1); });
}

}  // namespace viaduct::control
