// viaduct-load: puts a running bridge under load and says how it did. `viaduct-load --help` says
// how; deploy/docs/load-testing.md explains the reports.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>

#include "tests/load/engine.h"
#include "tests/load/options.h"
#include "tests/load/report.h"

namespace viaduct::load {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void interrupt(int) { interrupted = 1; }

// In place on a terminal; elsewhere a line every few seconds.
class Progress {
 public:
  explicit Progress(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0) {}

  void show(const Second& s) {
    ++seconds_;
    if (quiet_ || (!terminal_ && seconds_ % LineEvery != 0)) return;
    char cpu[32] = "";
    if (s.bridge_cpu_percent)
      std::snprintf(cpu, sizeof cpu, ", bridge %.0f %% of a core", *s.bridge_cpu_percent);
    std::fprintf(
        stderr,
        "%s%5.0f s: %zu connected, %llu sent/s, %llu received/s, %llu lost/s, p99 %.1f ms%s%s",
        terminal_ ? "\r\033[K" : "", s.at, s.connected, static_cast<unsigned long long>(s.sent),
        static_cast<unsigned long long>(s.received), static_cast<unsigned long long>(s.lost),
        s.latency_p99_ms, cpu, terminal_ ? "" : "\n");
    std::fflush(stderr);
  }
  void end() const {
    if (!quiet_ && terminal_) std::fputs("\r\033[K", stderr);
  }

 private:
  static constexpr unsigned LineEvery = 5;
  const bool quiet_, terminal_;
  unsigned seconds_ = 0;
};

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (file) return true;
  std::fprintf(stderr, "viaduct-load: %s cannot be written.\n", path.c_str());
  return false;
}

int refuse(const std::string& sentence, int code) {
  std::fprintf(stderr, "viaduct-load: %s\n", sentence.c_str());
  return code;
}

std::string how_verified(Verify verify) {
  switch (verify) {
    case Verify::None:
      return "No packet was decrypted: what arrived is counted by its header; latency and the "
             "causes of losses are "
             "not known.";
    case Verify::Sample:
      return "Of each received stream one packet in " + std::to_string(SampledEvery) +
             ", and the first after each pause, were decrypted and compared with what was sent; "
             "all were counted by "
             "their headers.";
    case Verify::All:
      return "Every received packet was decrypted and compared with what was sent.";
  }
  return {};
}

Result<BridgeCpu> bridge_cpu(const Options& options) {
  if (options.bridge_pid) return BridgeCpu::of_process(*options.bridge_pid);
  if (!options.metrics_url.empty()) return BridgeCpu::of_metrics(options.metrics_url);
  return BridgeCpu();
}

// A bridge lets only so many people in from one address: on loopback there are plenty of them.
std::vector<std::string> addresses(const Options& options, size_t participants) {
  constexpr size_t PeoplePerAddress = 100;
  if (!options.from.empty() || !options.host.starts_with("127.")) return options.from;
  std::vector<std::string> from;
  for (size_t i = 0; i <= participants / PeoplePerAddress; ++i)
    from.push_back("127.1." + std::to_string(i / 250) + "." + std::to_string(1 + i % 250));
  return from;
}

int run(const Options& options) {
  const auto cpu = bridge_cpu(options);
  if (!cpu) return refuse(cpu.error().text, ExitUsage);
  const Cast cast = make_cast(options.scenario);
  Progress progress(options.quiet);
  const EngineOptions engine{.host = options.host,
                             .port = options.port,
                             .token = options.token,
                             .from = addresses(options, cast.participants.size()),
                             .profiles = options.profiles,
                             .verify = options.verify,
                             .segment = options.segment,
                             .handshake_threads = options.handshake_threads,
                             .bridge_cpu = *cpu,
                             .on_second = [&](const Second& second) {
                               progress.show(second);
                               return interrupted == 0;
                             }};
  const auto measured = play(options.scenario, cast, engine);
  progress.end();
  if (!measured) return refuse(measured.error().text, ExitNotConnected);

  const Results results = assess(*measured, options.scenario.thresholds);
  Report report{options.scenario, *measured, results, {how_verified(options.verify)}};
  for (const std::string& sentence : cast.not_exercised)
    report.notes.push_back("Not exercised: " + sentence);
  std::fputs(write_table(report).c_str(), stdout);
  bool written = true;
  if (!options.json_file.empty()) written &= write_file(options.json_file, write_json(report));
  if (!options.csv_file.empty()) written &= write_file(options.csv_file, write_csv(report));
  if (!options.html_file.empty()) written &= write_file(options.html_file, write_html(report));
  if (!written) return ExitUsage;
  if (measured->joins.connected == 0)
    return refuse(
        "Nobody could connect to the bridge: see the reasons above, and whether --url is its "
        "address.",
        ExitNotConnected);
  return exit_code_of(results.verdict);
}

}  // namespace
}  // namespace viaduct::load

int main(int argc, char** argv) {
  int exit_code = 0;
  const auto options = viaduct::load::parse_options(argc, argv, exit_code);
  if (!options) return exit_code;
  std::signal(SIGINT, viaduct::load::interrupt);
  std::signal(SIGTERM, viaduct::load::interrupt);
  std::signal(SIGPIPE, SIG_IGN);
  return viaduct::load::run(*options);
}
