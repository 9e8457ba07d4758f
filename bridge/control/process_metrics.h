// What the kernel says of this process, read through descriptors that stay open from start: the
// program must work without file access later.
#pragma once

#include <dirent.h>

#include "base/counters.h"
#include "base/time.h"

namespace viaduct::control {

class ProcessMetrics final : public MetricSource {
 public:
  // `started_at` is the wall-clock time since 1970 at the process's start. What /proc does not
  // offer is not shown.
  explicit ProcessMetrics(Duration started_at);
  ~ProcessMetrics() override;
  ProcessMetrics(const ProcessMetrics&) = delete;
  ProcessMetrics& operator=(const ProcessMetrics&) = delete;

  void visit(MetricVisitor& visitor) const override;

 private:
  Duration started_at_;
  int stat_fd_;
  int statm_fd_;
  DIR* descriptors_;
};

}  // namespace viaduct::control
