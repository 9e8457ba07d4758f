// One worker as the control thread sees it: commands in, reports out, both over bounded rings.
#pragma once

#include <optional>

#include "conference/messages.h"

namespace viaduct::control {

class WorkerPort {
 public:
  virtual ~WorkerPort() = default;

  // Hands a command over. False when the ring is full; `command` is then left as it was.
  virtual bool send(conference::Command&& command) = 0;

  // The oldest report, or nothing.
  virtual std::optional<conference::Report> poll() = 0;

  // An eventfd that is readable while reports may wait. Control waits for it, reads its counter,
  // then polls until nothing is left.
  virtual int report_fd() const = 0;
};

}  // namespace viaduct::control
