#include "gpu_check/gpu_check.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "kernels/emulation/emulated_driver.h"
#include "secrecy/lockdown.h"

namespace viaduct::gpu_check {
namespace {

constexpr const char* Usage =
    "Checks this machine's GPU: device and driver, every kernel against what it should compute, and\n"
    "what a batch of SRTP packets costs there and on the CPU.\n"
    "\n"
    "Usage: viaduct gpu-check [--json] [--emulated]\n"
    "  --json       One JSON object in place of the tables.\n"
    "  --emulated   Check the kernels on the CPU's emulation of a GPU; its times mean nothing.\n"
    "  -h, --help   Print this and exit.\n"
    "\n"
    "Exit codes: 0 all is well; 1 a kernel computes wrongly, the device failed, or the command line is\n"
    "wrong; 3 there is no GPU that can be used.\n";

struct Options {
  bool json = false;
  bool emulated = false;
  bool help = false;
};

std::optional<Options> parse(const std::vector<std::string>& arguments) {
  Options options;
  for (const std::string& argument : arguments) {
    if (argument == "--json") {
      options.json = true;
    } else if (argument == "--emulated") {
      options.emulated = true;
    } else if (argument == "--help" || argument == "-h") {
      options.help = true;
    } else {
      std::fprintf(stderr, "viaduct gpu-check: '%s' is no option; see viaduct gpu-check --help\n",
                   argument.c_str());
      return std::nullopt;
    }
  }
  return options;
}

int complain(const std::string& text, int code) {
  std::fprintf(stderr, "viaduct gpu-check: %s\n", text.c_str());
  return code;
}

std::vector<size_t> batch_sizes(bool emulated) {
  if (emulated) return {1, 8, 32};
  return {1, 8, 32, 64, 128, 256, 512, 1024, 2048, 4096};
}

}  // namespace

bool Report::all_right() const {
  return !tests.empty() && std::ranges::all_of(tests, &SelfTest::all_right);
}

int run(const std::vector<std::string>& arguments) {
  const auto options = parse(arguments);
  if (!options) return 1;
  if (options->help) {
    std::fputs(Usage, stdout);
    return 0;
  }
  // The same as a bridge would run: no dumps of the GPU's memory, no kernels kept on a disk.
  if (const auto safe = secrecy::prepare_environment(); !safe) return complain(safe.error().text, 1);
  auto gpu = options->emulated ? emulation::open_emulated_gpu() : kernels::open_gpu();
  if (!gpu) return complain(gpu.error().text, NoGpu);

  Report report{.gpu = (*gpu)->info(),
                .emulated = options->emulated,
                .cpu_engine = make_cpu_cipher()->name(),
                .tests = run_self_tests(*gpu)};
  if (report.all_right()) {
    auto figures = measure(*gpu, batch_sizes(options->emulated));
    if (!figures) return complain(figures.error().text, 1);
    report.profiles = std::move(*figures);
  }
  std::fputs((options->json ? to_json(report) : to_table(report)).c_str(), stdout);
  return report.all_right() ? 0 : 1;
}

}  // namespace viaduct::gpu_check
