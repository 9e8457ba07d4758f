// A directory with clients whose media a test makes up: no packets, only what they would teach.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "conference/directory.h"

namespace viaduct::conference {

struct Room {
  struct Member {
    uint64_t conference = 1;
    size_t audio_slots = 3;
    size_t video_slots = 4;
    bool sends = true;
    bool simulcast = false;  // of its camera, in three encodings
    bool screen = false;     // it has one to show
    std::vector<codec::CodecType> decodes = {codec::CodecType::Opus, codec::CodecType::Vp8};
  };
  static constexpr uint16_t Mic = 0, Cam = 1;  // indexes of a member's sources

  SeededRandom random{1};
  Directory directory{random, {codec::CodecType::Vp8, codec::CodecType::H264}};
  Timestamp now{10s};

  AddEndpoint command(uint64_t id, const Member& m) const {
    auto d = std::make_unique<EndpointDescription>();
    d->id = EndpointId{id};
    d->name = "member " + std::to_string(id);
    uint8_t payload_type = 96;
    for (const codec::CodecType c : m.decodes) d->formats.push_back({.payload_type = payload_type++, .type = c});
    if (m.sends) {
      const auto ssrc = static_cast<uint32_t>(id * 100);
      d->sources.push_back({codec::MediaKind::Audio, "mic", ssrc, {}});
      d->sources.push_back({codec::MediaKind::Video, "cam", ssrc + 1, ssrc + 2});
      if (m.simulcast) d->sources.back().rids = {"l", "m", "h"};
      if (m.screen) d->sources.push_back({codec::MediaKind::Video, "scr", ssrc + 3, ssrc + 4, {}, Content::Screen});
    }
    for (size_t i = 0; i < m.audio_slots + m.video_slots; ++i) {
      const bool audio = i < m.audio_slots;
      const std::string mid = (audio ? "a" : "v") + std::to_string(audio ? i : i - m.audio_slots);
      d->slots.push_back({audio ? codec::MediaKind::Audio : codec::MediaKind::Video, mid});
    }
    return {ConferenceId{m.conference}, "room", std::move(d)};
  }
  Handle<Endpoint> join(uint64_t id) { return join(id, Member()); }
  Handle<Endpoint> join(uint64_t id, const Member& m) { return directory.add(command(id, m), now); }
  void leave(Handle<Endpoint> who) {
    std::vector<Packet> freed;
    directory.remove(who, freed);
  }
  Conference& conference_of(Handle<Endpoint> who) {
    return directory.conference_of(*directory.find(who));
  }
  Source& source(Handle<Endpoint> who, uint16_t index) {
    return directory.find(who)->sources[index];
  }

  // The source sends from now on.
  void send(Handle<Endpoint> who, uint16_t index, codec::CodecType codec) {
    source(who, index).sending = true;
    source(who, index).codec = codec;
    conference_of(who).on_source_changed();
  }
  void send_all(Handle<Endpoint> who) {
    send(who, Mic, codec::CodecType::Opus);
    send(who, Cam, codec::CodecType::Vp8);
  }
  void set_muted(Handle<Endpoint> who, uint16_t index, bool muted) {
    source(who, index).muted = muted;
    conference_of(who).on_source_changed();
  }
  // One packet of `level`, RFC 6464: 0 is the loudest.
  void speak(Handle<Endpoint> who, uint8_t level) {
    source(who, Mic).loudness.on_level(level, now);
  }

  void run_timers() {
    directory.for_each_conference([&](Handle<Conference>, Conference& c) { c.run_timers(now); });
  }
  // Lets time pass; each of `voices` sends a packet of its level every 20 ms.
  using Voices = std::vector<std::pair<Handle<Endpoint>, uint8_t>>;
  void run_for(Duration time, const Voices& voices = {}) {
    for (const Timestamp end = now + time; now < end; now += 20ms) {
      for (const auto& [who, level] : voices) speak(who, level);
      run_timers();
    }
  }

  // Lets time pass; each of `talkers` speaks in syllables, with the room between them.
  void talk_for(Duration time, const std::vector<Handle<Endpoint>>& talkers) {
    constexpr uint8_t Syllable = 30, Pause = 80;
    int packet = 0;
    for (const Timestamp end = now + time; now < end; now += 20ms, ++packet) {
      for (const auto who : talkers) speak(who, packet % 14 < 2 ? Pause : Syllable);
      run_timers();
    }
  }

  // Whose sources the slots of the kind carry, by slot; 0 for an idle one.
  std::vector<uint64_t> carried(Handle<Endpoint> who, codec::MediaKind kind) const {
    std::vector<uint64_t> out;
    for (const Subscription& s : directory.find(who)->slots) {
      if (s.kind != kind) continue;
      const Endpoint* sender = s.carries ? directory.find(s.carries->endpoint) : nullptr;
      out.push_back(sender ? static_cast<uint64_t>(sender->id) : 0);
    }
    return out;
  }
  // The reports of this type since the last call; the others are gone then, too.
  template <typename R>
  std::vector<R> take_reports() {
    std::vector<R> found;
    for (auto& report : std::exchange(directory.reports, {})) {
      if (R* one = std::get_if<R>(&report)) found.push_back(std::move(*one));
    }
    return found;
  }
};

}  // namespace viaduct::conference
