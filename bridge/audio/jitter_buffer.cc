#include "audio/jitter_buffer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "audio/opus_decoder.h"
#include "base/check.h"

namespace viaduct::audio {
namespace {

// A stream whose timestamps leap by more than this against the clock begins anew.
constexpr int64_t LeapSamples = 2 * SampleRate;
// How far the delay may be from what it should be before anything is done.
constexpr int64_t SlackSamples = 480;
constexpr int64_t FarOffSamples = 3 * JitterBuffer::FrameSamples;
constexpr float LossNoted = 0.02f;  // how many must get lost for it to matter
constexpr float LossMemory = 100;   // packets
constexpr Duration PaceInQuiet = 100ms;
constexpr Duration PaceInSound = 2s;

int64_t samples_at(Timestamp t) {  // of our clock; nanoseconds * 48 / 10^6
  return t.time_since_epoch().count() / 1000 * 6 / 125;
}

}  // namespace

JitterBuffer::JitterBuffer() : payloads_(Capacity * MaxPayloadBytes) {
  for (size_t i = 0; i < Capacity; ++i) free_[i] = static_cast<uint8_t>(i);
}

JitterBuffer::Fate JitterBuffer::put(const Arrival& a) {
  CHECK(a.payload.size() <= MaxPayloadBytes);
  wipe_played();  // its slot may be the next that is filled
  const int64_t at = samples_at(a.at);
  int64_t position = unwrapper_.peek(a.timestamp);
  if (transit_.started() && std::abs(at - position - transit_.fastest()) > LeapSamples) {
    reset();
    position = unwrapper_.peek(a.timestamp);
  }
  unwrapper_.unwrap(a.timestamp);
  transit_.note(at - position, at);
  if (next_ && position < *next_) return Fate::Late;

  const auto end = held_.begin() + static_cast<std::ptrdiff_t>(size_);
  auto place = std::lower_bound(held_.begin(), end, position,
                                [](const Held& h, int64_t p) { return h.position < p; });
  if (place != end && place->position == position) return Fate::Repeated;
  if (size_ == Capacity) {  // a burst beyond all measure: its oldest go
    const bool is_oldest = place == held_.begin();
    if (is_oldest) return Fate::Late;
    wipe(drop_first());
    --place;
  }
  const uint8_t slot = free_[Capacity - 1 - size_];
  std::move_backward(place, held_.begin() + static_cast<std::ptrdiff_t>(size_),
                     held_.begin() + static_cast<std::ptrdiff_t>(size_ + 1));
  *place = {position, a.sequence, a.withheld, a.samples, static_cast<uint16_t>(a.payload.size()),
            slot};
  ++size_;
  std::ranges::copy(a.payload, payloads_.data() + slot * MaxPayloadBytes);
  return Fate::Kept;
}

JitterBuffer::Piece JitterBuffer::take(Timestamp now) {
  wipe_played();
  if (!playing_ && !begin(now)) return {};
  if (size_ == 0) return guess_at_end();
  // What was guessed while there was nothing stands for as much of what is missing.
  int64_t gap = first().position - *next_;
  const int64_t guessed = std::min(gap, std::exchange(guessed_ahead_, 0));
  *next_ += guessed;
  gap -= guessed;
  return gap >= static_cast<int64_t>(ShortestFrameSamples) ? fill_gap(gap) : play_first();
}

// Sound begins when its first packet has waited for those that are slower.
bool JitterBuffer::begin(Timestamp now) {
  if (size_ == 0 || delay_of(first().position, now) < wanted_delay()) return false;
  playing_ = true;
  next_ = first().position;
  guessed_ahead_ = 0;
  guesses_ = 0;
  paced_ = now;
  return true;
}

// The next packet is late or lost, or the sender has stopped. Sound that comes after a guess at it
// plays later by as much; that is how the delay grows when it must.
JitterBuffer::Piece JitterBuffer::guess_at_end() {
  if (++guesses_ > MaxGuesses) {
    stop();
    return {};
  }
  guessed_ahead_ += FrameSamples;
  return {.from = From::Guess};
}

JitterBuffer::Piece JitterBuffer::fill_gap(int64_t gap) {
  const int64_t whole = gap - gap % static_cast<int64_t>(ShortestFrameSamples);
  const auto samples = static_cast<uint32_t>(std::min<int64_t>(whole, FrameSamples));
  *next_ += samples;
  if (first().withheld > last_sequence_) return {.from = From::Silence, .samples = samples};
  if (samples == whole && samples <= first().samples)
    return {.from = From::Redundancy, .samples = samples, .payload = payload_of(first())};
  const bool is_too_long = ++guesses_ > MaxGuesses;
  return {.from = is_too_long ? From::Silence : From::Guess, .samples = samples};
}

JitterBuffer::Piece JitterBuffer::play_first() {
  const Held played = first();
  played_ = drop_first();
  note_loss(played);
  next_ = played.position + played.samples;
  last_sequence_ = played.sequence;
  guesses_ = 0;
  return {.from = From::Packet, .samples = played.samples, .payload = payload_of(played)};
}

void JitterBuffer::note_loss(const Held& played) {
  const bool lost = last_sequence_ >= 0 && played.sequence > last_sequence_ + 1 &&
                    played.withheld <= last_sequence_;
  lost_share_ += ((lost ? 1.0f : 0.0f) - lost_share_) / LossMemory;
}

int64_t JitterBuffer::wanted_delay() const {
  return transit_.spread() + (lost_share_ > LossNoted ? FrameSamples : 0);
}

JitterBuffer::Pace JitterBuffer::pick_pace(Timestamp now, bool quiet) {
  if (!playing_ || size_ == 0) return Pace::AsSent;
  const int64_t excess = delay_of(*next_, now) - wanted_delay();
  const int64_t off = excess < 0 ? -excess : excess - FrameSamples;  // beyond what is right
  if (off < SlackSamples) return Pace::AsSent;
  const Duration patience = quiet || off > FarOffSamples ? PaceInQuiet : PaceInSound;
  if (now - paced_ < patience || (excess > 0 && size_ < 2)) return Pace::AsSent;
  paced_ = now;
  return excess < 0 ? Pace::Longer : Pace::Shorter;
}

Duration JitterBuffer::delay(Timestamp now) const {
  if (!playing_) return {};
  return std::chrono::microseconds(delay_of(*next_, now) * 125 / 6);
}

int64_t JitterBuffer::delay_of(int64_t position, Timestamp now) const {
  return samples_at(now) - position - transit_.fastest();
}

Bytes JitterBuffer::payload_of(const Held& held) const {
  return {payloads_.data() + held.slot * MaxPayloadBytes, held.bytes};
}

uint8_t JitterBuffer::drop_first() {
  const uint8_t slot = free_[Capacity - size_] = first().slot;
  std::move(held_.begin() + 1, held_.begin() + static_cast<std::ptrdiff_t>(size_), held_.begin());
  --size_;
  return slot;
}

// Nothing that was said stays behind, however long the stream goes on.
void JitterBuffer::wipe(uint8_t slot) {
  explicit_bzero(payloads_.data() + slot * MaxPayloadBytes, MaxPayloadBytes);
}

void JitterBuffer::wipe_played() {
  if (played_) wipe(*std::exchange(played_, std::nullopt));
}

void JitterBuffer::stop() {
  playing_ = false;
  guesses_ = 0;
}

void JitterBuffer::reset() {
  while (size_ > 0) wipe(drop_first());
  stop();
  unwrapper_ = {};
  transit_ = {};
  next_.reset();
  last_sequence_ = -1;
  guessed_ahead_ = 0;
}

}  // namespace viaduct::audio
