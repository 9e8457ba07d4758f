// `viaduct gpu-check`: what an operator runs on a GPU server before trusting it with calls. Which GPU
// and driver, whether every kernel computes what it should, and what a batch costs there and on this
// machine's CPU.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "edge/cipher_choice.h"
#include "edge/session_cipher.h"
#include "kernels/device/gpu.h"
#include "protocol/srtp/srtp_profile.h"

namespace viaduct::gpu_check {

// Exit codes beside 0, and 1 for a mistake on the command line, a kernel that computes wrongly or a
// device that fails.
inline constexpr int NoGpu = 3;

// One kernel's comparison with what it is held to.
struct SelfTest {
  std::string kernel;
  std::string held_to;  // "OpenSSL", "RFC 7714 section 16.1", "the CPU"
  size_t compared = 0;  // packets, frames or scores
  size_t wrong = 0;
  std::string failure;  // why the device did not do it, or not all of it

  bool all_right() const { return compared > 0 && wrong == 0 && failure.empty(); }
};

// Batches of 1,200-byte packets, one payload under as many keys as there are packets.
struct BatchFigures {
  size_t packets = 0;
  Duration cpu{};             // for the batch
  Duration device_thread{};   // in which the calling thread is busy with it
  Duration device_latency{};  // until it is back, alone on the device
  double device_rate = 0;     // packets a second, with as many batches under way as the device takes
};

struct ProfileFigures {
  srtp::SrtpProfile profile;
  std::vector<BatchFigures> batches;
  edge::CipherCosts costs;
  size_t crossover = 0;  // packets; 0: the CPU costs less, whatever the batch
};

struct Report {
  kernels::GpuInfo gpu;
  bool emulated = false;
  std::string cpu_engine;
  std::vector<SelfTest> tests;
  std::vector<ProfileFigures> profiles;  // none where a test has failed: times mean nothing then

  bool all_right() const;
};

// What the GPU is compared with here: libipsec-mb where it works, else OpenSSL.
std::unique_ptr<edge::SessionCipher> make_cpu_cipher();

std::vector<SelfTest> run_self_tests(const std::shared_ptr<kernels::Gpu>& gpu);
// The sizes of batches to time.
Result<std::vector<ProfileFigures>> measure(const std::shared_ptr<kernels::Gpu>& gpu,
                                            const std::vector<size_t>& sizes);

std::string to_table(const Report& report);
std::string to_json(const Report& report);

// With the command line behind `viaduct gpu-check`. Prints, and returns the program's exit code.
int run(const std::vector<std::string>& arguments);

}  // namespace viaduct::gpu_check
