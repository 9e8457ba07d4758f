// The numbers of this folder's objects while these live, for the metrics page and for DPDK's telemetry. Any thread may
// read them.
#pragma once

#include "base/counters.h"

namespace viaduct::dpdk {

// Held by an object as its last member: then nobody reads numbers that are gone.
class Published {
 public:
  explicit Published(const MetricSource& source);
  ~Published();
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;

 private:
  const MetricSource& source_;
};

// Takes one reading of all that is published.
void visit_published(MetricVisitor& visitor);

// Makes /viaduct/io a command of DPDK's telemetry: all counters and gauges as one dictionary.
void answer_telemetry();

}  // namespace viaduct::dpdk
