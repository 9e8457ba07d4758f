// Which engine encrypts a batch, where there are two: by what each costs the worker's thread, as
// measured at start, and by how long packets may wait.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/time.h"

namespace viaduct::edge {

// A straight line: what a batch of n packets takes.
struct BatchCost {
  Duration fixed{};
  Duration packet{};

  Duration of(size_t packets) const { return fixed + packet * static_cast<int64_t>(packets); }
};

struct CipherCosts {
  BatchCost cpu;             // of the thread, which is busy until the batch is done
  BatchCost device_thread;   // of the thread: filling, launching and collecting
  BatchCost device_latency;  // until the batch is done
};

// What was chosen, and why. The order is that of the tests below and of the metrics.
enum class CipherChoice : uint8_t {
  Device,       // it costs the thread less
  NoDevice,     // there is none, or it has failed
  Unsuited,     // a packet or key of the batch is not for the kernels
  DeviceBusy,   // no slot is free
  TooFew,       // the launch would cost more than the CPU does
  TooSlow,      // the packets would wait for too long
};
inline constexpr std::array<std::string_view, 6> CipherChoiceNames = {
    "device", "no-device", "unsuited", "device-busy", "too-few", "too-slow"};

// For a batch that brings the gathered packets to `packets`: Device, TooFew or TooSlow.
CipherChoice pick_engine(const CipherCosts& costs, size_t packets, Duration longest_wait);

// The smallest batch for which pick_engine() says Device; 0 when there is none up to `most`.
size_t crossover(const CipherCosts& costs, size_t most, Duration longest_wait);

// The line through two measurements, never with a negative part.
BatchCost line_through(size_t few, Duration time_few, size_t many, Duration time_many);

}  // namespace viaduct::edge
