// A conference as control knows it, as plain values: what the admin API and the privacy report show
// beside the worker's snapshot.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
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
    size_t worker = 0;
    bool mixed = false;  // hears a mix
    bool away = false;   // its socket was cut, and it may come back on another one
  };
  std::string id;
  std::string name;
  conference::ConferenceId number{};
  std::vector<size_t> workers;  // where its people are
  std::vector<Person> people;
  conference::E2eePolicy e2ee;
  std::string bridge_fingerprint;  // "sha-256 AB:CD:..."
};

// The workers' parts of it, the part of the one that speaks for all first; none when no worker
// knows it yet.
inline std::vector<const conference::ConferenceSnapshot*> find_snapshots(
    const RoomView& room, const std::vector<conference::WorkerSnapshot>& workers) {
  std::vector<std::pair<uint32_t, const conference::ConferenceSnapshot*>> found;
  for (const auto& worker : workers) {
    for (const auto& c : worker.conferences) {
      if (c.id == room.number) found.emplace_back(worker.worker, &c);
    }
  }
  std::ranges::sort(found, {}, [](const auto& part) { return part.first; });
  std::vector<const conference::ConferenceSnapshot*> parts;
  for (const auto& [worker, part] : found) parts.push_back(part);
  return parts;
}

}  // namespace viaduct::control
