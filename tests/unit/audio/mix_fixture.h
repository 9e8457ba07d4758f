// A mixing service with one worker's port, voices that are tones, and listeners that decode what
// they get, on virtual time.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

#include "audio/mix_service.h"
#include "audio/opus_decoder.h"
#include "audio/opus_encoder.h"
#include "kernels/cpu_audio.h"
#include "tests/support/tone.h"

namespace viaduct::testing {

class MixFixture : public ::testing::Test {
 public:
  using Request = audio::MixRequest;
  static constexpr audio::ConferenceKey Room{1};
  static constexpr audio::MemberKey member(uint64_t n) { return audio::MemberKey{n}; }

  // Somebody who speaks, without a break while `speaks`.
  struct Speaker {
    Tone tone;
    audio::OpusEncoder encoder;
    uint32_t sequence = 100;
    bool speaks = true;
    audio::ConferenceKey room = Room;
  };
  struct Listener {
    audio::OpusDecoder decoder;
    std::vector<int16_t> heard;
    std::vector<audio::MixedFrame> frames;
    audio::ConferenceKey room = Room;
  };

  explicit MixFixture(size_t voices = 3) : service(kernels::make_cpu_audio(), voices, no_time) {
    service.serve(*port);
  }
  Speaker& add_speaker(uint64_t n, const Tone& tone) {
    return speakers.emplace(n, Speaker{tone, audio::OpusEncoder(), 100, true, Room}).first->second;
  }
  Listener& add_listener(uint64_t n) { return listeners[n]; }

  void run_for(Duration time) {
    for (const Timestamp end = now + time; now < end; now += 20ms) step();
  }
  void step() {
    for (auto& [n, s] : speakers) {
      if (s.speaks) send(n, s);
      ++s.sequence;
    }
    for (auto& [n, l] : listeners) ask(n, l);
    service.turn(now);
    while (const audio::MixedFrame* frame = port->front()) {
      deliver(*frame);
      port->pop();
    }
  }
  void forget(audio::ConferenceKey room) {
    Request& r = *port->blank();
    r.kind = Request::Kind::Forget;
    r.conference = room;
    port->post();
  }
  // How loud a tone is in the end of what somebody has heard.
  double hears(uint64_t listener, double hz, size_t tenths = 10) {
    const auto& heard = listeners.at(listener).heard;
    const size_t samples = std::min(heard.size(), tenths * 4'800);
    return mean_amplitude_of(hz, std::span(heard).last(samples));
  }

  std::unique_ptr<audio::MixPort> port = std::move(*audio::MixPort::open());
  audio::MixService service;
  std::map<uint64_t, Speaker> speakers;
  std::map<uint64_t, Listener> listeners;
  Timestamp now{100s};
  uint64_t frames_for_one = 0, frames_for_all = 0;

 private:
  static Duration no_time() { return {}; }

  void send(uint64_t n, Speaker& s) {
    std::array<int16_t, kernels::FrameSamples> frame;
    s.tone.next(frame);
    Request& r = *port->blank();
    r.kind = Request::Kind::Sound;
    r.conference = s.room;
    r.member = member(n);
    r.stream = 0;
    r.ssrc = static_cast<uint32_t>(n);
    r.sequence = s.sequence;
    r.withheld = -1;
    r.timestamp = s.sequence * 960;
    r.arrival = now;
    r.bytes = static_cast<uint16_t>(s.encoder.encode(frame, r.payload));
    port->post();
  }
  void ask(uint64_t n, const Listener& l) {
    Request& r = *port->blank();
    r.kind = Request::Kind::Listen;
    r.conference = l.room;
    r.member = member(n);
    r.loss_percent = 0;
    port->post();
  }
  void deliver(const audio::MixedFrame& frame) {
    ++(frame.is_for_one ? frames_for_one : frames_for_all);
    for (auto& [n, l] : listeners) {
      const auto speakers_in_it = frame.has_voices_of();
      const bool is_in_it = std::ranges::find(speakers_in_it, member(n)) != speakers_in_it.end();
      if (frame.conference != l.room) continue;
      if (frame.is_for_one ? frame.member != member(n) : is_in_it) continue;
      std::array<int16_t, kernels::FrameSamples> sound;
      EXPECT_EQ(l.decoder.decode(frame.sound(), sound), sound.size());
      l.heard.insert(l.heard.end(), sound.begin(), sound.end());
      l.frames.push_back(frame);
    }
  }
};

}  // namespace viaduct::testing
