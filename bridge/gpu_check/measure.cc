// What batches cost, on the GPU and on this machine's CPU.
#include <algorithm>

#include "base/clock.h"
#include "edge/cipher_costs.h"
#include "edge/cpu_cipher.h"
#include "edge/cuda_cipher.h"
#include "edge/reference_cipher.h"
#include "gpu_check/gpu_check.h"
#include "limits.h"

namespace viaduct::gpu_check {
namespace {

using edge::Direction;
using srtp::SrtpProfile;

constexpr size_t Repetitions = 20;
constexpr size_t BatchesForRate = 50;

Result<ProfileFigures> measure_profile(const std::shared_ptr<kernels::Gpu>& gpu, SrtpProfile profile,
                                       const std::vector<size_t>& sizes) {
  ProfileFigures figures{.profile = profile};
  const size_t most = std::ranges::max(sizes);
  std::string failure;
  auto device = edge::make_cuda_cipher(
      Direction::Protect, 1, gpu, make_cpu_cipher(),
      {.use = edge::CudaUse::Always,
       .slot_packets = most,
       .clock = monotonic_now,
       .on_failure = [&failure](const std::string& why) { failure = why; }});
  if (!device) return device.error();
  edge::CipherTrial on_device(std::move(*device), profile, most, monotonic_now);
  edge::CipherTrial on_cpu(make_cpu_cipher(), profile, most, monotonic_now);
  for (const size_t packets : sizes) {
    const edge::BatchTime gpu_time = on_device.time(packets, Repetitions);
    figures.batches.push_back({.packets = packets,
                               .cpu = on_cpu.time(packets, Repetitions).thread,
                               .device_thread = gpu_time.thread,
                               .device_latency = gpu_time.latency,
                               .device_rate = on_device.rate(packets, BatchesForRate)});
  }
  if (!failure.empty()) return Error{ErrorCode::Unavailable, failure};
  const auto costs = edge::measure_cipher_costs(profile, gpu, make_cpu_cipher, monotonic_now);
  if (!costs) return costs.error();
  figures.costs = *costs;
  figures.crossover = edge::crossover(*costs, most, limits::LongestCipherWait);
  return figures;
}

}  // namespace

std::unique_ptr<edge::SessionCipher> make_cpu_cipher() {
  auto fast = edge::make_cpu_cipher(Direction::Protect, 1);
  if (fast) return std::move(*fast);
  return std::make_unique<edge::ReferenceCipher>(Direction::Protect, 1);
}

Result<std::vector<ProfileFigures>> measure(const std::shared_ptr<kernels::Gpu>& gpu,
                                            const std::vector<size_t>& sizes) {
  std::vector<ProfileFigures> all;
  for (const SrtpProfile profile : {SrtpProfile::AeadAes128Gcm, SrtpProfile::AeadAes256Gcm,
                                    SrtpProfile::Aes128CmHmacSha1_80}) {
    auto figures = measure_profile(gpu, profile, sizes);
    if (!figures) return figures.error();
    all.push_back(std::move(*figures));
  }
  return all;
}

}  // namespace viaduct::gpu_check
