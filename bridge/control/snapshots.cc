#include "control/snapshots.h"

namespace viaduct::control {

bool SnapshotGatherer::start(const std::vector<size_t>& which, Timestamp now, Done done) {
  if (questions_.size() >= MaxInFlight) return false;
  const uint64_t number = ++last_question_;
  for (const size_t i : which) {
    // Answers of those already asked find no question any more.
    if (!workers_.at(i).try_send(conference::TakeSnapshot{number})) return false;
  }
  if (which.empty()) {
    done(std::vector<conference::WorkerSnapshot>{});
    return true;
  }
  questions_.emplace(number, Question{which.size(), now + Timeout, {}, std::move(done)});
  return true;
}

void SnapshotGatherer::handle(conference::SnapshotTaken&& report) {
  const auto found = questions_.find(report.request);
  if (found == questions_.end()) return;
  Question& question = found->second;
  question.answers.push_back(std::move(report.snapshot));
  if (--question.missing > 0) return;
  auto finished = questions_.extract(found);
  finished.mapped().done(std::move(finished.mapped().answers));
}

void SnapshotGatherer::handle_timers(Timestamp now) {
  std::vector<Done> late;
  std::erase_if(questions_, [&](auto& entry) {
    if (now < entry.second.deadline) return false;
    late.push_back(std::move(entry.second.done));
    return true;
  });
  for (const Done& done : late) done(std::nullopt);
}

}  // namespace viaduct::control
