#include "edge/cipher_choice.h"

#include <algorithm>

#include "base/check.h"

namespace viaduct::edge {

CipherChoice pick_engine(const CipherCosts& costs, size_t packets, Duration longest_wait) {
  if (costs.device_thread.of(packets) >= costs.cpu.of(packets)) return CipherChoice::TooFew;
  if (costs.device_latency.of(packets) > longest_wait) return CipherChoice::TooSlow;
  return CipherChoice::Device;
}

size_t crossover(const CipherCosts& costs, size_t most, Duration longest_wait) {
  for (size_t packets = 1; packets <= most; ++packets) {
    if (pick_engine(costs, packets, longest_wait) == CipherChoice::Device) return packets;
  }
  return 0;
}

BatchCost line_through(size_t few, Duration time_few, size_t many, Duration time_many) {
  CHECK(few < many);
  const Duration packet =
      std::max<Duration>((time_many - time_few) / static_cast<int64_t>(many - few), Duration{});
  const Duration fixed =
      std::max<Duration>(time_few - packet * static_cast<int64_t>(few), Duration{});
  return {fixed, packet};
}

}  // namespace viaduct::edge
