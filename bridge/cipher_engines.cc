#include "cipher_engines.h"

#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "edge/cpu_cipher.h"
#include "edge/cuda_cipher.h"
#include "edge/reference_cipher.h"
#include "kernels/cpu_audio.h"
#include "kernels/device/gpu.h"
#include "kernels/device_audio.h"
#include "kernels/emulation/emulated_driver.h"
#include "secrecy/lockdown.h"

namespace viaduct {
namespace {

constexpr size_t Keys = limits::EndpointsPerWorker;
constexpr size_t SlotPackets = 512;

bool needs_gpu(CryptoEngine engine) {
  return engine == CryptoEngine::Cuda || engine == CryptoEngine::CudaEmulated;
}

// Of the profile that is wanted most: the others' differ by a factor that changes no decision much.
srtp::SrtpProfile measured_profile(const Config& config) { return config.srtp_profiles->front(); }

}  // namespace

Result<std::unique_ptr<edge::SessionCipher>> make_cpu_engine(CryptoEngine wanted,
                                                             edge::Direction direction,
                                                             size_t keys) {
  if (wanted == CryptoEngine::Reference) {
    return std::unique_ptr<edge::SessionCipher>(
        std::make_unique<edge::ReferenceCipher>(direction, keys));
  }
  return edge::make_cpu_cipher(direction, keys);
}

Result<std::unique_ptr<CipherEngines>> CipherEngines::open(const Config& config) {
  std::unique_ptr<CipherEngines> engines(new CipherEngines(*config.crypto));
  if (const auto done = engines->set_up(config); !done) return done.error();
  return engines;
}

Result<void> CipherEngines::set_up(const Config& config) {
  const auto fast = edge::make_cpu_cipher(edge::Direction::Protect, 1);
  if (wanted_ == CryptoEngine::Cpu && !fast)
    return Error{fast.error().code, "crypto 'cpu' is not to be had: " + fast.error().text};
  if (wanted_ == CryptoEngine::Reference || !fast) cpu_ = CryptoEngine::Reference;
  if (wanted_ != CryptoEngine::Reference && !fast)
    log::warn("the CPU encrypts media by OpenSSL, several times slower: {}", fast.error().text);
  engine_ = cpu_ == CryptoEngine::Cpu ? "cpu" : "reference";
  reason_ = "configured";
  if (wanted_ == CryptoEngine::Cpu || wanted_ == CryptoEngine::Reference) return {};

  // A GPU's core dump would hold media and keys.
  if (const auto safe = secrecy::prepare_environment(); !safe) return safe;
  auto gpu = wanted_ == CryptoEngine::CudaEmulated ? emulation::open_emulated_gpu() : kernels::open_gpu();
  if (!gpu) {
    reason_ = gpu.error().text;
    if (needs_gpu(wanted_)) {
      log::warn("media is encrypted by the CPU: {}", reason_);
    } else {
      log::info("media is encrypted by the CPU: {}", reason_);
    }
    return {};
  }
  decide(config, std::move(*gpu));
  return {};
}

void CipherEngines::decide(const Config& config, std::shared_ptr<kernels::Gpu> gpu) {
  const std::string& name = gpu->info().name;
  if (needs_gpu(wanted_)) {
    log::info("media is encrypted by the GPU ({})", name);
    engine_ = wanted_ == CryptoEngine::Cuda ? "cuda" : "cuda-emulated";
    gpu_ = std::move(gpu);
    return;
  }
  const auto costs = edge::measure_cipher_costs(
      measured_profile(config), gpu,
      [this] { return make_cpu(edge::Direction::Protect, 1); }, monotonic_now);
  if (!costs) {
    reason_ = costs.error().text;
    log::warn("media is encrypted by the CPU: {}", reason_);
    return;
  }
  costs_ = *costs;
  const size_t least = edge::crossover(costs_, SlotPackets, limits::LongestCipherWait);
  if (least == 0) {
    reason_ = "it costs less than the GPU, whatever the batch";
    log::info("media is encrypted by the CPU: {}", reason_);
    return;
  }
  reason_ = "it costs less than the CPU for batches of " + std::to_string(least) + " packets and more";
  engine_ = "auto";
  log::info("media is encrypted by the GPU ({}) in batches of {} packets and more, else by the CPU",
            name, least);
  gpu_ = std::move(gpu);
}

std::unique_ptr<edge::SessionCipher> CipherEngines::make_cpu(edge::Direction direction,
                                                             size_t keys) const {
  auto cipher = make_cpu_engine(cpu_, direction, keys);
  CHECK(cipher.ok());  // one has been made before
  return std::move(*cipher);
}

Result<std::unique_ptr<edge::BatchCipher>> CipherEngines::make(edge::Direction direction) const {
  if (!gpu_) return std::unique_ptr<edge::BatchCipher>(make_cpu(direction, Keys));
  const bool always = needs_gpu(wanted_);
  auto cipher = edge::make_cuda_cipher(
      direction, Keys, gpu_, make_cpu(direction, Keys),
      {.use = always ? edge::CudaUse::Always : edge::CudaUse::WhenCheaper,
       .costs = costs_,
       .slot_packets = SlotPackets,
       .name = wanted_ == CryptoEngine::CudaEmulated ? "cuda-emulated" : always ? "cuda" : "auto",
       .clock = monotonic_now,
       .on_failure =
           [](const std::string& why) { log::warn("the CPU takes over from the GPU: {}", why); },
       .on_copying =
           [](const std::string& why) { log::warn("packets are copied for the GPU: {}", why); }});
  if (cipher) return std::unique_ptr<edge::BatchCipher>(std::move(*cipher));
  log::warn("the CPU encrypts in place of the GPU: {}", cipher.error().text);
  return std::unique_ptr<edge::BatchCipher>(make_cpu(direction, Keys));
}

std::unique_ptr<kernels::AudioEngine> CipherEngines::make_audio() const {
  if (!gpu_) return kernels::make_cpu_audio();
  auto engine = kernels::open_device_audio(
      gpu_, {.name = uses_gpu() ? "cuda" : "cuda-emulated",
             .longest_launch = limits::LongestLaunch,
             .clock = monotonic_now,
             .on_failure = [](const std::string& why) {
               log::warn("the CPU mixes sound in place of the GPU: {}", why);
             }});
  if (engine) return std::move(*engine);
  log::warn("the CPU mixes sound: {}", engine.error().text);
  return kernels::make_cpu_audio();
}

void CipherEngines::visit(MetricVisitor& v) const {
  v.gauge("viaduct_crypto_decision", "1 for what was decided at start about what encrypts media, and why",
          {{"engine", engine_}, {"reason", reason_}}, 1);
  if (costs_.cpu.packet == Duration{}) return;
  const auto show = [&](std::string_view engine, const edge::BatchCost& cost) {
    v.gauge("viaduct_cipher_batch_fixed_seconds",
            "What a batch of 1,200-byte packets takes beside its packets, measured at start",
            {{"engine", engine}}, to_seconds(cost.fixed));
    v.gauge("viaduct_cipher_batch_packet_seconds",
            "What a 1,200-byte packet of a batch takes, measured at start", {{"engine", engine}},
            to_seconds(cost.packet));
  };
  show("cpu", costs_.cpu);
  show("device-thread", costs_.device_thread);
  show("device-latency", costs_.device_latency);
}

}  // namespace viaduct
