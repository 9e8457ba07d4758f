// Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1): which
// packets of a transport arrived, and when to a quarter of a millisecond. The view reads it, the builder is the
// receiver that writes it.
//
//    |V=2|P| FMT=15  |    PT=205     |            length             |
//    |                    SSRC of packet sender                      |
//    |                     SSRC of media source                      |
//    |     base sequence number      |      packet status count      |
//    |         reference time (64 ms)                | feedback count|
//    |   packet chunks of 2 bytes ...        receive deltas of 1 or 2 bytes ...    padding |
//
// A hostile sequence jump costs the builder no more than WindowPackets statuses, and never memory beyond MaxPending
// arrivals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "protocol/rtcp/parse.h"
#include "protocol/rtp/sequence.h"

namespace viaduct::rtcp {

inline constexpr Duration FeedbackTick = 250us;        // of a receive delta
inline constexpr Duration FeedbackReferenceTick = 64ms;

struct PacketStatus {
  uint16_t sequence = 0;
  std::optional<Duration> arrival;  // since the receiver's time zero; nothing when it has not arrived
};

// A checked feedback message. All statuses can be read.
struct TransportFeedback {
  uint32_t sender = 0;
  uint32_t media = 0;
  uint16_t base_sequence = 0;
  uint16_t status_count = 0;
  int32_t reference_time = 0;  // 24 bits, signed, in FeedbackReferenceTick
  uint8_t feedback_count = 0;
  Bytes chunks;
  Bytes deltas;

  // Calls f(const PacketStatus&) for each packet from base_sequence on.
  template <typename F>
  void for_each(F&& f) const;
};

// Nothing when the packet is of another kind, has a reserved status symbol, or ends before the last status or delta.
std::optional<TransportFeedback> parse_transport_feedback(const Packet& packet);

// Walks the statuses of a checked message.
class StatusReader {
 public:
  explicit StatusReader(const TransportFeedback& feedback);
  // False after the last status, and in an unchecked message at the first that is malformed.
  bool next(PacketStatus& status);
  bool at_end() const { return left_ == 0; }

 private:
  std::optional<uint8_t> next_symbol();

  Bytes chunks_;
  Bytes deltas_;
  uint16_t chunk_ = 0;
  uint16_t chunk_left_ = 0;  // symbols still to be taken from chunk_
  uint16_t left_;
  uint16_t sequence_;
  Duration arrival_;
};

template <typename F>
void TransportFeedback::for_each(F&& f) const {
  StatusReader reader(*this);
  for (PacketStatus status; reader.next(status);) f(static_cast<const PacketStatus&>(status));
}

// Collects the arrivals of one transport and writes them up. Each arrival is reported once. Numbers skipped between two
// reports are reported as not arrived; one that arrives after that is reported by a message of its own, which says
// nothing of its neighbours.
class TransportFeedbackBuilder {
 public:
  static constexpr Duration Interval = 100ms;
  static constexpr int64_t WindowPackets = 1 << 14;  // a jump beyond this, either way, begins anew
  static constexpr size_t MaxPending = 4096;         // arrivals beyond this go unreported, and so count as lost

  void on_packet(uint16_t transport_sequence, Timestamp arrival);

  bool has_pending() const { return !pending_.empty(); }
  // Whether something is pending and Interval has passed since the last write().
  bool due(Timestamp now) const { return now >= next_deadline(); }
  Timestamp next_deadline() const;

  // Writes one message to the front of `out` and returns its size. What does not fit, and late arrivals, are left for
  // the next call: call until has_pending() is false. 0 when nothing is pending, or `out` is smaller than
  // MinMessageBytes.
  size_t write(MutableBytes out, uint32_t sender_ssrc, uint32_t media_ssrc, Timestamp now);
  static constexpr size_t MinMessageBytes = 64;

 private:
  struct Arrival {
    int64_t sequence = 0;  // unwrapped
    int64_t ticks = 0;     // in FeedbackTick since the zero of Timestamp
  };

  // Sequence numbers from `base` up to, not including, `end`, of which the first `arrivals` pending ones arrived.
  struct Range {
    int64_t base = 0;
    int64_t end = 0;
    size_t arrivals = 0;
  };

  Range pick_range() const;

  rtp::SequenceUnwrapper unwrapper_;
  std::vector<Arrival> pending_;      // ascending by sequence
  std::optional<int64_t> next_base_;  // the first sequence number no message has covered
  std::optional<Timestamp> last_write_;
  uint8_t feedback_count_ = 0;
};

}  // namespace viaduct::rtcp
