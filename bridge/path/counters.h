// What the path of one worker counts. Written by the worker alone, read by the metrics page.
#pragma once

#include <array>
#include <string>

#include "base/counters.h"
#include "path/batch.h"
#include "path/drop.h"

namespace viaduct::path {

struct Flow {
  Counter packets;
  Counter bytes;
  void add(size_t n) {
    packets.add();
    bytes.add(n);
  }
};

// From arrival to the hand-over to the network.
inline constexpr std::array<double, 12> LatencyBounds = {50e-6, 100e-6, 200e-6, 500e-6, 1e-3, 2e-3,
                                                         5e-3,  10e-3,  20e-3,  50e-3,  0.1,  0.5};

// Sources that send, by what their clients declare and what is observed, and those held back.
struct StreamCounts {
  int64_t streams[2][3] = {};  // by declared, ObservedBodies
  int64_t held_back[3] = {};   // by HeldBack
};

struct PathCounters final : MetricSource {
  explicit PathCounters(std::string worker_name) : worker(std::move(worker_name)) {}

  const std::string worker;
  std::array<Flow, PacketKinds> received;  // by PacketKind, before any check
  std::array<Flow, TxKinds> sent;          // by TxKind
  Flow stun_replies, dtls_sent;
  Flow padding;  // media packets that were padded, and by how many bytes
  Flow relayed_in, relayed_out;  // from and to other workers
  Flow to_mix;                   // sound for the mixing thread
  Flow paced;                    // pictures that had to wait for their receivers' networks
  Counter probes;                // begun, of receivers' networks
  std::array<Counter, Drops> drops;
  Histogram<LatencyBounds.size()> forwarding_latency{LatencyBounds};
  Counter ice_validated, ice_selected, ice_restarted;
  Counter dtls_connected, dtls_failed, dtls_timed_out;
  Counter consent_lost;
  Counter nacks_received, nacks_sent;  // packets asked for again
  Counter key_frames_asked_of_us, key_frames_asked;
  Counter packets_recovered;  // by RTX from senders
  Gauge endpoints, conferences, slots, slots_in_use, free_packets;

  std::array<std::array<Gauge, 3>, 2> streams;  // by declared, ObservedBodies
  std::array<Gauge, 3> held_back;               // by HeldBack

  void set(const StreamCounts& counts);
  uint64_t packets_received() const {
    uint64_t all = 0;
    for (const Flow& f : received) all += f.packets.value();
    return all;
  }
  uint64_t packets_sent() const {
    uint64_t all = 0;
    for (const Flow& f : sent) all += f.packets.value();
    return all;
  }
  void drop(Drop reason) { drops[static_cast<size_t>(reason)].add(); }
  void visit(MetricVisitor& v) const override;
};

}  // namespace viaduct::path
