#include "tests/load/bridge_cpu.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

#include "base/socket_address.h"

namespace viaduct::load {
namespace {

constexpr timeval Patience = {2, 0};

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The answer to one GET, headers included; empty when there is none.
std::string get(const std::string& host, const std::string& port, const std::string& path) {
  const auto ip = IpAddress::parse(host);
  if (!ip) return {};
  const int fd = socket(ip->is_v6() ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return {};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &Patience, sizeof Patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &Patience, sizeof Patience);
  socklen_t length = 0;
  const auto address =
      SocketAddress{*ip, static_cast<uint16_t>(std::atoi(port.c_str()))}.to_sockaddr(&length);
  const std::string request = "GET " + path + " HTTP/1.0\r\nHost: " + host + "\r\n\r\n";
  std::string answer;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), length) == 0 &&
      send(fd, request.data(), request.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(request.size())) {
    char part[16384];
    for (ssize_t n; (n = recv(fd, part, sizeof part, 0)) > 0;)
      answer.append(part, static_cast<size_t>(n));
  }
  close(fd);
  return answer;
}

}  // namespace

Result<BridgeCpu> BridgeCpu::of_process(pid_t pid) {
  BridgeCpu cpu;
  cpu.pid_ = pid;
  if (cpu.read()) return cpu;
  return Error{ErrorCode::NotFound,
               "There is no process " + std::to_string(pid) + ": --bridge-pid names the bridge's."};
}

Result<BridgeCpu> BridgeCpu::of_metrics(const std::string& url) {
  std::smatch parts;
  if (!std::regex_match(url, parts, std::regex("http://([0-9.]+):([0-9]{1,5})(/[^ ]*)?")))
    return Error{ErrorCode::InvalidArgument,
                 "'" + url + "' is no http://address:port/metrics with an IPv4 address."};
  BridgeCpu cpu;
  cpu.host_ = parts[1];
  cpu.port_ = parts[2];
  cpu.path_ = parts[3].matched ? parts[3].str() : "/metrics";
  if (cpu.read()) return cpu;
  return Error{ErrorCode::Unavailable, url + " does not answer with process_cpu_seconds_total."};
}

std::optional<Duration> BridgeCpu::read() const {
  if (pid_ == 0) return path_.empty() ? std::nullopt : cpu_seconds_in(get(host_, port_, path_));
  const auto ticks = cpu_ticks_in(text_of("/proc/" + std::to_string(pid_) + "/stat"));
  if (!ticks) return std::nullopt;
  return Duration(*ticks * (1'000'000'000 / sysconf(_SC_CLK_TCK)));
}

std::optional<Duration> cpu_seconds_in(const std::string& metrics) {
  std::smatch found;
  static const std::regex Line("(?:^|\n)process_cpu_seconds_total(?:\\{[^}]*\\})? ([0-9.eE+-]+)");
  if (!std::regex_search(metrics, found, Line)) return std::nullopt;
  return Duration(static_cast<int64_t>(std::strtod(found[1].str().c_str(), nullptr) * 1e9));
}

// The name in the second field may hold anything, blanks and brackets too: the fields count from
// the last bracket (proc(5)).
std::optional<long> cpu_ticks_in(const std::string& stat) {
  const size_t name_ends = stat.rfind(')');
  if (name_ends == std::string::npos) return std::nullopt;
  std::istringstream fields(stat.substr(name_ends + 1));
  std::string skipped;
  long user = -1, system = -1;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  fields >> user >> system;
  if (!fields || user < 0 || system < 0) return std::nullopt;
  return user + system;
}

}  // namespace viaduct::load
