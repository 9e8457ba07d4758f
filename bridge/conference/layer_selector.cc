#include "conference/layer_selector.h"

#include <algorithm>
#include <tuple>

namespace viaduct::conference {
namespace {

using rtp::FrameInfo;
using rtp::Indication;
using rtp::layer_at;
using rtp::LayerId;

constexpr uint16_t AllLayers = 0xffff;
static_assert(rtp::StreamLayers == 16);

constexpr uint16_t bit(LayerId layer) { return static_cast<uint16_t>(1u << layer.index()); }
constexpr bool includes(LayerId upper, LayerId lower) {
  return lower.spatial <= upper.spatial && lower.temporal <= upper.temporal;
}
bool is_part_of(const FrameInfo& frame, LayerId layer) { return frame.indication(layer) != Indication::NotPresent; }

constexpr uint16_t layers_of(uint8_t spatial) {
  constexpr uint16_t Temporal = (1u << rtp::TemporalLayers) - 1;
  return static_cast<uint16_t>(Temporal << LayerId{spatial, 0}.index());
}

uint16_t layers_including(LayerId layer) {
  uint16_t found = 0;
  for (size_t i = 0; i < rtp::StreamLayers; ++i) {
    if (includes(layer_at(i), layer)) found |= static_cast<uint16_t>(1u << i);
  }
  return found;
}

}  // namespace

void LayerSelector::aim(std::optional<Layer> target) {
  target_ = target;
  if (!target) current_.reset();
}

void LayerSelector::restart() { current_.reset(); }

bool LayerSelector::may_want(uint8_t encoding) const {
  return (target_ && target_->encoding == encoding) || (current_ && current_->encoding == encoding);
}

LayerSelector::Picked LayerSelector::pick(const Arrived& packet, const FrameInfo& frame) {
  const bool begins = begins_with(packet, frame);
  if (begins) begin(packet);
  if (!current_) return {};
  const Picked skip{.decision = Decision::Skip};
  if (packet.encoding != current_->encoding) return skip;
  if (packet.sequence < begun_at_) return {.decision = Decision::Skip, .is_older = true};
  const Frame& fate = frame_of(packet, frame);
  if (!fate.forwarded) return skip;
  return {.decision = Decision::Forward,
          .begins = begins,
          .ends_picture = frame.ends_frame && fate.ends_picture};
}

LayerSelector::Remedy LayerSelector::remedy_of(uint8_t encoding, int64_t sequence, const FrameInfo& frame) const {
  if (!current_ || encoding != current_->encoding) return Remedy::None;
  const bool is_built_on = frame.indication(frame.layer) != Indication::Discardable;
  if (is_built_on && sequence >= key_from_ && sequence < shrunk_from_) return Remedy::KeyFrame;
  return includes(current_->id, frame.layer) ? Remedy::Resend : Remedy::None;
}

bool LayerSelector::shrinks() const {
  return target_ && current_ && target_->encoding == current_->encoding &&
         target_->id.spatial < current_->id.spatial;
}

std::optional<uint8_t> LayerSelector::awaited() const {
  if (!target_) return std::nullopt;
  if (!current_ || current_->encoding != target_->encoding) return target_->encoding;
  // Temporal layers open up by themselves; a spatial one may stay closed for ever.
  const LayerId goal = best_of(layers_);
  const bool comes = goal.spatial == current_->id.spatial || (whole_ & layers_ & layers_of(goal.spatial)) != 0;
  return comes ? std::nullopt : std::optional(current_->encoding);
}

bool LayerSelector::begins_with(const Arrived& packet, const FrameInfo& frame) const {
  if (!target_ || packet.encoding != target_->encoding || (current_ && current_->encoding == packet.encoding))
    return false;
  return frame.key_frame || frame.unmarked;
}

void LayerSelector::begin(const Arrived& packet) {
  current_ = target_;
  begun_at_ = key_from_ = shrunk_from_ = packet.sequence;
  whole_ = 0;
  make_whole(AllLayers, packet.sequence);
  frames_decided_ = 0;
  newest_timestamp_ = packet.timestamp - 1;
  stretch_count_ = 0;
  newest_number_.reset();
  forwarded_numbers_ = 0;
}

const LayerSelector::Frame& LayerSelector::frame_of(const Arrived& packet, const FrameInfo& frame) {
  if (const Frame* known = find(packet.timestamp, frame.layer.spatial)) {
    // The first packet of a key frame may come after others of it.
    if (frame.key_frame && known->forwarded && packet.timestamp == newest_timestamp_)
      make_whole(static_cast<uint16_t>(~skipped_in_picture_), packet.sequence);
    return *known;
  }
  const auto ahead = static_cast<int32_t>(packet.timestamp - newest_timestamp_);
  Frame& fate = frames_[frames_decided_++ % FramesKept];
  fate = ahead >= 0 ? decide_in_time(packet, frame, ahead > 0) : decide_late(packet, frame);
  note_number(frame, fate.forwarded);
  return fate;
}

LayerSelector::Frame LayerSelector::decide_in_time(const Arrived& packet, const FrameInfo& frame, bool new_picture) {
  if (new_picture) {
    newest_timestamp_ = packet.timestamp;
    key_picture_ = false;
    skipped_in_picture_ = 0;
  }
  key_picture_ |= frame.key_frame;
  layers_ = frame.layers;
  uint16_t can_begin = 0;
  if (frame.key_frame) {
    can_begin = AllLayers;
  } else if (decodable(packet, frame)) {
    can_begin = frame.layers_with(Indication::Switch);
  }
  can_begin &= static_cast<uint16_t>(~skipped_in_picture_);  // frames of one picture may come in any order

  // Within a picture nothing is taken away: its end was announced by what was forwarded of it.
  uint16_t usable = static_cast<uint16_t>((whole_ | can_begin) & layers_);
  if (!new_picture) usable &= layers_including(current_->id);
  if (const LayerId best = best_of(usable); stretch_count_ == 0 || best != current_->id) {
    if ((whole_ & bit(best)) == 0) whole_from_[best.index()] = packet.sequence;
    go_over(best, packet.sequence);
  }

  // Of a picture that decoding can begin with, lower layers are forwarded even when the layer does without them: they
  // bring what describes the stream.
  const LayerId now = current_->id;
  const bool forwarded = is_part_of(frame, now) || (key_picture_ && includes(now, frame.layer));
  if (forwarded) {
    if (frame.key_frame) key_from_ = packet.sequence;
    make_whole(can_begin, packet.sequence);
  } else {
    const uint16_t without = frame.layers_with(Indication::NotPresent);
    whole_ &= without;
    skipped_in_picture_ |= static_cast<uint16_t>(~without);
  }
  return {packet.timestamp, frame.layer.spatial, forwarded, frame.layer.spatial == now.spatial};
}

// By the layers that were forwarded when it should have come.
LayerSelector::Frame LayerSelector::decide_late(const Arrived& packet, const FrameInfo& frame) {
  Frame fate{packet.timestamp, frame.layer.spatial, false, false};
  for (size_t age = 0; age < stretch_count_ && !fate.forwarded; ++age) {
    const Stretch& s = stretch(age);
    const bool over = age > 0 && packet.sequence >= stretch(age - 1).from;
    if (over || packet.sequence < std::min(s.whole_from, s.from) || !is_part_of(frame, s.layer)) continue;
    fate.forwarded = true;
    fate.ends_picture = frame.layer.spatial == s.layer.spatial;
  }
  for (size_t i = 0; i < rtp::StreamLayers && !fate.forwarded; ++i) {
    const LayerId layer = layer_at(i);
    if (is_part_of(frame, layer) && whole_from_[i] <= packet.sequence) whole_ &= static_cast<uint16_t>(~bit(layer));
  }
  return fate;
}

// Whether the receiver has all that the frame is predicted from, as far as that can be known.
bool LayerSelector::decodable(const Arrived& packet, const FrameInfo& frame) const {
  if (is_part_of(frame, current_->id)) return true;
  switch (frame.prediction) {
    case rtp::Prediction::Unknown: return false;
    case rtp::Prediction::Nothing: return true;
    case rtp::Prediction::LowestFrames: return true;
    case rtp::Prediction::LayerBelow: {
      const int below = frame.layer.spatial - 1;
      const Frame* base = below < 0 ? nullptr : find(packet.timestamp, static_cast<uint8_t>(below));
      return base && base->forwarded;
    }
    case rtp::Prediction::NumberedFrames: return has_all_needed(frame);
  }
  return false;
}

bool LayerSelector::has_all_needed(const FrameInfo& frame) const {
  if (frame.needs == 0) return true;
  if (!frame.number || !newest_number_) return false;
  // Bit i of what is to be had: frame number - 1 - i.
  const auto ahead = static_cast<int16_t>(*frame.number - *newest_number_);
  if (ahead > 64 || ahead < -62) return false;
  const uint64_t had = ahead > 0 ? forwarded_numbers_ << (ahead - 1) : forwarded_numbers_ >> (1 - ahead);
  return (frame.needs & ~had) == 0;
}

// The highest of `layers` within the target, spatial first; else the least above it; else what is forwarded now.
LayerId LayerSelector::best_of(uint16_t layers) const {
  const auto rank = [&](LayerId l) {
    const LayerId aimed = target_->encoding == current_->encoding ? target_->id : current_->id;
    const bool fits = l.temporal <= aimed.temporal;
    const int above = std::max(l.spatial - aimed.spatial, 0);
    return std::tuple(-above, l.spatial, fits, fits ? l.temporal : -l.temporal);
  };
  std::optional<LayerId> best;
  for (size_t i = 0; i < rtp::StreamLayers; ++i) {
    const LayerId layer = layer_at(i);
    if ((layers & bit(layer)) != 0 && (!best || rank(layer) > rank(*best))) best = layer;
  }
  return best.value_or(current_->id);
}

void LayerSelector::go_over(LayerId to, int64_t sequence) {
  if (to.spatial < current_->id.spatial) shrunk_from_ = sequence;
  current_->id = to;
  newest_stretch_ = (newest_stretch_ + 1) % StretchesKept;
  stretches_[newest_stretch_] = {to, whole_from_[to.index()], sequence};
  stretch_count_ = std::min(stretch_count_ + 1, StretchesKept);
}

void LayerSelector::make_whole(uint16_t layers, int64_t sequence) {
  whole_ |= layers;
  for (size_t i = 0; i < rtp::StreamLayers; ++i) {
    if ((layers >> i & 1) != 0) whole_from_[i] = sequence;
  }
}

void LayerSelector::note_number(const FrameInfo& frame, bool forwarded) {
  if (!frame.number) return;
  const auto ahead = static_cast<int16_t>(newest_number_ ? *frame.number - *newest_number_ : 1);
  if (ahead > 0) {
    forwarded_numbers_ = ahead < 64 ? forwarded_numbers_ << ahead : 0;
    newest_number_ = frame.number;
  }
  const int at = std::max<int>(-ahead, 0);
  if (forwarded && at < 64) forwarded_numbers_ |= uint64_t{1} << at;
}

const LayerSelector::Frame* LayerSelector::find(uint32_t timestamp, uint8_t spatial) const {
  const size_t kept = std::min(frames_decided_, FramesKept);
  for (size_t age = 1; age <= kept; ++age) {
    const Frame& f = frames_[(frames_decided_ - age) % FramesKept];
    if (f.timestamp == timestamp && f.spatial == spatial) return &f;
  }
  return nullptr;
}

}  // namespace viaduct::conference
