// From a source's numbers to a receive slot's: one continuous stream per slot, whatever source, encoding and layers it
// carries.
//
// Sequence numbers leave without a hole where the bridge withheld something, and with one where a packet is lost, so
// that it can be asked for and still come late. Timestamps never run backwards over a switch. The picture numbers of
// VP8 and VP9 (RFC 7741 and RFC 9628, section 4.2) and the frame numbers of dependency descriptors go on counting.
//
// An outgoing SRTP index is given out once and never again: a second packet under the same key and index would give
// its plaintext away (RFC 3711 section 9.1).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "protocol/codec/codec.h"
#include "protocol/codec/payload_front.h"
#include "protocol/srtp/replay_window.h"

namespace viaduct::conference {

class Projection {
 public:
  struct In {
    uint8_t encoding = 0;
    int64_t sequence = 0;  // unwrapped by the encoding
    uint32_t timestamp = 0;
    codec::CodecType codec{};
    std::optional<codec::PictureNumbers> picture;
    std::optional<uint16_t> frame_number;  // of the dependency descriptor
  };
  struct Out {
    uint64_t index = 0;  // SRTP packet index; the sequence number is its low 16 bits
    uint32_t timestamp = 0;
    std::optional<codec::PictureNumbers> picture;
    std::optional<uint16_t> frame_number;
    uint16_t sequence() const { return static_cast<uint16_t>(index); }
  };
  // A packet of the source that the slot carries.
  struct Origin {
    uint8_t encoding = 0;
    int64_t sequence = 0;
    friend bool operator==(const Origin&, const Origin&) = default;
  };

  Projection(uint16_t first_sequence, uint32_t first_timestamp)
      : first_index_(first_sequence), next_index_(first_sequence), last_timestamp_(first_timestamp) {}

  // From `first` on the slot carries another stream: another source, or another encoding of the one that it carried
  // unless stop() was called between. Its numbers join on to what was sent last.
  //
  // `in_former` is the timestamp that the former encoding has for the instant of first.timestamp, where that is known;
  // otherwise the time since the last packet says how far the timestamp moves. It moves on by one at least.
  void start(const In& first, Timestamp now, uint32_t clock_rate, std::optional<uint32_t> in_former = {});
  bool started() const { return started_; }
  // The slot leaves its source, whose numbers mean nothing from now on.
  void stop();

  // A packet of the stream is not forwarded: receivers see no hole in its place. Where they do see one by now, because
  // it came late, the result is the index that an empty packet (padding alone) is to be sent under.
  [[nodiscard]] std::optional<uint64_t> skip(const In& in);
  // No packet of the stream before `sequence` that was not sent will be: as if all of them were skipped.
  void close_gap(int64_t sequence);

  // The outgoing numbers; nothing for a packet from before the stream's start and for one that was sent or skipped
  // already.
  std::optional<Out> project(const In& in, Timestamp now);

  // The numbers that the packet was or should have been sent with, for a resend; also of the encodings that the slot
  // carried shortly before. Nothing when they are unknown by now.
  std::optional<Out> projected(const In& in) const;

  // The packet behind an outgoing number, for NACKs. Nothing for numbers that were not reached yet, and of sources
  // that were carried before.
  std::optional<Origin> origin_of(uint16_t outgoing) const;

  // What the timestamp of the encoding that is carried is in the outgoing stream, for sender reports.
  uint32_t timestamp_of(uint32_t source_timestamp) const { return source_timestamp + stream().timestamp_offset; }

 private:
  // An encoding, for as long as it is carried in one go.
  struct Stream {
    uint32_t generation = 0;
    uint8_t encoding = 0;
    uint32_t timestamp_offset = 0;
    // From its first packet that has them.
    std::optional<uint16_t> picture_offset;
    std::optional<uint8_t> tl0_offset;
    std::optional<uint16_t> frame_number_offset;
  };
  // From `start` on, outgoing index = sequence + offset.
  struct Segment {
    int64_t start = 0;
    int64_t offset = 0;
    uint32_t generation = 0;
    uint16_t skipped_pictures = 0;  // of the stream before it
    uint64_t first_index() const { return static_cast<uint64_t>(start + offset); }
  };

  // A second of 60 pictures, with something skipped in each, and as much again.
  static constexpr size_t SegmentsKept = 128;
  static constexpr size_t StreamsKept = 4;

  const Stream& stream() const { return streams_[generation_ % StreamsKept]; }
  Stream& stream() { return streams_[generation_ % StreamsKept]; }
  // Null when it has been forgotten.
  const Stream* stream_of(const Segment& segment) const;
  const Segment& segment(size_t age) const { return segments_[(newest_ + SegmentsKept - age) % SegmentsKept]; }
  const Segment* segment_of(const In& in) const;
  void begin_segment(int64_t start, uint16_t skipped_pictures);
  bool note_picture(const In& in);
  void join_numbers(const In& in);
  void remember(const Out& out, Timestamp now);
  Out numbers(const In& in, const Segment& segment, const Stream& of) const;
  std::optional<uint64_t> index_of(uint16_t outgoing) const;

  std::array<Segment, SegmentsKept> segments_{};  // a ring; the newest is segments_[newest_]
  size_t newest_ = 0;
  size_t segment_count_ = 0;
  std::array<Stream, StreamsKept> streams_{};  // by generation
  uint32_t generation_ = 0;

  bool started_ = false;
  uint64_t first_index_;    // of the slot
  uint64_t next_index_;     // one above the highest index that is taken, be it by a hole
  int64_t highest_in_ = 0;  // of this stream, among those sent or skipped
  std::optional<uint16_t> newest_picture_in_;  // likewise

  // As they were sent, of the highest index.
  uint32_t last_timestamp_;
  Timestamp last_sent_{};
  uint16_t last_picture_id_ = 0;
  uint8_t last_tl0_ = 0;
  uint16_t last_frame_number_ = 0;
  srtp::ReplayWindow sent_;
};

}  // namespace viaduct::conference
