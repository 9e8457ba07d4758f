// How much CPU time the bridge has used, user and system, of all its threads: from /proc, or from
// its /metrics when it runs elsewhere.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace viaduct::load {

class BridgeCpu {
 public:
  BridgeCpu() = default;  // tells nothing
  static Result<BridgeCpu> of_process(pid_t pid);
  // `url` is http://address:port/path with an IP address.
  static Result<BridgeCpu> of_metrics(const std::string& url);

  // Since the bridge started. Nothing when it cannot be told (any more).
  std::optional<Duration> read() const;
  // Whether reading takes no longer than opening a file.
  bool is_quick() const { return pid_ > 0; }

 private:
  pid_t pid_ = 0;
  std::string host_, port_, path_;
};

// The value of `process_cpu_seconds_total` in Prometheus' text format.
std::optional<Duration> cpu_seconds_in(const std::string& metrics);
// utime and stime of a line of /proc/PID/stat, in clock ticks.
std::optional<long> cpu_ticks_in(const std::string& stat);

}  // namespace viaduct::load
