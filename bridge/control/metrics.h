// The text that /metrics shows: every MetricSource read once, as Prometheus families (text
// exposition format 0.0.4).
#pragma once

#include <string>
#include <vector>

#include "base/counters.h"

namespace viaduct::control {

inline constexpr const char* MetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

// Reads all sources, on the calling thread. Readings of the same name and labels (one of each
// worker) are added up.
std::string write_metrics(const std::vector<const MetricSource*>& sources);

}  // namespace viaduct::control
