#include "conference/body_evidence.h"

#include <algorithm>
#include <utility>

namespace viaduct::conference {
namespace {

constexpr uint32_t JudgedEvery = 8;
constexpr uint32_t MinSamplesOfNoise = 96;
constexpr uint32_t Peak = 140;
constexpr uint32_t NoPeak = 70;
constexpr uint32_t Flat = 50;

bool nearly_all(uint32_t count, uint32_t of) { return count * 8 >= of * 7; }

}  // namespace

void ProbeSpread::add(const ProbeBytes& probe) {
  for (size_t i = 0; i < probe.size(); ++i) {
    ++counts_[2 * i][probe[i] >> 4];
    ++counts_[2 * i + 1][probe[i] & 15];
  }
  ++samples_;
}

// Sum of (count - n/16)^2 / (n/16) = 16/n * sum of count^2 - n.
uint32_t ProbeSpread::peak() const {
  if (samples_ == 0) return 0;
  uint32_t highest = 0;
  for (const auto& histogram : counts_) {
    uint32_t squares = 0;
    for (const uint32_t count : histogram) squares += count * count;
    highest = std::max(highest, static_cast<uint32_t>(Values) * squares / samples_ - samples_);
  }
  return highest;
}

bool BodyEvidence::add(const BodySample& sample, Timestamp now) {
  ++samples_;
  if (sample.fits && last_shape_.value_or(sample.shape) == sample.shape) ++fitting_;
  last_shape_ = sample.shape;
  spread_.add(sample.probe);
  if (sample.sframe) {
    spread_behind_marks_.add(sample.sframe->probe);
    if (continues_row(*sample.sframe, now)) ++in_row_;
  }
  last_mark_ = sample.sframe;
  last_sample_ = now;

  if (samples_ < MinSamples || samples_ % JudgedEvery != 0) return false;
  if (const auto verdict = judge()) return decide(*verdict, now);
  if (samples_ < MaxSamples) return false;
  // Nothing clear. What was found out about plain data is not forgotten by looking away.
  return decide(verdict_ == ObservedBodies::Plain ? verdict_ : ObservedBodies::Undecided, now);
}

// One counter may number all streams of a sender: it goes on in small steps, larger ones where
// frames are rare, but never by more than a quarter of what its bytes can say, so that chance has
// little part in it.
bool BodyEvidence::continues_row(const BodySample::Sframe& mark, Timestamp now) const {
  constexpr uint64_t StepsAtOnce = 64;
  constexpr int64_t StepsPerSecond = 500;
  if (!last_mark_ || mark.key_id != last_mark_->key_id || mark.counter <= last_mark_->counter)
    return false;
  const int64_t passed_ms = std::clamp<int64_t>(to_us(now - last_sample_) / 1000, 0, 10'000);
  uint64_t steps = StepsAtOnce + static_cast<uint64_t>(passed_ms * StepsPerSecond / 1000);
  if (mark.counter_bytes <= 1) steps = StepsAtOnce;
  return mark.counter - last_mark_->counter <= steps;
}

std::optional<ObservedBodies> BodyEvidence::judge() const {
  if (nearly_all(in_row_, samples_)) {
    if (spread_behind_marks_.peak() < NoPeak) return ObservedBodies::Ciphertext;
    return std::nullopt;
  }
  const bool in_rows = in_row_ * 2 >= samples_;
  if (nearly_all(fitting_, samples_) && !in_rows && spread_.peak() >= Peak)
    return ObservedBodies::Plain;
  if (samples_ >= MinSamplesOfNoise && fitting_ * 3 <= samples_ && spread_.peak() < Flat)
    return ObservedBodies::Ciphertext;
  return std::nullopt;
}

bool BodyEvidence::decide(ObservedBodies verdict, Timestamp now) {
  look_anew();
  next_look_ = now + LookInterval;
  return std::exchange(verdict_, verdict) != verdict;
}

void BodyEvidence::look_anew() {
  const ObservedBodies verdict = verdict_;
  *this = {};
  verdict_ = verdict;
}

bool BodyEvidence::forget() {
  look_anew();
  return std::exchange(verdict_, ObservedBodies::Undecided) != ObservedBodies::Undecided;
}

}  // namespace viaduct::conference
