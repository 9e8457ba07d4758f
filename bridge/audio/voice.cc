#include "audio/voice.h"

#include <algorithm>

namespace viaduct::audio {
namespace {

// Two frames in the time of one: the first goes over into the second.
void fade_over(kernels::Frame& first, const kernels::Frame& second) {
  constexpr int32_t Last = kernels::FrameSamples - 1;
  for (int32_t i = 0; i <= Last; ++i) {
    int16_t& sample = first.samples[static_cast<size_t>(i)];
    sample = static_cast<int16_t>(
        (sample * (Last - i) + second.samples[static_cast<size_t>(i)] * i) / Last);
  }
}

}  // namespace

void Voice::put(uint32_t ssrc, JitterBuffer::Arrival arrival) {
  const auto duration = duration_of(arrival.payload);
  if (!duration) return counters_.malformed.add();
  if (ssrc != ssrc_) {
    ssrc_ = ssrc;
    buffer_.reset();
    decoder_.reset();
    samples_ = 0;
  }
  last_packet_ = arrival.at;
  arrival.samples = *duration;
  if (buffer_.put(arrival) == JitterBuffer::Fate::Late) counters_.late.add();
}

bool Voice::take(Timestamp now, kernels::Frame& out) {
  const auto pace = samples_ == 0 ? buffer_.pick_pace(now, quiet_) : JitterBuffer::Pace::AsSent;
  if (pace == JitterBuffer::Pace::Longer) return guess(out);
  if (!fill(now, out)) return false;
  if (pace != JitterBuffer::Pace::Shorter) return true;
  kernels::Frame second;
  if (fill(now, second)) fade_over(out, second);
  explicit_bzero(&second, sizeof second);
  counters_.shortened.add();
  return true;
}

bool Voice::guess(kernels::Frame& out) {
  counters_.lengthened.add();
  return decoder_.conceal(out.samples) == out.samples.size();
}

// False when all of the frame is silence.
bool Voice::fill(Timestamp now, kernels::Frame& out) {
  bool is_sound = samples_ > 0;
  while (samples_ < kernels::FrameSamples) is_sound = add(buffer_.take(now)) || is_sound;
  if (is_sound) std::copy_n(sound(), kernels::FrameSamples, out.samples.begin());
  samples_ -= kernels::FrameSamples;
  std::copy_n(sound() + kernels::FrameSamples, samples_, sound());
  return is_sound;
}

// Decodes a piece behind what there is. A packet that proves damaged is guessed at.
bool Voice::add(const JitterBuffer::Piece& piece) {
  const std::span<int16_t> space(sound() + samples_, MaxSound - samples_);
  const std::span<int16_t> out = space.first(std::min<size_t>(piece.samples, space.size()));
  size_t made = 0;
  switch (piece.from) {
    case JitterBuffer::From::Packet:
      made = decoder_.decode(piece.payload, out);
      if (made > 0) counters_.decoded.add();
      break;
    case JitterBuffer::From::Redundancy:
      made = decoder_.recover(piece.payload, out);
      if (made > 0)
        (has_redundancy(piece.payload) ? counters_.recovered : counters_.concealed).add();
      break;
    case JitterBuffer::From::Guess:
      break;
    case JitterBuffer::From::Silence:
      std::ranges::fill(out, int16_t{0});
      samples_ += out.size();
      return false;
  }
  if (made != out.size()) {
    if (piece.from == JitterBuffer::From::Packet) counters_.malformed.add();
    counters_.concealed.add();
    if (decoder_.conceal(out) != out.size()) std::ranges::fill(out, int16_t{0});
  }
  samples_ += out.size();
  return true;
}

}  // namespace viaduct::audio
