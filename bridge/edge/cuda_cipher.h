// SRTP on a GPU, with a CPU cipher beside it for what the GPU is not for: batches too small to be
// worth a launch, unusual packets, and everything once the GPU has failed.
//
// Batches gather in a slot while the GPU is at work and leave as one launch; poll() gives them back in
// the order of submission, whoever did them. A batch that the GPU loses is done again by the CPU from
// the same bytes under the same index, so no key stream ever covers two texts.
#pragma once

#include <functional>
#include <memory>

#include "base/counters.h"
#include "base/time.h"
#include "edge/batch_cipher.h"
#include "edge/cipher_choice.h"
#include "edge/session_cipher.h"

namespace viaduct::kernels {
class Gpu;
}

namespace viaduct::edge {

enum class CudaUse : uint8_t {
  Always,       // whatever the GPU can do, it does
  WhenCheaper,  // per batch, by cost (cipher_choice.h)
};

struct CudaCipherOptions {
  CudaUse use = CudaUse::WhenCheaper;
  CipherCosts costs{};  // for WhenCheaper: cipher_costs.h
  size_t slot_packets = 512;
  const char* name = "cuda";
  std::function<Timestamp()> clock;
  // Told once, with the reason, when the GPU fails in mid-call.
  std::function<void(const std::string&)> on_failure = [](const std::string&) {};
  // Told, with the reason, when the GPU cannot reach packets where they are: it works on copies.
  std::function<void(const std::string&)> on_copying = [](const std::string&) {};
};

// Session keys can be given to it as to any SessionCipher. `cpu` is of the same direction and room.
Result<std::unique_ptr<SessionCipher>> make_cuda_cipher(Direction direction, size_t max_keys,
                                                        std::shared_ptr<kernels::Gpu> gpu,
                                                        std::unique_ptr<SessionCipher> cpu,
                                                        CudaCipherOptions options);

}  // namespace viaduct::edge
