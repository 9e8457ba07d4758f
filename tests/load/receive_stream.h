// One receive slot: what came under its SSRC, in which order, what did not come and whose fault
// that is.
//
// Counting works on headers in clear. Packets that are verified tell, by their stamps, whose stream
// the slot carries and by how much the bridge has moved its numbers; from then on each packet,
// verified or not, is known by its sender's number, which gives its latency and the fate of those
// that are missing.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/time.h"
#include "protocol/codec/codec.h"
#include "tests/load/body.h"
#include "tests/load/histogram.h"
#include "tests/load/send_stream.h"

namespace viaduct::load {

struct ReceiveCounts {
  uint64_t packets = 0;
  uint64_t bytes = 0;           // of UDP payload
  uint64_t lost_generator = 0;  // the sender's kernel refused them
  uint64_t lost_impairment = 0;
  uint64_t lost_elsewhere = 0;  // in the bridge, or in the kernels before and behind it
  uint64_t reordered = 0;
  uint64_t duplicated = 0;
  uint64_t late = 0;  // later than LateAfter
  uint64_t verified = 0;
  uint64_t corrupt = 0;  // failed to authenticate, or not what its sender wrote
  uint64_t freezes = 0;
  uint64_t switches = 0;  // to another sender's stream
  Duration frozen{};

  uint64_t lost() const { return lost_generator + lost_impairment + lost_elsewhere; }
  void add(const ReceiveCounts& other);
};

inline constexpr Duration LateAfter = 150ms;

class ReceiveStream {
 public:
  // The packets of the run's stream of that number, or null.
  using FindSent = std::function<const SentPackets*(uint32_t stream)>;

  // `find_sent` and `latency` outlive it.
  ReceiveStream(codec::MediaKind kind, uint32_t ssrc, uint32_t rtx_ssrc, const FindSent& find_sent,
                Histogram& latency);

  codec::MediaKind kind() const { return kind_; }
  uint32_t ssrc() const { return ssrc_; }
  uint32_t rtx_ssrc() const { return rtx_ssrc_; }

  // A packet has come. Its SRTP index, as far as the headers tell; nothing for a copy, and for one
  // from before the window, which stays lost.
  std::optional<uint64_t> on_packet(uint16_t sequence, uint32_t rtp_time, size_t bytes,
                                    Timestamp now);
  // A packet came that the impairment takes away.
  void on_impaired(uint16_t sequence);
  // Packet `index` has been verified: it bears `stamp`, or is corrupt.
  void on_verified(uint64_t index, const std::optional<Stamp>& stamp);

  // A packet has been verified that bears no stamp.
  void on_authenticated() { ++counts_.verified; }

  // Whether it is known which of whose packets the next ones are. After a pause it is not: the
  // bridge may have left out silence, or given the slot to somebody else. Until a verified packet
  // tells, none has a latency.
  bool knows_origin() const { return knows_origin_; }

  // Forgets what was counted so far; what is still under way then counts.
  void begin_measuring();
  // Judges all that is still missing. No packets may come after that.
  void finish();

  const ReceiveCounts& counts() const { return counts_; }
  Duration jitter() const { return Duration(static_cast<int64_t>(jitter_ns_)); }  // RFC 3550 A.8

  static constexpr uint64_t WindowPackets = 512;

 private:
  // Which packet of whom an index is, from `from` on.
  struct Origin {
    uint64_t from = 0;
    int64_t offset = 0;  // sender's number minus index
    uint32_t stream = 0;
    const SentPackets* sent = nullptr;
  };

  bool seen(uint64_t index) const { return (window_[word(index)] & bit(index)) != 0; }
  void mark(uint64_t index) { window_[word(index)] |= bit(index); }
  static size_t word(uint64_t index) { return index % WindowPackets / 64; }
  static uint64_t bit(uint64_t index) { return uint64_t{1} << index % 64; }

  std::optional<uint64_t> place(uint16_t sequence);
  void advance_to(uint64_t index);
  void judge(uint64_t index);
  const Origin* origin_of(uint64_t index) const;
  std::optional<Timestamp> sent_at(uint64_t index) const;
  void learn_origin(uint64_t index, const Stamp& stamp);
  void watch_time(uint64_t index, Timestamp now);
  void watch_frames(uint64_t index, uint32_t rtp_time, Timestamp now);

  const codec::MediaKind kind_;
  const uint32_t ssrc_, rtx_ssrc_;
  const FindSent& find_sent_;
  Histogram& latency_;
  ReceiveCounts counts_;

  std::array<uint64_t, WindowPackets / 64> window_{};
  uint64_t highest_ = 0;
  bool started_ = false;
  Origin origin_, earlier_origin_;
  bool knows_origin_ = false;
  Timestamp last_arrival_;
  uint64_t last_index_ = 0;

  double jitter_ns_ = 0;
  std::optional<int64_t> last_transit_ns_;
  uint32_t last_rtp_time_ = 0;
  Timestamp last_frame_;
  uint64_t last_frame_index_ = 0;
  double mean_frame_gap_ns_ = 0;
};

}  // namespace viaduct::load
