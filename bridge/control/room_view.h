// A conference as control knows it, as plain values: what the admin API and the privacy report show
// beside the worker's snapshot.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "conference/messages.h"
#include "control/signalling.h"

namespace viaduct::control {

struct RoomView {
  struct Person {
    std::string id;
    std::string name;
    conference::EndpointId endpoint{};
    bool has_media = false;  // the worker knows the endpoint
    E2eeView e2ee = {};
    std::optional<DirectProtection> direct = {};  // as the client claims; empty: it claims nothing
  };
  std::string id;
  std::string name;
  conference::ConferenceId number{};
  size_t worker = 0;
  std::vector<Person> people;
  conference::E2eePolicy e2ee;
  std::string bridge_fingerprint;  // "sha-256 AB:CD:..."
};

// The worker's part of it; null when no worker knows it yet.
inline const conference::ConferenceSnapshot* find_snapshot(
    const RoomView& room, const std::vector<conference::WorkerSnapshot>& workers) {
  for (const auto& worker : workers) {
    for (const auto& c : worker.conferences) {
      if (c.id == room.number) return &c;
    }
  }
  return nullptr;
}

}  // namespace viaduct::control
