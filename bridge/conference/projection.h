// From a source's numbers to a receive slot's: one continuous stream per slot, whatever source it
// carries.
//
// Sequence numbers leave without a hole where the bridge withheld something, timestamps never run
// backwards over a switch, and VP8 picture ids (RFC 7741 section 4.2) and the frame numbers of
// dependency descriptors go on counting. An outgoing SRTP index is given out once and never
// again: a second packet under the same key and index would give its plaintext away (RFC 3711
// section 9.1).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "protocol/srtp/replay_window.h"

namespace viaduct::conference {

// The two VP8 counters that must not jump.
struct Vp8Numbers {
  uint16_t picture_id = 0;  // 15 bits
  uint8_t tl0_picture_index = 0;
};

class Projection {
 public:
  struct In {
    int64_t sequence = 0;  // unwrapped by the source
    uint32_t timestamp = 0;
    std::optional<Vp8Numbers> vp8;
    std::optional<uint16_t> frame_number;
  };
  struct Out {
    uint64_t index = 0;  // SRTP packet index; the sequence number is its low 16 bits
    uint32_t timestamp = 0;
    std::optional<Vp8Numbers> vp8;
    std::optional<uint16_t> frame_number;
    uint16_t sequence() const { return static_cast<uint16_t>(index); }
  };

  Projection(uint16_t first_sequence, uint32_t first_timestamp)
      : next_index_(first_sequence), last_timestamp_(first_timestamp) {}

  // From `first` on the slot carries another stream; its numbers join on to what was sent last.
  // `now` minus the last send gives how far the timestamp moves.
  void start(const In& first, Timestamp now, uint32_t clock_rate);
  bool started() const { return started_; }
  void stop() { started_ = false; }

  // Packets of the stream before `sequence` that were not sent will not be: receivers see no hole
  // in their place.
  void close_gap(int64_t sequence);

  // The outgoing numbers; nothing for a packet from before the stream's start and for one that was
  // sent already.
  std::optional<Out> project(const In& in, Timestamp now);

  // The same numbers again for a packet that project() sent before, to be resent. Nothing when they
  // are unknown by now.
  std::optional<Out> projected(const In& in) const;

  // The source's sequence number behind an outgoing one, for NACKs.
  std::optional<int64_t> source_sequence(uint16_t outgoing) const;

  // What the source's timestamp is in the outgoing stream, for sender reports.
  uint32_t timestamp_of(uint32_t source_timestamp) const {
    return source_timestamp + timestamp_offset_;
  }

 private:
  // From `start` on, outgoing index = sequence + offset.
  struct Segment {
    int64_t start = 0;
    int64_t offset = 0;
  };
  const Segment* segment_of(int64_t sequence) const;
  Out numbers(const In& in, int64_t offset) const;

  static constexpr size_t SegmentsKept = 8;
  std::array<Segment, SegmentsKept> segments_{};  // a ring; the newest is segments_[newest_]
  size_t newest_ = 0;
  size_t segment_count_ = 0;

  bool started_ = false;
  uint64_t next_index_;     // one above the highest index sent
  int64_t highest_in_ = 0;  // of this stream, among those sent
  uint32_t last_timestamp_;
  Timestamp last_sent_{};
  uint32_t timestamp_offset_ = 0;
  Vp8Numbers last_vp8_;
  uint16_t picture_id_offset_ = 0;
  uint8_t tl0_offset_ = 0;
  uint16_t last_frame_number_ = 0;
  std::optional<uint16_t> frame_number_offset_;  // of this stream, from its first descriptor on
  srtp::ReplayWindow sent_;
};

}  // namespace viaduct::conference
