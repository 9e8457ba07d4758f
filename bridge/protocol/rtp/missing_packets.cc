#include "protocol/rtp/missing_packets.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "limits.h"

namespace viaduct::rtp {

void MissingPackets::on_packet(uint16_t sequence, Timestamp now) {
  const bool first = !unwrapper_.started();
  const int64_t extended = unwrapper_.unwrap(sequence);
  if (first) {
    missing_.reserve(limits::MissingPacketsPerSource + 1);
    highest_ = extended;
    return;
  }
  const int64_t step = extended - highest_;
  if (step > MaxDropout || step < -MaxDropout) {
    overflow();
    highest_ = extended;
  } else if (step <= 0) {
    forget(extended);
  } else {
    note_gap(highest_ + 1, extended, now);
    highest_ = extended;
    if (!missing_.empty() && highest_ >= next_overtaken_) next_deadline_ = std::min(next_deadline_, now);
  }
}

size_t MissingPackets::due(Timestamp now, Duration round_trip, std::span<uint16_t> out) {
  if (now < next_deadline()) return 0;
  const Timestamp again = now + std::max(MinRetryInterval, round_trip);
  next_deadline_ = Never;
  next_overtaken_ = std::numeric_limits<int64_t>::max();
  size_t count = 0;
  auto kept = missing_.begin();
  for (Missing missing : missing_) {
    const bool overtaken = missing.tries == 0 && highest_ >= missing.overtaken;
    if (overtaken || now >= missing.due) {
      if (missing.tries == MaxTries) continue;
      missing.due = now;
      if (count < out.size()) {
        out[count++] = static_cast<uint16_t>(missing.sequence);
        missing.due = again;
        ++missing.tries;
      }
    }
    next_deadline_ = std::min(next_deadline_, missing.due);
    if (missing.tries == 0) next_overtaken_ = std::min(next_overtaken_, missing.overtaken);
    *kept++ = missing;
  }
  missing_.erase(kept, missing_.end());
  return count;
}

bool MissingPackets::take_overflowed() { return std::exchange(overflowed_, false); }

void MissingPackets::reset() {
  missing_.clear();
  unwrapper_ = {};
  next_deadline_ = Never;
  overflowed_ = false;
}

// Everything from `first` up to, not including, `next`, the packet that has just come.
void MissingPackets::note_gap(int64_t first, int64_t next, Timestamp now) {
  if (first == next) return;
  if (missing_.size() + static_cast<size_t>(next - first) > limits::MissingPacketsPerSource) {
    overflow();
    return;
  }
  if (missing_.empty()) {
    next_deadline_ = Never;
    next_overtaken_ = std::numeric_limits<int64_t>::max();
  }
  const Timestamp due = now + ReorderAllowance;
  const int64_t overtaken = next + ReorderPackets;
  for (int64_t sequence = first; sequence < next; ++sequence) missing_.push_back({sequence, overtaken, due, 0});
  next_deadline_ = std::min(next_deadline_, due);
  next_overtaken_ = std::min(next_overtaken_, overtaken);
}

void MissingPackets::forget(int64_t sequence) {
  const auto at = std::ranges::lower_bound(missing_, sequence, {}, &Missing::sequence);
  if (at != missing_.end() && at->sequence == sequence) missing_.erase(at);
}

void MissingPackets::overflow() {
  missing_.clear();
  overflowed_ = true;
}

}  // namespace viaduct::rtp
