// One worker from the control thread's side: its port, what waits for room in its ring, and how
// loaded it is.
#pragma once

#include <cstddef>
#include <deque>

#include "control/worker_load.h"
#include "control/worker_port.h"

namespace viaduct::control {

class WorkerLink {
 public:
  explicit WorkerLink(WorkerPort& port) : port_(port) {}
  WorkerLink(WorkerLink&&) noexcept = default;  // commands do not copy, and a deque's move may throw

  WorkerPort& port() { return port_; }

  // For commands that the client can be refused. False when the worker is behind; `command` is then
  // left as it was.
  bool try_send(conference::Command&& command) { return flush() && port_.send(std::move(command)); }

  // For commands that must arrive: they wait here, in order, until there is room. Nothing that a
  // client may repeat comes this way, so that only a few can wait for each client and conference.
  void send(conference::Command&& command) {
    if (!flush() || !port_.send(std::move(command))) waiting_.push_back(std::move(command));
  }

  // Sends what waits. False when something still does.
  bool flush() {
    while (!waiting_.empty() && port_.send(std::move(waiting_.front()))) waiting_.pop_front();
    return waiting_.empty();
  }

  size_t participants = 0;  // in its conferences, with or without media yet
  size_t relayed = 0;       // participants of other workers that it knows of
  size_t conferences = 0;
  WorkerLoad load;

  // Whether people should rather come here than there: the busier of two is the worse, and of two
  // that are alike the one with more people.
  bool is_freer_than(const WorkerLink& other) const {
    if (load.step() != other.load.step()) return load.step() < other.load.step();
    return participants < other.participants;
  }

 private:
  WorkerPort& port_;
  std::deque<conference::Command> waiting_;
};

}  // namespace viaduct::control
