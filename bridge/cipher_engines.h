// What encrypts media and mixes sound, decided once at start: the configuration's wish, what this
// machine has, and what both cost.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/counters.h"
#include "base/result.h"
#include "config.h"
#include "edge/cipher_costs.h"
#include "kernels/audio_engine.h"

namespace viaduct {

// The CPU's engine: the fast one where it works, else the reference. `keys`: how many it has room for.
Result<std::unique_ptr<edge::SessionCipher>> make_cpu_engine(CryptoEngine wanted,
                                                             edge::Direction direction,
                                                             size_t keys);

class CipherEngines final : public MetricSource {
 public:
  // Says in the log what it has decided and why. An error where the configuration asks for what cannot be; a
  // GPU that is missing is none, the CPU does its work.
  static Result<std::unique_ptr<CipherEngines>> open(const Config& config);

  // One of a worker's two ciphers, with room for the keys of all its endpoints.
  Result<std::unique_ptr<edge::BatchCipher>> make(edge::Direction direction) const;

  // What adds up voices: the same GPU, if one is in use, else the CPU.
  std::unique_ptr<kernels::AudioEngine> make_audio() const;

  // A real one, with a driver that makes system calls of its own.
  bool uses_gpu() const { return gpu_ && wanted_ != CryptoEngine::CudaEmulated; }

  void visit(MetricVisitor& visitor) const override;

 private:
  explicit CipherEngines(CryptoEngine wanted) : wanted_(wanted) {}
  Result<void> set_up(const Config& config);
  void decide(const Config& config, std::shared_ptr<kernels::Gpu> gpu);
  std::unique_ptr<edge::SessionCipher> make_cpu(edge::Direction direction, size_t keys) const;

  const CryptoEngine wanted_;
  CryptoEngine cpu_ = CryptoEngine::Cpu;  // or Reference
  std::shared_ptr<kernels::Gpu> gpu_;     // null: the CPU does it all
  edge::CipherCosts costs_;
  std::string engine_;  // for metrics
  std::string reason_;
};

}  // namespace viaduct
