// The whole program but its command line: certificate, workers with their edges, the threads for
// handshakes and mixes, and the control plane.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "audio/mix_service.h"
#include "base/bell.h"
#include "base/random.h"
#include "base/result.h"
#include "cipher_engines.h"
#include "config.h"
#include "control/control.h"
#include "packet_edges.h"
#include "path/handshake_service.h"
#include "secrecy/seccomp_filter.h"
#include "worker.h"

namespace viaduct {

class Bridge {
 public:
  // `hardening` is shown among the metrics, and outlives this object.
  Bridge(const Config& config, const MetricSource& hardening) : config_(config), metrics_{&hardening} {}
  ~Bridge();

  // Reads every file and binds every port that there will be. No thread runs yet: this is where the
  // process can give up what only opening needs. An error is one sentence for the operator.
  Result<void> open();
  // Starts the threads. open() has succeeded.
  void start();
  // Whether the memory for media is locked into RAM, for all workers.
  bool are_packet_pools_locked() const { return pools_locked_; }
  // What it goes on to use.
  secrecy::Hardware hardware() const {
    return {.gpu = ciphers_->uses_gpu(),
            .network_cards = edges_->drives_network_cards(),
            .xdp_filters = edges_->has_xdp_filters()};
  }
  // Serves until stop() has been called, from any thread, and everyone has been told.
  void run();
  void stop() { control_->stop(); }

 private:
  Result<void> open_workers(const dtls::Fingerprint& certificate);
  Result<void> connect_workers();
  Result<void> open_mixing();
  Result<control::Settings> control_settings(const dtls::Fingerprint& certificate) const;
  void run_handshakes();
  void run_mixing();

  const Config config_;
  SystemRandom random_;
  Bell bell_;
  std::unique_ptr<CipherEngines> ciphers_;
  std::unique_ptr<PacketEdges> edges_;    // outlives the workers
  std::optional<path::RelayMesh> relay_;  // outlives the workers
  Bell mix_bell_;
  std::vector<std::unique_ptr<audio::MixPort>> mix_ports_;  // by worker; outlive them, too
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<const MetricSource*> metrics_;
  std::vector<std::vector<SocketAddress>> candidates_;  // by worker
  bool pools_locked_ = true;
  std::unique_ptr<path::HandshakeService> handshakes_;
  std::atomic<bool> handshakes_stop_{false};
  std::thread handshake_thread_;
  std::unique_ptr<audio::MixService> mixes_;  // null when nobody may hear a mix
  std::atomic<bool> mixing_stop_{false};
  std::thread mixing_thread_;
  std::unique_ptr<control::Control> control_;
};

}  // namespace viaduct
