// What a run's measurements mean: sums, shares and percentages, and whether the run has passed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/load/measurements.h"
#include "tests/load/scenario.h"

namespace viaduct::load {

enum class Verdict : uint8_t {
  Passed,
  Missed,   // a threshold
  Invalid,  // the load tester itself did not keep up: the figures say nothing about the bridge
};
constexpr const char* to_string(Verdict v) {
  switch (v) {
    case Verdict::Passed:
      return "passed";
    case Verdict::Missed:
      return "threshold missed";
    case Verdict::Invalid:
      return "invalid";
  }
  return "unknown";
}
// The program's exit code; other numbers are for runs that did not happen.
constexpr int exit_code_of(Verdict v) { return static_cast<int>(v); }
inline constexpr int ExitUsage = 3;
inline constexpr int ExitNotConnected = 4;

// Beyond these the load tester is its own bottleneck.
inline constexpr double MaxOwnLossPercent = 0.1;  // refused by the kernel or dropped by our sockets
inline constexpr double MaxLoopBusyPercent = 98;

struct Check {
  std::string what;   // "lost by the bridge"
  std::string found;  // "0.02 %"
  std::string allowed;
  bool passed = false;
};

struct Results {
  SendCounts sent;  // of both kinds
  ReceiveCounts received;
  double loss_percent = 0;  // of all causes, of what should have come
  double loss_elsewhere_percent = 0;
  double late_percent = 0;
  double failed_joins_percent = 0;
  double freezes_per_minute = 0;  // of each receiving participant
  double sent_per_second = 0;
  double received_per_second = 0;
  std::optional<double> bridge_cpu_us;  // per packet received
  std::optional<double> bridge_cpu_ms_per_1000;
  std::optional<double> bridge_cpu_percent;  // of one core
  double generator_cpu_percent = 0;
  double loop_busy_percent = 0;
  double own_loss_percent = 0;
  Histogram latency;

  Verdict verdict{};
  std::vector<Check> checks;  // one for each threshold
  std::vector<std::string> invalid_because;
};

Results assess(const Measurements& measured, const Thresholds& thresholds);

// A number for people: few digits, and its unit.
std::string milliseconds(Duration d);
std::string percent(double value);
std::string with_digits(double value, int digits);

}  // namespace viaduct::load
