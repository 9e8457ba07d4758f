// What a receiver reports of one source: loss, highest sequence number, jitter (RFC 3550 section 6.4.1, appendices A.1,
// A.3, A.8).
//
// A packet that arrives late, or comes back by RTX under its own sequence number, is no longer lost. Each sequence
// number counts once: redundant RTX, which senders use to probe, does not make the loss negative.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "protocol/rtp/sequence.h"

namespace viaduct::rtp {

class ReceptionStats {
 public:
  // A packet later than this many sequence numbers behind the highest is not counted: it stays lost.
  static constexpr int64_t LateWindow = 1024;

  // Takes an authenticated packet. `clock_rate` is that of its payload type in Hz (0: leave the jitter alone). False
  // when the sequence number was counted before or is too late to tell. A jump of more than MaxDropout either way is
  // believed, as the restart of the stream, when the packet after it follows on (RFC 3550 appendix A.1); the numbers in
  // between are then not lost.
  bool on_packet(uint16_t sequence, uint32_t rtp_timestamp, Timestamp arrival, uint32_t clock_rate);

  bool started() const { return started_; }
  uint64_t packets() const { return packets_; }                     // counted packets
  uint32_t extended_highest_sequence() const { return started_ ? static_cast<uint32_t>(highest_) : 0; }
  int64_t cumulative_lost() const { return static_cast<int64_t>(expected()) - static_cast<int64_t>(packets_); }
  // The share lost since the last call, in 1/256; begins a new interval.
  uint8_t take_fraction_lost();
  uint32_t jitter() const { return static_cast<uint32_t>(jitter_); }  // in units of the RTP timestamp
  Duration jitter_time() const;

 private:
  void start(uint16_t sequence);
  bool suspect_jump(uint16_t sequence);
  void advance(int64_t step);
  bool take_late(int64_t step);
  void update_jitter(uint32_t rtp_timestamp, Timestamp arrival, uint32_t clock_rate);
  uint64_t expected() const { return expected_before_ + static_cast<uint64_t>(highest_ - base_ + 1); }
  static size_t slot(int64_t extended) { return static_cast<size_t>(extended) % LateWindow; }

  bool started_ = false;
  int64_t base_ = 0;               // extended sequence number from which `expected` counts
  int64_t highest_ = -1;           // extended
  uint64_t expected_before_ = 0;   // of the stream's earlier lives, before it jumped
  uint64_t packets_ = 0;
  int32_t suspect_next_ = -1;      // the sequence number that would prove a jump; -1 when none is suspected
  std::bitset<LateWindow> seen_;   // by sequence number modulo LateWindow, up to highest_

  uint64_t expected_prior_ = 0;    // at the last take_fraction_lost()
  uint64_t packets_prior_ = 0;

  double jitter_ = 0;
  uint32_t clock_rate_ = 0;
  std::optional<uint32_t> last_timestamp_;
  Timestamp last_arrival_{};
};

}  // namespace viaduct::rtp
