// From the configuration to a running bridge: edges, workers, handshakes and control, until a
// signal asks it to stop. On the way the process gives up, for good, what could let media or keys
// out of it (secrecy/lockdown.h).
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "bridge.h"
#include "config.h"
#include "gpu_check/gpu_check.h"
#include "secrecy/lockdown.h"
#include "secrecy/openssl_memory.h"

namespace viaduct {
namespace {

int fail(const std::string& sentence) {
  std::fprintf(stderr, "viaduct: %s\n", sentence.c_str());
  return 1;
}

// SIGINT and SIGTERM stop the bridge once it has said goodbye to everyone; the signals are taken by
// a thread of their own, so no handler interrupts anything.
sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

void say_what_is_in_force(const secrecy::HardeningState& hardening, bool wanted) {
  if (!wanted) return log::warn("hardening is off: media and keys can get out of this process");
  if (hardening.complete()) log::info("{}", hardening.summary());
  for (const std::string& sentence : hardening.missing()) log::warn("{}", sentence);
}

void run_until_stopped(Bridge& bridge, const sigset_t& signals) {
  std::thread signal_taker([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    log::info("stopping: telling everyone");
    bridge.stop();
  });
  signal_taker.detach();  // it waits for a signal that need not come
  bridge.run();
}

int run(const Config& config, bool openssl_is_in_secret_memory) {
  if (const auto started =
          log::start(*config.log_format, TextForm<LogLevel>::print(*config.log_level));
      !started) {
    return fail(started.error().text);
  }
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // inherited by every thread
  std::signal(SIGPIPE, SIG_IGN);

  secrecy::HardeningState hardening;
  if (*config.hardening) {  // before there is a key or a packet
    if (const auto safe = secrecy::prepare_environment(); !safe) return fail(safe.error().text);
    secrecy::close_memory(hardening);
  }
  Bridge bridge(config, hardening);
  if (const auto opened = bridge.open(); !opened) return fail(opened.error().text);

  hardening.record(secrecy::measure::SecretMemory,
                   secrecy::judge_secret_memory(openssl_is_in_secret_memory));
  hardening.record(secrecy::measure::PacketPools,
                   secrecy::judge_packet_pools(bridge.are_packet_pools_locked()));
  if (*config.hardening) secrecy::close_files(hardening, bridge.hardware());
  say_what_is_in_force(hardening, *config.hardening);
  if (*config.require_hardening && !hardening.complete())
    return fail("require-hardening is set, but " + hardening.missing_in_one_sentence());

  bridge.start();
  run_until_stopped(bridge, signals);
  log::info("stopped");
  return 0;
}

}  // namespace
}  // namespace viaduct

int main(int argc, char** argv) {
  viaduct::secrecy::raise_memory_lock_limit();
  const bool openssl_is_in = viaduct::secrecy::keep_openssl_in_secret_memory();
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  if (!arguments.empty() && arguments[0] == "gpu-check")
    return viaduct::gpu_check::run({arguments.begin() + 1, arguments.end()});
  auto startup = viaduct::load_config(argc, argv);
  if (!startup) return viaduct::fail(startup.error().text);
  if (startup->print) {
    std::fputs(startup->print->c_str(), stdout);
    return 0;
  }
  return viaduct::run(startup->config, openssl_is_in);
}
