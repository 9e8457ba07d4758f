// Puts one source's packets back into order and says, for each stretch of sound, where it comes
// from: a packet, what the next one repeats of it, a guess, or nowhere.
//
// It holds as much as the network's jitter asks for, and a packet more where some get lost, so that
// there is one to recover them from. What it should hold is measured against the fastest packets of
// late: so a sender whose clock is faster or slower than ours neither fills nor empties it. Knows
// nothing of codecs. Numbers of packets are the sender's word, and may be anything.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "audio/transit_times.h"
#include "audio/wiped_bytes.h"
#include "base/bytes.h"
#include "base/time.h"
#include "protocol/rtp/sequence.h"

namespace viaduct::audio {

class JitterBuffer {
 public:
  static constexpr size_t Capacity = 48;
  static constexpr size_t MaxPayloadBytes = 1275;  // RFC 6716 section 3.2.1
  static constexpr uint32_t FrameSamples = 960;    // what a gap is filled with at a time
  // After so many guesses in a row there is silence.
  static constexpr int MaxGuesses = 5;

  JitterBuffer();

  struct Arrival {
    int64_t sequence = 0;   // unwrapped
    int64_t withheld = -1;  // up to here nothing that is missing was worth hearing
    uint32_t timestamp = 0;
    uint32_t samples = 0;  // its duration
    Timestamp at;
    Bytes payload;  // at most MaxPayloadBytes; copied
  };
  enum class Fate : uint8_t { Kept, Late, Repeated };
  Fate put(const Arrival& arrival);

  enum class From : uint8_t {
    Silence,
    Packet,      // `payload`
    Redundancy,  // what `payload`, the packet after it, repeats
    Guess,
  };
  struct Piece {
    From from = From::Silence;
    uint32_t samples = FrameSamples;
    Bytes payload;  // until the next call
  };
  // The next piece of sound.
  Piece take(Timestamp now);

  // Before a frame is taken: whether to bring the delay nearer to what it should be, by playing a
  // frame that is not there (Longer), or two in the time of one (Shorter). Soon where it is quiet,
  // and rarely where it can be heard.
  enum class Pace : uint8_t { AsSent, Longer, Shorter };
  Pace pick_pace(Timestamp now, bool quiet);

  // The stream ends, and another begins.
  void reset();

  bool is_playing() const { return playing_; }
  size_t size() const { return size_; }
  // From the fastest packets of late to when sound of that time plays; 0 while nothing does.
  Duration delay(Timestamp now) const;

 private:
  struct Held {
    int64_t position = 0;  // unwrapped timestamp
    int64_t sequence = 0;
    int64_t withheld = 0;
    uint32_t samples = 0;
    uint16_t bytes = 0;
    uint8_t slot = 0;
  };
  const Held& first() const { return held_[0]; }
  int64_t delay_of(int64_t position, Timestamp now) const;
  int64_t wanted_delay() const;
  void note_loss(const Held& played);
  Bytes payload_of(const Held& held) const;
  bool begin(Timestamp now);
  Piece guess_at_end();
  Piece fill_gap(int64_t gap);
  Piece play_first();
  uint8_t drop_first();
  void wipe(uint8_t slot);
  void wipe_played();
  void stop();

  WipedBytes payloads_;                   // Capacity slots of MaxPayloadBytes
  std::array<Held, Capacity> held_{};     // by position, the first `size_`
  std::array<uint8_t, Capacity> free_{};  // slots, the first Capacity - size_
  size_t size_ = 0;
  std::optional<uint8_t> played_;  // the slot of the piece that was handed out
  rtp::TimestampUnwrapper unwrapper_;
  TransitTimes transit_;

  bool playing_ = false;
  std::optional<int64_t> next_;  // the position that plays next, once something has played
  int64_t last_sequence_ = -1;   // played
  int64_t guessed_ahead_ = 0;  // samples played since the buffer ran dry, which may have been lost
  int guesses_ = 0;            // in a row
  float lost_share_ = 0;       // of packets, of late
  Timestamp paced_{};          // when the delay was last changed
};

}  // namespace viaduct::audio
