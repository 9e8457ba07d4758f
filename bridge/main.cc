// From the configuration to a running bridge: edges, workers, handshakes and control, until a
// signal asks it to stop.
#include <csignal>
#include <cstdio>
#include <thread>

#include "base/log.h"
#include "bridge.h"
#include "config.h"

namespace viaduct {
namespace {

// SIGINT and SIGTERM stop the bridge once it has said goodbye to everyone; the signals are taken by
// a thread of their own, so no handler interrupts anything.
sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

int run(int argc, char** argv) {
  Result<Startup> startup = load_config(argc, argv);
  if (!startup) {
    std::fprintf(stderr, "viaduct: %s\n", startup.error().text.c_str());
    return 1;
  }
  if (startup->print) {
    std::fputs(startup->print->c_str(), stdout);
    return 0;
  }
  const Config& config = startup->config;
  if (const auto started =
          log::start(*config.log_format, TextForm<LogLevel>::print(*config.log_level));
      !started) {
    std::fprintf(stderr, "viaduct: %s\n", started.error().text.c_str());
    return 1;
  }

  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // inherited by every thread
  std::signal(SIGPIPE, SIG_IGN);

  Bridge bridge(config);
  if (const auto started = bridge.start(); !started) {
    std::fprintf(stderr, "viaduct: %s\n", started.error().text.c_str());
    return 1;
  }
  std::thread signal_taker([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    log::info("stopping: telling everyone");
    bridge.stop();
  });
  signal_taker.detach();  // it waits for a signal that need not come
  bridge.run();
  log::info("stopped");
  return 0;
}

}  // namespace
}  // namespace viaduct

int main(int argc, char** argv) { return viaduct::run(argc, argv); }
