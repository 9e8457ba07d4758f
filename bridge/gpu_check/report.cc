// The report in words and as JSON.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "gpu_check/gpu_check.h"

namespace viaduct::gpu_check {
namespace {

constexpr const char* Legend =
    "\nSealing batches of 1,200-byte packets, one payload for all of a batch, by one thread:\n"
    "  CPU            the thread is busy for so long, and the batch is done\n"
    "  GPU, thread    the thread is busy for so long with a batch that the GPU does\n"
    "  GPU, latency   until that batch is back\n"
    "  GPU rate       with several batches under way\n";

double us(Duration time) { return static_cast<double>(time.count()) / 1000; }

nlohmann::ordered_json cost_json(const edge::BatchCost& cost) {
  return {{"fixed_us", us(cost.fixed)}, {"packet_us", us(cost.packet)}};
}

nlohmann::ordered_json profile_json(const ProfileFigures& profile) {
  nlohmann::ordered_json batches = nlohmann::ordered_json::array();
  for (const BatchFigures& b : profile.batches) {
    batches.push_back({{"packets", b.packets},
                       {"cpu_us", us(b.cpu)},
                       {"gpu_thread_us", us(b.device_thread)},
                       {"gpu_latency_us", us(b.device_latency)},
                       {"gpu_packets_per_second", b.device_rate}});
  }
  return {{"profile", srtp::to_string(profile.profile)},
          {"batches", batches},
          {"costs",
           {{"cpu", cost_json(profile.costs.cpu)},
            {"gpu_thread", cost_json(profile.costs.device_thread)},
            {"gpu_latency", cost_json(profile.costs.device_latency)}}},
          {"crossover_packets", profile.crossover}};
}

const char* verdict(const SelfTest& test) {
  if (!test.failure.empty()) return "FAILED";
  return test.all_right() ? "ok" : "WRONG";
}

std::string profile_table(const ProfileFigures& profile) {
  std::string out = fmt::format(
      "\n{}\n{:>8} {:>12} {:>16} {:>16} {:>16} {:>16}\n", srtp::to_string(profile.profile), "batch",
      "CPU", "GPU, thread", "GPU, latency", "CPU rate", "GPU rate");
  for (const BatchFigures& b : profile.batches) {
    const double cpu_rate = static_cast<double>(b.packets) / to_seconds(b.cpu);
    out += fmt::format("{:>8} {:>9.1f} us {:>13.1f} us {:>13.1f} us {:>10.2f} Mpkt/s {:>9.2f} Mpkt/s\n", b.packets,
                       us(b.cpu), us(b.device_thread), us(b.device_latency), cpu_rate / 1e6, b.device_rate / 1e6);
  }
  if (profile.crossover == 0) {
    return out + "The CPU is cheaper for every batch, or the GPU keeps packets for too long: auto uses the CPU.\n";
  }
  return out + fmt::format("The GPU is cheaper from {} packets on: auto uses it for such batches.\n",
                           profile.crossover);
}

}  // namespace

std::string to_table(const Report& r) {
  std::string out = fmt::format("GPU     {}\n", r.gpu.name);
  if (r.emulated) {
    out += "        The kernels ran on the CPU: the times below say nothing about any GPU.\n";
  } else {
    out += fmt::format("        compute capability {}, {} multiprocessors, {:.1f} GiB\nDriver  CUDA {}\n",
                       r.gpu.compute_capability, r.gpu.multiprocessors,
                       static_cast<double>(r.gpu.memory_bytes) / (1 << 30), r.gpu.driver);
  }
  out += fmt::format("CPU     engine '{}'\n\n", r.cpu_engine);
  for (const SelfTest& t : r.tests) {
    out += fmt::format("{:<6} {:<36} {:>6} compared with {}{}{}\n", verdict(t), t.kernel, t.compared, t.held_to,
                       t.wrong > 0 ? fmt::format(", {} differ", t.wrong) : "",
                       t.failure.empty() ? "" : "; " + t.failure);
  }
  if (!r.profiles.empty()) out += Legend;
  for (const ProfileFigures& profile : r.profiles) out += profile_table(profile);
  if (!r.all_right()) out += "\nDo not use this GPU for calls: run Viaduct with --crypto=cpu.\n";
  return out;
}

std::string to_json(const Report& r) {
  nlohmann::ordered_json tests = nlohmann::ordered_json::array();
  for (const SelfTest& t : r.tests)
    tests.push_back({{"kernel", t.kernel},
                     {"held_to", t.held_to},
                     {"compared", t.compared},
                     {"wrong", t.wrong},
                     {"failure", t.failure}});
  nlohmann::ordered_json profiles = nlohmann::ordered_json::array();
  for (const ProfileFigures& profile : r.profiles) profiles.push_back(profile_json(profile));
  const nlohmann::ordered_json report = {{"gpu", r.gpu.name},
                                         {"emulated", r.emulated},
                                         {"compute_capability", r.gpu.compute_capability},
                                         {"multiprocessors", r.gpu.multiprocessors},
                                         {"memory_bytes", r.gpu.memory_bytes},
                                         {"driver", r.gpu.driver},
                                         {"cpu_engine", r.cpu_engine},
                                         {"ok", r.all_right()},
                                         {"self_tests", tests},
                                         {"profiles", profiles}};
  return report.dump(2) + "\n";
}

}  // namespace viaduct::gpu_check
