// What the mixing thread counts. Written by it alone, read by the metrics page.
#pragma once

#include "base/counters.h"

namespace viaduct::audio {

struct MixCounters final : MetricSource {
  Gauge conferences, listeners;
  // Sound of sources: packets decoded, what stood in for lost ones, and what was no use.
  Counter decoded, recovered, concealed, late, malformed;
  Counter shortened, lengthened;  // frames by which the delay of sources was changed
  Counter encoded;
  Counter ticks_skipped;                 // the thread came too late for them
  Counter frames_lost;                   // a worker did not take them
  Counter decode_ns, mix_ns, encode_ns;  // of CPU time
  const char* engine = "none";

  void visit(MetricVisitor& visitor) const override;
};

}  // namespace viaduct::audio
