#include "conference/projection.h"

#include <algorithm>

namespace viaduct::conference {
namespace {

constexpr uint16_t PictureIds = 0x7fff;

bool is_newer_picture(uint16_t id, uint16_t than) {
  const auto ahead = static_cast<uint16_t>((id - than) & PictureIds);
  return ahead != 0 && ahead < 0x4000;
}

}  // namespace

void Projection::start(const In& first, Timestamp now, uint32_t clock_rate, std::optional<uint32_t> in_former) {
  const auto elapsed = sent_.started() ? std::max<int64_t>(to_us(now - last_sent_), 0) : 0;
  uint32_t ahead = static_cast<uint32_t>(elapsed * clock_rate / 1'000'000);
  if (started_ && in_former) {
    // A sender whose encodings' clocks disagree by more than a second is not to be believed.
    const uint32_t exactly = timestamp_of(*in_former) - last_timestamp_;
    const auto off = static_cast<int32_t>(exactly - ahead);
    if (std::abs(int64_t{off}) <= clock_rate) ahead = exactly;
  }
  ahead = static_cast<uint32_t>(std::max(static_cast<int32_t>(ahead), 1));
  const uint32_t timestamp_offset = last_timestamp_ + ahead - first.timestamp;

  ++generation_;
  stream() = {.generation = generation_, .encoding = first.encoding, .timestamp_offset = timestamp_offset};
  started_ = true;
  highest_in_ = first.sequence - 1;
  newest_picture_in_.reset();
  begin_segment(first.sequence, 0);
  join_numbers(first);
}

void Projection::stop() {
  started_ = false;
  segment_count_ = 0;
}

std::optional<uint64_t> Projection::skip(const In& in) {
  if (!started_) return std::nullopt;
  if (in.encoding == stream().encoding && in.sequence > highest_in_) {
    const uint16_t skipped = segment(0).skipped_pictures;
    next_index_ = static_cast<uint64_t>(in.sequence + segment(0).offset);
    highest_in_ = in.sequence;
    // A VP8 receiver waits for every picture id (RFC 7741 section 4.2); those of VP9 tell dependencies by distance.
    const bool new_picture = note_picture(in) && in.codec == codec::CodecType::Vp8;
    begin_segment(in.sequence + 1, static_cast<uint16_t>(skipped + (new_picture ? 1 : 0)));
    return std::nullopt;
  }
  const Segment* const late = segment_of(in);
  if (!late) return std::nullopt;
  const auto index = static_cast<uint64_t>(in.sequence + late->offset);
  return sent_.commit(index) ? std::optional(index) : std::nullopt;
}

void Projection::close_gap(int64_t sequence) {
  if (!started_ || sequence <= highest_in_ + 1) return;
  highest_in_ = sequence - 1;
  begin_segment(sequence, segment(0).skipped_pictures);
}

std::optional<Projection::Out> Projection::project(const In& in, Timestamp now) {
  const Segment* const segment = started_ ? segment_of(in) : nullptr;
  if (!segment) return std::nullopt;
  const bool carried = segment->generation == generation_;
  if (carried) join_numbers(in);
  const Out out = numbers(in, *segment, *stream_of(*segment));
  if (!sent_.commit(out.index)) return std::nullopt;
  if (carried) note_picture(in);
  if (out.index >= next_index_) {
    next_index_ = out.index + 1;
    highest_in_ = in.sequence;
    remember(out, now);
  }
  return out;
}

std::optional<Projection::Out> Projection::projected(const In& in) const {
  const Segment* const segment = started_ ? segment_of(in) : nullptr;
  if (!segment || static_cast<uint64_t>(in.sequence + segment->offset) >= next_index_) return std::nullopt;
  return numbers(in, *segment, *stream_of(*segment));
}

std::optional<Projection::Origin> Projection::origin_of(uint16_t outgoing) const {
  const auto index = index_of(outgoing);
  if (!index) return std::nullopt;
  for (size_t age = 0; age < segment_count_; ++age) {
    const Segment& s = segment(age);
    const Stream* const from = stream_of(s);
    if (!from) break;
    if (*index >= s.first_index()) return Origin{from->encoding, static_cast<int64_t>(*index) - s.offset};
  }
  return std::nullopt;
}

const Projection::Stream* Projection::stream_of(const Segment& segment) const {
  const Stream& of = streams_[segment.generation % StreamsKept];
  return of.generation == segment.generation ? &of : nullptr;
}

const Projection::Segment* Projection::segment_of(const In& in) const {
  for (size_t age = 0; age < segment_count_; ++age) {
    const Segment& s = segment(age);
    const Stream* const of = stream_of(s);
    if (!of) break;
    if (of->encoding != in.encoding || in.sequence < s.start) continue;
    // A packet that was skipped when a later segment began would land on an index of that segment.
    const bool taken = age > 0 && in.sequence + s.offset >= static_cast<int64_t>(segment(age - 1).first_index());
    return taken ? nullptr : &s;
  }
  return nullptr;
}

// From the sequence number `start` on nothing is missing before next_index_.
void Projection::begin_segment(int64_t start, uint16_t skipped_pictures) {
  const bool empty = segment_count_ > 0 && segment(0).generation == generation_ &&
                     segment(0).first_index() == next_index_;
  if (!empty) {
    newest_ = (newest_ + 1) % SegmentsKept;
    segment_count_ = std::min(segment_count_ + 1, SegmentsKept);
  }
  segments_[newest_] = {.start = start,
                        .offset = static_cast<int64_t>(next_index_) - start,
                        .generation = generation_,
                        .skipped_pictures = skipped_pictures};
}

// Whether no packet of its picture was seen before.
bool Projection::note_picture(const In& in) {
  if (!in.picture) return false;
  const uint16_t id = in.picture->picture_id;
  if (newest_picture_in_ && !is_newer_picture(id, *newest_picture_in_)) return false;
  newest_picture_in_ = id;
  return true;
}

// What a stream counts begins one above what was sent last, be it with the stream's first packet or later.
void Projection::join_numbers(const In& in) {
  Stream& to = stream();
  if (in.picture && !to.picture_offset) {
    to.picture_offset =
        static_cast<uint16_t>(last_picture_id_ + 1 + segment(0).skipped_pictures - in.picture->picture_id);
  }
  if (in.picture && in.picture->tl0_picture_index && !to.tl0_offset)
    to.tl0_offset = static_cast<uint8_t>(last_tl0_ + 1 - *in.picture->tl0_picture_index);
  if (in.frame_number && !to.frame_number_offset)
    to.frame_number_offset = static_cast<uint16_t>(last_frame_number_ + 1 - *in.frame_number);
}

void Projection::remember(const Out& out, Timestamp now) {
  last_timestamp_ = out.timestamp;
  last_sent_ = now;
  if (out.picture) last_picture_id_ = out.picture->picture_id;
  if (out.picture && out.picture->tl0_picture_index) last_tl0_ = *out.picture->tl0_picture_index;
  if (out.frame_number) last_frame_number_ = *out.frame_number;
}

Projection::Out Projection::numbers(const In& in, const Segment& segment, const Stream& of) const {
  Out out;
  out.index = static_cast<uint64_t>(in.sequence + segment.offset);
  out.timestamp = in.timestamp + of.timestamp_offset;
  if (in.picture && of.picture_offset) {
    const auto id = static_cast<uint16_t>(in.picture->picture_id + *of.picture_offset - segment.skipped_pictures);
    out.picture = codec::PictureNumbers{static_cast<uint16_t>(id & PictureIds), std::nullopt};
    if (in.picture->tl0_picture_index && of.tl0_offset)
      out.picture->tl0_picture_index = static_cast<uint8_t>(*in.picture->tl0_picture_index + *of.tl0_offset);
  }
  if (in.frame_number && of.frame_number_offset)
    out.frame_number = static_cast<uint16_t>(*in.frame_number + *of.frame_number_offset);
  return out;
}

// The latest index that was reached with this sequence number; nothing for those that no packet can have had.
std::optional<uint64_t> Projection::index_of(uint16_t outgoing) const {
  const auto behind = static_cast<uint16_t>(next_index_ - 1 - outgoing);
  if (next_index_ - first_index_ <= behind) return std::nullopt;
  return next_index_ - 1 - behind;
}

}  // namespace viaduct::conference
