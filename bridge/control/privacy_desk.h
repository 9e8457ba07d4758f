// Answers the clients that ask who can read what.
//
// However many ask, a bridge has one such question to its workers under way at a time, and
// everybody of a conference gets the same text: asking costs the media little. Who cannot be
// answered is told `busy`.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "control/rooms.h"
#include "control/snapshots.h"

namespace viaduct::control {

class PrivacyDesk {
 public:
  // Both outlive this object, and the questions that it has begun.
  PrivacyDesk(Rooms& rooms, SnapshotGatherer& snapshots) : rooms_(rooms), snapshots_(snapshots) {}

  // Asks the workers for all who have asked since the last time. Answers wait in the rooms' outbox.
  void handle_timers(Timestamp now);

 private:
  using Answers = std::optional<std::vector<conference::WorkerSnapshot>>;
  void answer(const std::vector<SocketId>& sockets, const Answers& answers);

  Rooms& rooms_;
  SnapshotGatherer& snapshots_;
  bool asking_ = false;
};

}  // namespace viaduct::control
