// Tones, and how much of one is in a stretch of sound: whoever speaks in a test is known by a tone.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

namespace viaduct::testing {

inline constexpr double ToneRate = 48'000;

// A tone that goes on from call to call. It can swell and fade `syllables` times a second, which a
// codec takes for speech where it takes a steady tone for noise.
class Tone {
 public:
  explicit Tone(double hz, double amplitude = 8'000, double syllables = 0)
      : step_(turns(hz)), swell_step_(turns(syllables)), amplitude_(amplitude) {}
  void next(std::span<int16_t> out) {
    for (int16_t& sample : out) {
      const double swell = swell_step_ == 0 ? 1 : (1 - std::cos(swell_)) / 2;
      sample = static_cast<int16_t>(std::lround(amplitude_ * swell * std::sin(phase_)));
      phase_ = std::fmod(phase_ + step_, 2 * std::numbers::pi);
      swell_ = std::fmod(swell_ + swell_step_, 2 * std::numbers::pi);
    }
  }

 private:
  static double turns(double hz) { return 2 * std::numbers::pi * hz / ToneRate; }
  double step_, swell_step_, amplitude_, phase_ = 0, swell_ = 0;
};

// The amplitude of the tone in it, by Goertzel's algorithm. Of whole tenths of a second, so that
// tones of multiples of 10 Hz do not leak into each other.
inline double amplitude_of(double hz, std::span<const int16_t> sound) {
  const double w = 2 * std::numbers::pi * hz / ToneRate;
  double before = 0, last = 0;
  for (const int16_t sample : sound) {
    const double next = sample + 2 * std::cos(w) * last - before;
    before = last;
    last = next;
  }
  const double power = last * last + before * before - 2 * std::cos(w) * last * before;
  return 2 * std::sqrt(std::max(power, 0.0)) / static_cast<double>(sound.size());
}

// The same, averaged over its tenths of a second: a decoder that loses the phase for a moment does
// not hide a tone.
inline double mean_amplitude_of(double hz, std::span<const int16_t> sound) {
  constexpr size_t Tenth = 4'800;
  double sum = 0;
  const size_t parts = sound.size() / Tenth;
  for (size_t i = 0; i < parts; ++i) sum += amplitude_of(hz, sound.subspan(i * Tenth, Tenth));
  return parts == 0 ? 0 : sum / static_cast<double>(parts);
}

}  // namespace viaduct::testing
