// End-to-end encryption in a conference: what it has decided, what its people declare, and what
// the worker finds.
#include "control/room.h"

namespace viaduct::control {

std::optional<Refusal> Room::handle(Peer& peer, const E2eeMessage& e2ee) {
  if (e2ee_.required && !e2ee.wanted) {
    return Refusal{"e2ee-required", "this conference requires end-to-end encryption", false};
  }
  if (e2ee_.wanted == e2ee.wanted) return std::nullopt;
  const conference::E2eePolicy policy{.wanted = e2ee.wanted, .required = false};
  if (auto busy = command(conference::SetE2eePolicy{number_, policy})) return busy;
  set_policy(policy);
  send_to_all(write_e2ee(e2ee_, peer.id));
  return std::nullopt;
}

std::optional<Refusal> Room::handle(Peer& peer, const DeclareMessage& declare) {
  if (peer.e2ee.declared == declare.e2ee) return std::nullopt;
  if (peer.offered) {
    if (auto busy = command(conference::DeclareE2ee{peer.endpoint, declare.e2ee})) return busy;
  }
  around_.metrics.participants_declaring(!declare.e2ee).add(-1);
  around_.metrics.participants_declaring(declare.e2ee).add(1);
  peer.e2ee.declare(declare.e2ee);
  tell_change_of(peer);
  return std::nullopt;
}

void Room::handle(Peer& peer, const conference::BodiesObserved& report) {
  const E2eeVerdict before = peer.e2ee.verdict();
  peer.e2ee.observe(report.source_mid, report.kind, report.observed);
  if (peer.e2ee.verdict() != before) tell_change_of(peer);
}

void Room::handle(Peer& peer, const conference::SourceHeldBack& report) {
  const conference::HeldBack before = peer.e2ee.held_back(report.kind);
  peer.e2ee.hold_back(report.source_mid, report.kind, report.reason);
  const conference::HeldBack after = peer.e2ee.held_back(report.kind);
  if (after != before) around_.outbox.send(peer.socket, write_held_back(report.kind, after));
}

void Room::set_policy(conference::E2eePolicy policy) {
  around_.metrics.conferences_with(e2ee_).add(-1);
  e2ee_ = policy;
  around_.metrics.conferences_with(e2ee_).add(1);
}

}  // namespace viaduct::control
