// The mix of one conference, on one worker: the voices that come in, who of them is heard, and what
// each listener gets.
//
// Everybody who is not heard gets one and the same encoding; who is heard and listens gets one of
// their own, without their voice. Nobody ever gets their own voice.
//
// A tick is three steps, between which the engine measures and sums what there is of all
// conferences.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "audio/mix_message.h"
#include "audio/opus_encoder.h"
#include "audio/voice.h"
#include "kernels/audio_engine.h"

namespace viaduct::audio {

class ConferenceMix {
 public:
  // `voices` are heard at a time.
  ConferenceMix(size_t voices, MixCounters& counters) : voices_(voices), counters_(counters) {}

  void put(const MixRequest& sound);
  void listen(MemberKey member, int loss_percent, Timestamp now);
  // Forgets who has gone. False when nobody listens any more.
  bool tidy(Timestamp now);
  size_t listeners() const;

  // 1: a frame of each who makes a sound goes behind `frames`.
  void take_sound(Timestamp now, std::vector<kernels::Frame>& frames);
  // 2: who is heard, by those frames and their levels. Who begins or ceases to be heard is faded in
  // or out.
  void choose(std::span<kernels::Frame> frames, std::span<const uint8_t> levels,
              std::span<uint8_t> chosen, std::span<kernels::LimiterState> limiters);
  // 3: what the engine has made of it, encoded. Behind `out` comes what is for single members, then
  // what is for all others.
  struct Mixed {
    std::span<const kernels::Frame> without;
    std::span<const uint8_t> without_levels;
    std::span<const kernels::LimiterState> limiters;
    const kernels::Frame& all;
    uint8_t all_level = 127;
  };
  void encode(const Mixed& mixed, const MixedFrame& blank, std::vector<MixedFrame>& out);

  kernels::LimiterState limiter;  // of what all hear

 private:
  struct Member {
    std::map<uint8_t, std::unique_ptr<Voice>> voices;  // by stream
    float loudness = 0;                                // 127 - level, smoothed
    bool heard = false;
    bool was_heard = false;
    kernels::LimiterState limiter;

    bool listens = false;
    Timestamp listened{};  // last said
    int loss_percent = 0;
    std::unique_ptr<OpusEncoder> encoder;  // while it listens and is heard
  };
  using Members = std::map<MemberKey, Member>;

  void rank(std::span<const uint8_t> levels);
  bool is_heard_or_fading(const Member& m) const { return m.heard || m.was_heard; }
  int worst_loss() const;
  static void encode_into(OpusEncoder& encoder, int loss_percent, const kernels::Frame& sound,
                          MixedFrame& frame);

  const size_t voices_;
  MixCounters& counters_;
  Members members_;
  std::vector<Members::value_type*> sounding_;  // whose frames are under way, in their order
  std::vector<Member*> ranked_;
  OpusEncoder encoder_;  // for all who are not heard
};

}  // namespace viaduct::audio
