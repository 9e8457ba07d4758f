// When the next packet may leave to one receiver: bursts are spread over time, so that they do not fill a queue in the
// network, and probes leave at their rate (draft-ietf-rmcat-gcc-02 section 4).
//
// It holds no packets. Sound leaves at once and is only counted; pictures ask first. What has been sent is a debt that
// is paid off at the pacing rate; it never grows beyond LongestDebt, so that a picture never waits longer than that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "base/units.h"

namespace viaduct::congestion {

// Packets sent together at a known rate, to find out whether the network takes it.
struct ProbeCluster {
  int32_t id = 0;
  DataRate rate;
  DataSize bytes;   // at least so many
  int packets = 5;  // and so many
  bool thorough = false;  // longer than pictures are apart, so that it meets those of other flows
};

class Pacer {
 public:
  static constexpr double RateFactor = 2.5;      // of the target, as libwebrtc has it
  static constexpr Duration Burst = 10ms;        // that may leave at once
  static constexpr Duration LongestQueue = 1s;   // of what waits: older packets are dropped by who queues them
  static constexpr Duration LongestDebt = 500ms;
  static constexpr Duration LongestProbe = 1s;   // one that has not ended by then never gets the packets it needs

  // `target`: what the network is thought to take. `queued`: bytes that wait; the rate rises so that they are gone
  // within LongestQueue / 2.
  void set_rate(DataRate target, DataSize queued, Timestamp now);
  // Nothing is held back: a client whose network nobody measures.
  void set_unlimited();

  // When a picture's packet may leave: not after `now` when it may do so at once.
  Timestamp next_send(Timestamp now) const;
  // Any packet left, sound and resent ones among them.
  void on_sent(size_t bytes, Timestamp now);

  // A probe begins: until it ends everything leaves at its rate, and what is missing is to be filled up by padding.
  void start_probe(const ProbeCluster& probe, Timestamp now);
  // The running probe's number, for packets that leave now.
  std::optional<int32_t> probe() const;
  // How many bytes of padding may leave now: more than 0 while a probe runs that is behind its rate. The next are due
  // at next_send().
  size_t padding_due(Timestamp now) const;

 private:
  struct Probe {
    ProbeCluster cluster;
    Timestamp began;
    DataSize sent{};
    int packets = 0;
  };

  double debt_at(Timestamp now) const;
  void expire_probe(Timestamp now);

  std::optional<DataRate> rate_;  // nothing: unlimited
  double debt_bits_ = 0;          // when it was last looked at
  Timestamp looked_at_;
  std::optional<Probe> probe_;
};

}  // namespace viaduct::congestion
