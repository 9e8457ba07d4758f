#include "dpdk/eal.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <sched.h>

#include <cstdio>
#include <optional>
#include <string_view>

#include "base/log.h"

namespace viaduct::dpdk {
namespace {

// A line of DPDK's as one of ours.
ssize_t take_line(void*, const char* text, size_t bytes) {
  std::string_view line(text, bytes);
  while (line.ends_with('\n')) line.remove_suffix(1);
  if (line.empty()) return static_cast<ssize_t>(bytes);
  if (rte_log_cur_msg_loglevel() <= static_cast<int>(RTE_LOG_WARNING)) {
    log::warn("dpdk: {}", line);
  } else {
    log::debug("dpdk: {}", line);
  }
  return static_cast<ssize_t>(bytes);
}

void log_what_it_says() {
  FILE* stream = fopencookie(nullptr, "w", {.read = nullptr, .write = take_line, .seek = nullptr, .close = nullptr});
  if (!stream) return;
  setvbuf(stream, nullptr, _IOLBF, BUFSIZ);
  rte_openlog_stream(stream);
}

unsigned first_cpu(const cpu_set_t& cpus) {
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &cpus)) return cpu;
  }
  return 0;
}

}  // namespace

std::vector<std::string> eal_arguments(const EalSettings& settings) {
  std::vector<std::string> arguments = {"viaduct", "--lcores", "0@" + std::to_string(settings.main_cpu),
                                        // It complains of what nobody asked for: flow rules of its own, other
                                        // processes. Of two levels that fit, DPDK takes the first.
                                        "--log-level", "pmd.net.tap:critical", "--log-level", "*:warning"};
  if (settings.huge_pages) {
    arguments.push_back("--in-memory");
  } else {
    for (const char* word : {"--no-huge", "--no-shconf", "-m"}) arguments.emplace_back(word);
    arguments.push_back(std::to_string(settings.memory_mib));
  }
  if (settings.pci_ports.empty()) arguments.emplace_back("--no-pci");
  for (const std::string& port : settings.pci_ports) {
    arguments.emplace_back("-a");
    arguments.push_back(port);
  }
  if (!settings.telemetry) arguments.emplace_back("--no-telemetry");
  arguments.insert(arguments.end(), settings.more.begin(), settings.more.end());
  return arguments;
}

Result<bool> start_eal(EalSettings settings) {
  static std::optional<bool> started;  // whether it did, once it was tried
  if (started == true) return false;
  if (started == false) return Error{ErrorCode::Unavailable, "DPDK did not start before and cannot be started again"};

  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  sched_getaffinity(0, sizeof cpus, &cpus);
  settings.main_cpu = first_cpu(cpus);
  std::vector<std::string> words = eal_arguments(settings);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());

  log_what_it_says();
  const int status = rte_eal_init(static_cast<int>(arguments.size()), arguments.data());
  sched_setaffinity(0, sizeof cpus, &cpus);
  started = status >= 0;
  if (status >= 0) return true;
  return Error{ErrorCode::Unavailable,
               std::string("DPDK does not start (") + rte_strerror(rte_errno) +
                   "); the log lines above say more, and deploy/docs/dpdk.md what to do about them"};
}

void stop_eal() { rte_eal_cleanup(); }

bool become_lcore() {
  struct Registration {
    const bool holds = rte_lcore_id() == LCORE_ID_ANY && rte_thread_register() == 0;
    ~Registration() {
      if (holds) rte_thread_unregister();
    }
  };
  static thread_local const Registration registration;
  return rte_lcore_id() != LCORE_ID_ANY;
}

}  // namespace viaduct::dpdk
