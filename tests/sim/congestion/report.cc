#include "tests/sim/congestion/report.h"

#include <cstdio>

namespace viaduct::testing {
namespace {

std::string fixed(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string milliseconds(Duration d) { return fixed(to_seconds(d) * 1000, 0) + " ms"; }

}  // namespace

std::string table_of(const std::vector<PhaseResult>& results) {
  std::string table =
      "| network | phase | available, kbit/s | converged after | used | queue p50 | queue p95 | lost | fairness |\n"
      "|---|---|---|---|---|---|---|---|---|\n";
  for (size_t i = 0; i < results.size(); ++i) {
    const PhaseResult& r = results[i];
    const bool same = i > 0 && results[i - 1].scenario == r.scenario;
    table += "| " + (same ? "" : r.scenario) + " | " + r.phase;
    table += " | " + std::to_string(r.available.bits_per_second / 1000);
    table += " | " + (r.converged ? fixed(to_seconds(*r.converged), 1) + " s" : std::string("never"));
    table += " | " + fixed(r.utilisation * 100, 0) + " %";
    table += " | " + milliseconds(r.queued_p50) + " | " + milliseconds(r.queued_p95);
    table += " | " + fixed(r.loss * 100, 1) + " %";
    table += " | " + (r.flows > 1 ? fixed(r.fairness, 2) : std::string("")) + " |\n";
  }
  return table;
}

}  // namespace viaduct::testing
