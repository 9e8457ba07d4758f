// Which packets of one source have not come and when to ask for them again: the bookkeeping behind upstream NACK (RFC
// 4585 section 6.2.1).
//
// It holds at most limits::MissingPacketsPerSource numbers. Beyond that asking is pointless: it forgets them all and
// wants a key frame. Memory for all of them is taken with the first packet: a later gap allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/time.h"
#include "protocol/rtp/sequence.h"

namespace viaduct::rtp {

class MissingPackets {
 public:
  static constexpr Duration ReorderAllowance = 10ms;  // a packet overtaken on the way may still come by itself ...
  static constexpr int64_t ReorderPackets = 2;        // ... until this many more have passed it
  static constexpr Duration MinRetryInterval = 20ms;
  static constexpr uint8_t MaxTries = 10;

  // Takes the sequence number of a packet, whether it came by itself or by RTX.
  void on_packet(uint16_t sequence, Timestamp now);

  // Fills `out` from the front with what to ask for now, oldest first (ready for CompoundWriter::nack), and returns how
  // many; each is then due again after max(MinRetryInterval, round_trip). What does not fit stays due. Numbers asked
  // for MaxTries times are given up.
  size_t due(Timestamp now, Duration round_trip, std::span<uint16_t> out);

  // No later than the next moment at which due() has something to say; Never when nothing is missing.
  Timestamp next_deadline() const { return missing_.empty() ? Never : next_deadline_; }

  // Whether the bookkeeping overflowed, or the stream jumped, since the last call: a key frame is wanted.
  bool take_overflowed();

  size_t outstanding() const { return missing_.size(); }
  void reset();

 private:
  struct Missing {
    int64_t sequence = 0;   // unwrapped
    int64_t overtaken = 0;  // when this number has come, packets are no longer merely out of order
    Timestamp due{};
    uint8_t tries = 0;
  };

  void note_gap(int64_t first, int64_t next, Timestamp now);
  void forget(int64_t sequence);
  void overflow();

  SequenceUnwrapper unwrapper_;
  int64_t highest_ = 0;
  std::vector<Missing> missing_;  // ascending
  int64_t next_overtaken_ = 0;    // the least `overtaken` of those not yet asked for
  Timestamp next_deadline_ = Never;
  bool overflowed_ = false;
};

}  // namespace viaduct::rtp
