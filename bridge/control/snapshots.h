// Asks workers for their snapshots and waits for all answers, or for a second at most. No threads,
// no clock of its own.
#pragma once

#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "conference/messages.h"
#include "control/worker_link.h"

namespace viaduct::control {

class SnapshotGatherer {
 public:
  static constexpr Duration Timeout = 1s;
  static constexpr size_t MaxInFlight = 16;
  // Called once: with one snapshot of each worker that was asked, or with nothing when one did not
  // answer in time.
  using Done = std::function<void(std::optional<std::vector<conference::WorkerSnapshot>>)>;

  explicit SnapshotGatherer(std::vector<WorkerLink>& workers) : workers_(workers) {}

  // Asks the workers of these indexes. False, and `done` is never called, when too many questions
  // wait or a worker's ring is full.
  bool start(const std::vector<size_t>& which, Timestamp now, Done done);
  void handle(conference::SnapshotTaken&& report);
  void handle_timers(Timestamp now);

 private:
  struct Question {
    size_t missing = 0;
    Timestamp deadline{};
    std::vector<conference::WorkerSnapshot> answers;
    Done done;
  };

  std::vector<WorkerLink>& workers_;
  std::unordered_map<uint64_t, Question> questions_;
  uint64_t last_question_ = 0;
};

}  // namespace viaduct::control
