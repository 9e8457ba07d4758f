// How loud an audio source is, from the levels its packets state in clear (RFC 6464), how strongly it speaks, and
// whether it is silent.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "conference/speech_activity.h"

namespace viaduct::conference {

class Loudness {
 public:
  static constexpr uint8_t Silence = 127;  // -127 dBov
  // The bridge withholds what comes after the first few packets of a silence.
  static constexpr int SilentPacketsForwarded = 3;
  // Speech into a microphone lies at 70 to 110, a quiet room under 50: less is not worth a slot of its own.
  static constexpr float Audible = 60;
  // A source that sends nothing for this long is not loud.
  static constexpr Duration Expiry = 150ms;

  // One packet's level, 0 (loudest) to 127.
  void on_level(uint8_t level, Timestamp now) {
    const float volume = static_cast<float>(127 - (level & 127));
    mean_ = now - last_ > Expiry ? volume : 0.5f * mean_ + 0.5f * volume;
    last_ = now;
    silent_run_ = level == Silence ? silent_run_ + 1 : 0;
    speech_.on_level(level, now);
  }

  // What another worker hears, until it says something else.
  void hold(float mean, const SpeechCounts& speech, Timestamp now) {
    mean_ = mean;
    last_ = Never;
    speech_.hold(speech, now);
  }
  const SpeechActivity& speech() const { return speech_; }

  // Exponential mean of 127 - level: 0 is silence. 0 when nothing came lately.
  float mean(Timestamp now) const { return now - last_ > Expiry ? 0.0f : mean_; }

  // True when a further packet of this level need not be decrypted or forwarded. One in
  // SilentPacketsBetweenProofs is let through all the same, so that the packet index stays
  // authenticated through silences of any length.
  bool may_skip(uint8_t level) const {
    return level == Silence && silent_run_ >= SilentPacketsForwarded &&
           skipped_ < SilentPacketsBetweenProofs;
  }
  void on_skipped() { ++skipped_; }
  void on_authenticated() { skipped_ = 0; }
  // True for an authenticated packet that belongs to a silence receivers need not hear.
  bool in_silence() const { return silent_run_ > SilentPacketsForwarded; }

 private:
  static constexpr int SilentPacketsBetweenProofs = 50;
  float mean_ = 0;
  Timestamp last_{};
  int silent_run_ = 0;
  int skipped_ = 0;
  SpeechActivity speech_;
};

}  // namespace viaduct::conference
