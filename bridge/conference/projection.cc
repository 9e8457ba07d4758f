#include "conference/projection.h"

#include <algorithm>

namespace viaduct::conference {

void Projection::start(const In& first, Timestamp now, uint32_t clock_rate) {
  const bool sent_before = last_sent_ != Timestamp{};
  const auto elapsed = sent_before ? std::max<int64_t>(to_us(now - last_sent_), 0) : 0;
  const auto ticks = static_cast<uint32_t>(elapsed * clock_rate / 1'000'000);
  timestamp_offset_ = last_timestamp_ + std::max<uint32_t>(ticks, 1) - first.timestamp;
  if (first.vp8) {
    picture_id_offset_ = static_cast<uint16_t>(last_vp8_.picture_id + 1 - first.vp8->picture_id);
    tl0_offset_ =
        static_cast<uint8_t>(last_vp8_.tl0_picture_index + 1 - first.vp8->tl0_picture_index);
  }
  frame_number_offset_.reset();
  segments_[newest_ = 0] = {first.sequence, static_cast<int64_t>(next_index_) - first.sequence};
  segment_count_ = 1;
  highest_in_ = first.sequence - 1;
  started_ = true;
}

void Projection::close_gap(int64_t sequence) {
  if (!started_ || sequence <= highest_in_ + 1) return;
  newest_ = (newest_ + 1) % SegmentsKept;
  segments_[newest_] = {sequence, static_cast<int64_t>(next_index_) - sequence};
  segment_count_ = std::min(segment_count_ + 1, SegmentsKept);
  highest_in_ = sequence - 1;
}

std::optional<Projection::Out> Projection::project(const In& in, Timestamp now) {
  const Segment* segment = started_ ? segment_of(in.sequence) : nullptr;
  if (!segment) return std::nullopt;
  if (in.frame_number && !frame_number_offset_)
    frame_number_offset_ = static_cast<uint16_t>(last_frame_number_ + 1 - *in.frame_number);
  const Out out = numbers(in, segment->offset);
  if (!sent_.commit(out.index)) return std::nullopt;
  if (out.index >= next_index_) {
    next_index_ = out.index + 1;
    highest_in_ = in.sequence;
    last_timestamp_ = out.timestamp;
    last_sent_ = now;
    if (out.vp8) last_vp8_ = *out.vp8;
    if (out.frame_number) last_frame_number_ = *out.frame_number;
  }
  return out;
}

std::optional<Projection::Out> Projection::projected(const In& in) const {
  const Segment* segment = started_ ? segment_of(in.sequence) : nullptr;
  if (!segment) return std::nullopt;
  return numbers(in, segment->offset);
}

std::optional<int64_t> Projection::source_sequence(uint16_t outgoing) const {
  if (!started_) return std::nullopt;
  const auto behind = static_cast<uint16_t>(next_index_ - 1 - outgoing);
  const auto index = static_cast<int64_t>(next_index_) - 1 - behind;
  for (size_t i = 0; i < segment_count_; ++i) {
    const Segment& s = segments_[(newest_ + SegmentsKept - i) % SegmentsKept];
    if (index >= s.start + s.offset) return index - s.offset;
  }
  return std::nullopt;
}

const Projection::Segment* Projection::segment_of(int64_t sequence) const {
  for (size_t i = 0; i < segment_count_; ++i) {
    const size_t at = (newest_ + SegmentsKept - i) % SegmentsKept;
    if (sequence < segments_[at].start) continue;
    // A packet that was withheld when a later segment began would land on an index of that segment.
    if (i > 0) {
      const Segment& later = segments_[(at + 1) % SegmentsKept];
      if (sequence + segments_[at].offset >= later.start + later.offset) return nullptr;
    }
    return &segments_[at];
  }
  return nullptr;
}

Projection::Out Projection::numbers(const In& in, int64_t offset) const {
  Out out;
  out.index = static_cast<uint64_t>(in.sequence + offset);
  out.timestamp = in.timestamp + timestamp_offset_;
  if (in.vp8) {
    out.vp8 = Vp8Numbers{static_cast<uint16_t>((in.vp8->picture_id + picture_id_offset_) & 0x7fff),
                         static_cast<uint8_t>(in.vp8->tl0_picture_index + tl0_offset_)};
  }
  if (in.frame_number && frame_number_offset_)
    out.frame_number = static_cast<uint16_t>(*in.frame_number + *frame_number_offset_);
  return out;
}

}  // namespace viaduct::conference
