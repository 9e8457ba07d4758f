// The control thread: the meeting page and its signalling on one address, the admin API and the
// metrics on another.
//
// One thread, one event loop. It never touches a media packet: it talks to the workers through
// WorkerPort only. After start() it opens no file. It must never log a token, a password, SDP or a
// full address.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/counters.h"
#include "base/random.h"
#include "base/result.h"
#include "base/socket_address.h"
#include "control/settings.h"
#include "control/worker_port.h"

namespace viaduct::control {

class Control {
 public:
  // `workers`, `metrics` and `random` outlive this object. settings.candidates has one entry for
  // each worker.
  Control(Settings settings, std::vector<WorkerPort*> workers,
          std::vector<const MetricSource*> metrics, Random& random);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  // Reads the page's files and keys and binds both listeners. An error's sentence names the address
  // or file and the option to change.
  Result<void> start();

  // Serves until stop() has been called and the drain is over. start() has succeeded.
  void run();

  // Begins the drain: /readyz turns 503, every client is told, every worker is sent Stop; run()
  // returns when all workers have answered Stopped, or 5 s later. May be called from any thread,
  // any number of times; not from a signal handler.
  void stop();

  // Where the listeners stand after start(), with the ports the kernel chose where 0 was asked for.
  SocketAddress page_address() const;
  SocketAddress admin_address() const;

  // The address of the meeting page for a person to open: "http://127.0.0.1:8080/".
  std::string page_url() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace viaduct::control
