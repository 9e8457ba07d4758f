#include <sstream>

#include "tests/load/report.h"

namespace viaduct::load {

std::string write_csv(const Report& report) {
  std::ostringstream out;
  out << "second,connected,sent,received,lost,latency_p50_ms,latency_p99_ms,bridge_cpu_percent\n";
  for (const Second& s : report.measured.seconds) {
    out << with_digits(s.at, 1) << ',' << s.connected << ',' << s.sent << ',' << s.received << ','
        << s.lost << ',' << with_digits(s.latency_p50_ms, 3) << ','
        << with_digits(s.latency_p99_ms, 3) << ','
        << (s.bridge_cpu_percent ? with_digits(*s.bridge_cpu_percent, 1) : "") << '\n';
  }
  return out.str();
}

}  // namespace viaduct::load
