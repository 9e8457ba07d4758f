// Every cipher that this machine can run, for tests that hold for all of them.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "edge/cpu_cipher.h"
#include "edge/cuda_cipher.h"
#include "edge/reference_cipher.h"
#include "kernels/emulation/emulated_driver.h"

namespace viaduct::testing {

struct CipherEngine {
  std::string name;
  std::function<std::unique_ptr<edge::SessionCipher>(edge::Direction, size_t max_keys)> make;

  // How GoogleTest names it.
  friend void PrintTo(const CipherEngine& engine, std::ostream* out) { *out << engine.name; }
};

// libipsec-mb with each set of vector instructions that the CPU has; none where it cannot be used.
inline std::vector<CipherEngine> cpu_engines() {
  using edge::CpuFeatures;
  std::vector<CipherEngine> engines;
  for (const auto& [name, features] : {std::pair{"Cpu", CpuFeatures::Best},
                                       {"CpuSse", CpuFeatures::Sse},
                                       {"CpuAvx", CpuFeatures::Avx},
                                       {"CpuAvx2", CpuFeatures::Avx2},
                                       {"CpuAvx512", CpuFeatures::Avx512}}) {
    if (!edge::make_cpu_cipher(edge::Direction::Protect, 1, features)) continue;
    engines.push_back({name, [features = features](edge::Direction direction, size_t max_keys) {
                         return std::move(
                             edge::make_cpu_cipher(direction, max_keys, features).value());
                       }});
  }
  return engines;
}

// The CUDA cipher on the emulated device, doing there whatever can be done there.
inline std::unique_ptr<edge::SessionCipher> make_emulated_cipher(edge::Direction direction,
                                                                 size_t max_keys,
                                                                 size_t slot_packets = 1280) {
  emulation::set_behaviour({});
  auto cipher = edge::make_cuda_cipher(direction, max_keys, emulation::open_emulated_gpu().value(),
                                std::make_unique<edge::ReferenceCipher>(direction, max_keys),
                                {.use = edge::CudaUse::Always,
                                 .slot_packets = slot_packets,
                                 .name = "cuda-emulated",
                                 .clock = monotonic_now});
  return std::move(cipher.value());
}

inline std::vector<CipherEngine> fast_engines() {
  std::vector<CipherEngine> engines = cpu_engines();
  engines.push_back({"CudaEmulated", [](edge::Direction direction, size_t max_keys) {
                       return make_emulated_cipher(direction, max_keys);
                     }});
  return engines;
}

inline std::vector<CipherEngine> all_engines() {
  std::vector<CipherEngine> engines = fast_engines();
  engines.push_back({"Reference", [](edge::Direction direction, size_t max_keys) {
                       return std::make_unique<edge::ReferenceCipher>(direction, max_keys);
                     }});
  return engines;
}

}  // namespace viaduct::testing
