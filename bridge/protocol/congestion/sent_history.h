// The packets that left lately, so that reports of arrivals can be matched with them.
//
// A ring of limits::SentPacketsRemembered entries, allocated once. A report names packets by the low 16 bits of their
// transport-wide number, or by SSRC and RTP sequence number (RFC 8888). One that names a packet that is not remembered,
// or that was reported to have arrived before, is no result; so no report makes anything grow or counts twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "base/time.h"
#include "protocol/congestion/sent_packet.h"
#include "protocol/rtp/sequence.h"

namespace viaduct::congestion {

// What is known of a packet once it was reported.
struct PacketResult {
  int64_t number = 0;                 // counts on from packet to packet
  Timestamp sent;
  uint32_t bytes = 0;
  std::optional<int32_t> probe;
  bool received = false;
  std::optional<Duration> arrival;    // on the receiver's time line
  bool counted_before = false;        // as lost: it has come late
  uint32_t unreported_before = 0;     // bytes sent just before it of which no report has come

  // How long it was on its way if it arrived, but for a constant: the two clocks begin anywhere.
  Duration took() const { return *arrival - sent.time_since_epoch(); }
};

class SentHistory {
 public:
  // By transport-wide number, or else by stream.
  enum class Lookup : uint8_t { Number, Stream };
  explicit SentHistory(Lookup lookup);

  void add(const SentPacket& packet);
  std::optional<PacketResult> report(uint16_t transport_sequence, bool received);
  std::optional<PacketResult> report(uint32_t ssrc, uint16_t sequence, bool received);

 private:
  static constexpr int64_t NoNumber = std::numeric_limits<int64_t>::min();
  enum class Fate : uint8_t { Unknown, PassedOver, Lost, Received };

  struct Entry {
    int64_t number = NoNumber;
    Timestamp sent;
    int32_t probe = 0;
    uint32_t ssrc = 0;
    uint32_t bytes = 0;
    uint16_t sequence = 0;
    uint16_t back_to_previous = 0;  // how many numbers before it the next entry of its bucket has; 0: none in reach
    bool is_probe = false;
    Fate fate = Fate::Unknown;
  };

  bool remembers(int64_t number) const;
  Entry& entry(int64_t number);
  int64_t& bucket(uint32_t ssrc, uint16_t sequence);
  std::optional<PacketResult> settle(Entry& entry, bool received);
  uint32_t pass_over(int64_t number);

  std::vector<Entry> ring_;       // by number
  std::vector<int64_t> buckets_;  // the newest number of each hash of SSRC and sequence; only for Lookup::Stream
  rtp::SequenceUnwrapper unwrapper_;
  int64_t newest_ = NoNumber;
  int64_t reported_ = NoNumber;   // the greatest number a report spoke of
};

}  // namespace viaduct::congestion
