#include "control/process_metrics.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <optional>
#include <span>

namespace viaduct::control {
namespace {

// Reads a small file of /proc from its beginning; the text ends with a zero byte.
bool read_again(int fd, std::span<char> into) {
  const ssize_t n = fd < 0 ? -1 : pread(fd, into.data(), into.size() - 1, 0);
  if (n <= 0) return false;
  into[static_cast<size_t>(n)] = '\0';
  return true;
}

// User and system time (proc(5): fields 14 and 15 of stat). The command's name may hold anything,
// so reading starts behind it.
std::optional<double> cpu_seconds(int stat_fd) {
  char text[1024];
  if (!read_again(stat_fd, text)) return std::nullopt;
  const char* behind_name = std::strrchr(text, ')');
  unsigned long user = 0, system = 0;
  if (!behind_name ||
      std::sscanf(behind_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                  &system) != 2) {
    return std::nullopt;
  }
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

// Resident pages are the second field of statm.
std::optional<double> resident_bytes(int statm_fd) {
  char text[256];
  unsigned long pages = 0;
  if (!read_again(statm_fd, text) || std::sscanf(text, "%*u %lu", &pages) != 1) return std::nullopt;
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double count_entries(DIR* folder) {
  size_t entries = 0;
  rewinddir(folder);
  while (const dirent* entry = readdir(folder)) entries += entry->d_name[0] != '.';
  return static_cast<double>(entries);
}

}  // namespace

ProcessMetrics::ProcessMetrics(Duration started_at)
    : started_at_(started_at),
      stat_fd_(open("/proc/self/stat", O_RDONLY | O_CLOEXEC)),
      statm_fd_(open("/proc/self/statm", O_RDONLY | O_CLOEXEC)),
      descriptors_(opendir("/proc/self/fd")) {}

ProcessMetrics::~ProcessMetrics() {
  if (stat_fd_ >= 0) close(stat_fd_);
  if (statm_fd_ >= 0) close(statm_fd_);
  if (descriptors_) closedir(descriptors_);
}

void ProcessMetrics::visit(MetricVisitor& v) const {
  v.gauge("viaduct_build_info", "Always 1; the label says what runs.",
          {{"version", VIADUCT_VERSION}}, 1);
  v.gauge("process_start_time_seconds", "When the process started, in seconds since 1970.", {},
          to_seconds(started_at_));
  if (const auto seconds = cpu_seconds(stat_fd_)) {
    v.counter("process_cpu_seconds_total", "User and system time of all threads.", {}, *seconds);
  }
  if (const auto bytes = resident_bytes(statm_fd_)) {
    v.gauge("process_resident_memory_bytes", "Memory that is in RAM now.", {}, *bytes);
  }
  if (descriptors_)
    v.gauge("process_open_fds", "File descriptors open now.", {}, count_entries(descriptors_));
}

}  // namespace viaduct::control
