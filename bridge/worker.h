// One worker: a thread that owns its packet path, sockets, keys and conferences, and shares none of
// them.
//
// It reads the clock around each turn and never within one. Control talks to it over two bounded rings.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/counters.h"
#include "base/random.h"
#include "base/spsc_ring.h"
#include "control/worker_port.h"
#include "edge/batch_cipher.h"
#include "edge/packet_io.h"
#include "path/coalescer.h"
#include "path/handshake_port.h"
#include "path/packet_path.h"

namespace viaduct {

class Worker final : public control::WorkerPort, public MetricSource {
 public:
  struct Parts {
    std::unique_ptr<edge::PacketIo> io;
    std::unique_ptr<edge::BatchCipher> opener;
    std::unique_ptr<edge::BatchCipher> sealer;
  };

  // `bell` wakes the handshake thread. `certificate` is what the bridge shows in DTLS.
  Worker(uint32_t index, Parts parts, std::vector<codec::CodecType> video_preference,
         dtls::Fingerprint certificate, Bell& bell);
  ~Worker() override;

  // Conferences may be shared with other workers. Before start().
  void connect_relay(std::vector<path::RelayLink> links) {
    path_.connect_relay(index_, std::move(links));
  }
  // People of this worker may hear mixes, made by whoever serves the port. Before start().
  void connect_mix(audio::MixPort& port) { path_.connect_mix(port); }
  edge::PacketIo& io() { return *parts_.io; }

  void start();
  // Waits for the thread to end, which it does after a Stop command.
  void join();

  path::HandshakePort& handshake_port() { return handshakes_; }
  // Another thread has put something into one of its ports.
  void wake() { parts_.io->wake(); }

  // control::WorkerPort, for the control thread.
  bool send(conference::Command&& command) override;
  std::optional<conference::Report> poll() override { return reports_.pop(); }
  int report_fd() const override { return report_fd_; }

  void visit(MetricVisitor& visitor) const override;

 private:
  void run();
  Timestamp wait_for_packets(Timestamp turn_began, Timestamp done);
  void take_commands(Timestamp now);
  void handle(conference::AddEndpoint& command, Timestamp now) { path_.add(command, now); }
  void handle(conference::RemoveEndpoint& command, Timestamp) { path_.remove(command.endpoint); }
  void handle(conference::RestartIce& command, Timestamp now) { path_.restart_ice(command, now); }
  void handle(conference::SetMuted& command, Timestamp) { path_.set_muted(command); }
  void handle(conference::SetReceiverWishes& command, Timestamp) { path_.set_wishes(command); }
  void handle(conference::SetE2eePolicy& command, Timestamp) { path_.set_e2ee_policy(command); }
  void handle(conference::DeclareE2ee& command, Timestamp) { path_.declare_e2ee(command); }
  void handle(conference::TakeSnapshot& command, Timestamp now);
  void handle(conference::Stop& command, Timestamp now);
  void handle(std::monostate, Timestamp) {}
  void count_time(Duration turned, Duration waited);
  void measure_load(Timestamp now);
  void report(conference::Report&& report);
  void flush_reports();

  class Clock final : public path::TimeSource {
   public:
    Timestamp now() override;
  };

  const uint32_t index_;
  const std::string name_;
  Parts parts_;
  const dtls::Fingerprint certificate_;
  SystemRandom random_;
  Clock clock_;
  path::HandshakePort handshakes_;
  path::PathCounters counters_;
  path::PacketPath path_;
  path::Coalescer coalescer_;

  SpscRing<conference::Command> commands_{limits::CommandRingEntries};
  SpscRing<conference::Report> reports_{limits::ReportRingEntries};
  std::vector<conference::Report> unsent_;  // while the ring is full: control is slow, or gone
  int report_fd_;
  Counter busy_ns_, idle_ns_, turns_, reports_delayed_;
  Timestamp load_measured_{};
  uint64_t busy_ns_then_ = 0;
  uint64_t packets_moved_ = 0;  // in and out, when the last turn ended
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace viaduct
