// One source's sound, frame by frame: its packets go in as they come, and 20 ms of sound come out
// whenever the mix asks.
#pragma once

#include <array>
#include <cstdint>

#include "audio/counters.h"
#include "audio/jitter_buffer.h"
#include "audio/opus_decoder.h"
#include "kernels/audio_engine.h"

namespace viaduct::audio {

class Voice {
 public:
  explicit Voice(MixCounters& counters) : counters_(counters), sound_(MaxSound * sizeof(int16_t)) {}

  // A packet of the stream `ssrc`; its duration is found here. Another SSRC begins anew.
  void put(uint32_t ssrc, JitterBuffer::Arrival arrival);
  // The next frame; false when there is silence, with `out` left alone.
  bool take(Timestamp now, kernels::Frame& out);
  // How loud the frame was (RFC 6464): in quiet places the delay can be changed unheard.
  void set_level(uint8_t level) { quiet_ = level > QuietLevel; }

  Timestamp last_packet() const { return last_packet_; }
  const JitterBuffer& buffer() const { return buffer_; }

 private:
  static constexpr uint8_t QuietLevel = 50;
  static constexpr size_t MaxSound = kernels::FrameSamples + MaxPacketSamples;

  bool fill(Timestamp now, kernels::Frame& out);
  bool add(const JitterBuffer::Piece& piece);
  bool guess(kernels::Frame& out);
  int16_t* sound() const { return reinterpret_cast<int16_t*>(sound_.data()); }

  MixCounters& counters_;
  JitterBuffer buffer_;
  OpusDecoder decoder_;
  WipedBytes sound_;    // decoded and not yet taken: MaxSound samples
  size_t samples_ = 0;  // of these, how many there are
  uint32_t ssrc_ = 0;
  Timestamp last_packet_{};
  bool quiet_ = true;
};

}  // namespace viaduct::audio
