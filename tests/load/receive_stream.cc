#include "tests/load/receive_stream.h"

#include <algorithm>
#include <cmath>

#include "protocol/srtp/packet_index.h"

namespace viaduct::load {
namespace {

constexpr double FrameGapSmoothing = 1.0 / 16;
constexpr double JitterSmoothing = 1.0 / 16;
// As WebRTC's statistics define a freeze (webrtc-stats, freezeCount).
constexpr double FreezeFactor = 3;
constexpr Duration FreezeMargin = 150ms;
constexpr Duration Pause = 100ms;
constexpr Duration LongestTransitStep = 5s;  // beyond it the numbers have jumped, not the packets

}  // namespace

void ReceiveCounts::add(const ReceiveCounts& o) {
  packets += o.packets;
  bytes += o.bytes;
  lost_generator += o.lost_generator;
  lost_impairment += o.lost_impairment;
  lost_elsewhere += o.lost_elsewhere;
  reordered += o.reordered;
  duplicated += o.duplicated;
  late += o.late;
  verified += o.verified;
  corrupt += o.corrupt;
  freezes += o.freezes;
  switches += o.switches;
  frozen += o.frozen;
}

ReceiveStream::ReceiveStream(codec::MediaKind kind, uint32_t ssrc, uint32_t rtx_ssrc,
                             const FindSent& find_sent, Histogram& latency)
    : kind_(kind), ssrc_(ssrc), rtx_ssrc_(rtx_ssrc), find_sent_(find_sent), latency_(latency) {}

std::optional<uint64_t> ReceiveStream::on_packet(uint16_t sequence, uint32_t rtp_time, size_t bytes,
                                                 Timestamp now) {
  const uint64_t before = highest_;
  const bool first = !started_;
  const auto index = place(sequence);
  if (!index) return std::nullopt;
  mark(*index);
  ++counts_.packets;
  counts_.bytes += bytes;
  if (!first && *index < before) ++counts_.reordered;
  if (now - last_arrival_ > Pause) knows_origin_ = false;
  last_arrival_ = now;
  last_index_ = *index;
  if (knows_origin_) watch_time(*index, now);
  if (kind_ == codec::MediaKind::Video) watch_frames(*index, rtp_time, now);
  return index;
}

void ReceiveStream::on_impaired(uint16_t sequence) {
  const auto index = place(sequence);
  if (!index) return;
  mark(*index);
  ++counts_.lost_impairment;
}

// Where a packet belongs, with the window moved there; nothing when it is there already or too old.
std::optional<uint64_t> ReceiveStream::place(uint16_t sequence) {
  if (!started_) {
    started_ = true;
    highest_ = sequence;
    window_.fill(~uint64_t{0});  // nothing is missed from before the first packet
    last_frame_index_ = highest_;
    return highest_;
  }
  const auto index = srtp::estimate_index(highest_, sequence);
  if (!index) return std::nullopt;
  if (*index > highest_) {
    advance_to(*index);
  } else if (highest_ - *index >= WindowPackets) {
    return std::nullopt;
  } else if (seen(*index)) {
    ++counts_.duplicated;
    return std::nullopt;
  }
  return index;
}

// What falls out of the window unseen is lost.
void ReceiveStream::advance_to(uint64_t index) {
  for (uint64_t i = highest_ + 1; i <= index; ++i) {
    if (i >= WindowPackets && !seen(i - WindowPackets)) judge(i - WindowPackets);
    window_[word(i)] &= ~bit(i);
  }
  highest_ = index;
}

void ReceiveStream::judge(uint64_t index) {
  const Origin* origin = origin_of(index);
  const Fate fate =
      origin == nullptr
          ? Fate::Unknown
          : origin->sent->fate(static_cast<uint32_t>(static_cast<int64_t>(index) + origin->offset));
  if (fate == Fate::Impaired) {
    ++counts_.lost_impairment;
  } else if (fate == Fate::Refused) {
    ++counts_.lost_generator;
  } else {
    ++counts_.lost_elsewhere;
  }
}

void ReceiveStream::finish() {
  if (!started_) return;
  const uint64_t first = highest_ < WindowPackets ? 0 : highest_ - WindowPackets + 1;
  for (uint64_t i = first; i <= highest_; ++i) {
    if (seen(i)) continue;
    judge(i);
    mark(i);
  }
}

void ReceiveStream::begin_measuring() {
  counts_ = {};
  window_.fill(~uint64_t{0});
}

const ReceiveStream::Origin* ReceiveStream::origin_of(uint64_t index) const {
  const Origin& origin = index >= origin_.from ? origin_ : earlier_origin_;
  return origin.sent == nullptr ? nullptr : &origin;
}

std::optional<Timestamp> ReceiveStream::sent_at(uint64_t index) const {
  const Origin* origin = origin_of(index);
  if (origin == nullptr) return std::nullopt;
  return origin->sent->sent_at(static_cast<uint32_t>(static_cast<int64_t>(index) + origin->offset));
}

void ReceiveStream::on_verified(uint64_t index, const std::optional<Stamp>& stamp) {
  if (!stamp) {
    ++counts_.corrupt;
    return;
  }
  ++counts_.verified;
  const bool knew = knows_origin_;
  learn_origin(index, *stamp);
  if (!knew && index == last_index_) watch_time(index, last_arrival_);
}

void ReceiveStream::learn_origin(uint64_t index, const Stamp& stamp) {
  const int64_t offset = static_cast<int64_t>(stamp.packet) - static_cast<int64_t>(index);
  const bool known = origin_.sent != nullptr;
  if (known && index < origin_.from) return;  // an old one
  knows_origin_ = true;
  if (known && origin_.stream == stamp.stream && origin_.offset == offset) return;
  if (known && origin_.stream != stamp.stream) ++counts_.switches;
  earlier_origin_ = origin_;
  origin_ = {known ? index : 0, offset, stamp.stream, find_sent_(stamp.stream)};
}

// Latency, and interarrival jitter (RFC 3550 section 6.4.1), which need when the packet was sent.
void ReceiveStream::watch_time(uint64_t index, Timestamp now) {
  const auto sent = sent_at(index);
  if (!sent) return;
  const Duration latency = now - *sent;
  latency_.add(latency);
  if (latency > LateAfter) ++counts_.late;
  if (last_transit_ns_) {
    const auto step = static_cast<double>(std::abs(latency.count() - *last_transit_ns_));
    if (step < static_cast<double>(LongestTransitStep.count()))
      jitter_ns_ += (step - jitter_ns_) * JitterSmoothing;
  }
  last_transit_ns_ = latency.count();
}

// A freeze is a pause between frames that the sender did not make: packets are missing in it, or
// what ended it came late.
void ReceiveStream::watch_frames(uint64_t index, uint32_t rtp_time, Timestamp now) {
  const bool first = last_frame_ == Timestamp{};
  if (!first && (rtp_time == last_rtp_time_ || index < last_frame_index_)) {
    last_frame_index_ = std::max(last_frame_index_, index);
    return;
  }
  if (!first) {
    const auto gap = static_cast<double>((now - last_frame_).count());
    const double margin = static_cast<double>(FreezeMargin.count());
    const double threshold =
        std::max(FreezeFactor * mean_frame_gap_ns_, mean_frame_gap_ns_ + margin);
    const auto sent = sent_at(index);
    const bool late = knows_origin_ && sent && now - *sent > FreezeMargin;
    const bool missing = index > last_frame_index_ + 1;
    if (mean_frame_gap_ns_ > 0 && gap > threshold && (late || missing)) {
      ++counts_.freezes;
      counts_.frozen += Duration(static_cast<int64_t>(gap));
    }
    mean_frame_gap_ns_ = mean_frame_gap_ns_ <= 0
                             ? gap
                             : mean_frame_gap_ns_ + (gap - mean_frame_gap_ns_) * FrameGapSmoothing;
  }
  last_rtp_time_ = rtp_time;
  last_frame_ = now;
  last_frame_index_ = index;
}

}  // namespace viaduct::load
