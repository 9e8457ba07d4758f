#include "audio/conference_mix.h"

#include <algorithm>

namespace viaduct::audio {
namespace {

constexpr Duration VoiceExpiry = 2s;       // a stream without packets
constexpr Duration ListenExpiry = 3s;      // of a listener who does not say so any more
constexpr float Rise = 0.5f, Fall = 0.1f;  // per frame, of the mean loudness
constexpr float Audible = 20;              // 127 - level
constexpr float Stays = 6;                 // dB by which a challenger must be louder
constexpr size_t FadeSamples = 240;        // 5 ms

void fade_in(kernels::Frame& frame) {
  for (size_t i = 0; i < FadeSamples; ++i) {
    frame.samples[i] = static_cast<int16_t>(frame.samples[i] * static_cast<int32_t>(i) /
                                            static_cast<int32_t>(FadeSamples));
  }
}

void fade_out(kernels::Frame& frame) {
  for (size_t i = 0; i < FadeSamples; ++i) {
    frame.samples[i] =
        static_cast<int16_t>(frame.samples[i] * static_cast<int32_t>(FadeSamples - i) /
                             static_cast<int32_t>(FadeSamples));
  }
  std::ranges::fill(std::span(frame.samples).subspan(FadeSamples), int16_t{0});
}

// A microphone and the sound of a screen are one voice, so that neither comes back to its sender.
void add(kernels::Frame& sum, const kernels::Frame& other) {
  for (size_t i = 0; i < sum.samples.size(); ++i) {
    const int32_t s = sum.samples[i] + other.samples[i];
    sum.samples[i] = static_cast<int16_t>(std::clamp<int32_t>(s, INT16_MIN, INT16_MAX));
  }
}

}  // namespace

void ConferenceMix::put(const MixRequest& sound) {
  auto& voice = members_[sound.member].voices[sound.stream];
  if (!voice) voice = std::make_unique<Voice>(counters_);
  voice->put(sound.ssrc, {.sequence = sound.sequence,
                          .withheld = sound.withheld,
                          .timestamp = sound.timestamp,
                          .at = sound.arrival,
                          .payload = sound.sound()});
}

void ConferenceMix::listen(MemberKey member, int loss_percent, Timestamp now) {
  Member& m = members_[member];
  m.listens = true;
  m.listened = now;
  m.loss_percent = loss_percent;
}

bool ConferenceMix::tidy(Timestamp now) {
  bool is_heard_by_anybody = false;
  for (auto& [key, m] : members_) {
    if (now - m.listened > ListenExpiry) m.listens = false;
    is_heard_by_anybody = is_heard_by_anybody || m.listens;
    std::erase_if(m.voices,
                  [&](const auto& v) { return now - v.second->last_packet() > VoiceExpiry; });
  }
  std::erase_if(members_,
                [](const auto& m) { return m.second.voices.empty() && !m.second.listens; });
  return is_heard_by_anybody;
}

size_t ConferenceMix::listeners() const {
  return static_cast<size_t>(
      std::ranges::count_if(members_, [](const auto& m) { return m.second.listens; }));
}

void ConferenceMix::take_sound(Timestamp now, std::vector<kernels::Frame>& frames) {
  sounding_.clear();
  for (auto& entry : members_) {
    kernels::Frame one, sum;
    bool has_sound = false;
    for (auto& [stream, voice] : entry.second.voices) {
      if (!voice->take(now, one)) continue;
      if (has_sound) {
        add(sum, one);
      } else {
        sum = one;
      }
      has_sound = true;
    }
    if (has_sound) {
      frames.push_back(sum);
      sounding_.push_back(&entry);
    } else {
      entry.second.loudness *= 1 - Fall;
      entry.second.heard = entry.second.was_heard = false;
      for (auto& [stream, voice] : entry.second.voices) voice->set_level(127);
    }
    explicit_bzero(&one, sizeof one);
    explicit_bzero(&sum, sizeof sum);
  }
}

void ConferenceMix::choose(std::span<kernels::Frame> frames, std::span<const uint8_t> levels,
                           std::span<uint8_t> chosen, std::span<kernels::LimiterState> limiters) {
  rank(levels);
  for (size_t i = 0; i < sounding_.size(); ++i) {
    Member& m = sounding_[i]->second;
    if (m.heard && !m.was_heard) {
      m.limiter = {};
      fade_in(frames[i]);
    } else if (!m.heard && m.was_heard) {
      fade_out(frames[i]);
    }
    chosen[i] = is_heard_or_fading(m);
    limiters[i] = m.limiter;
  }
}

// The loudest of late; who is heard stays unless somebody is clearly louder.
void ConferenceMix::rank(std::span<const uint8_t> levels) {
  ranked_.clear();
  for (size_t i = 0; i < sounding_.size(); ++i) {
    Member& m = sounding_[i]->second;
    const float volume = static_cast<float>(127 - levels[i]);
    m.loudness += (volume > m.loudness ? Rise : Fall) * (volume - m.loudness);
    for (auto& [stream, voice] : m.voices) voice->set_level(levels[i]);
    m.was_heard = m.heard;
    if (m.loudness >= Audible) ranked_.push_back(&m);
    m.heard = false;
  }
  const auto standing = [](const Member* m) { return m->loudness + (m->was_heard ? Stays : 0); };
  std::ranges::stable_sort(ranked_, std::greater<>(), standing);
  for (size_t i = 0; i < std::min(ranked_.size(), voices_); ++i) ranked_[i]->heard = true;
}

void ConferenceMix::encode(const Mixed& mixed, const MixedFrame& blank,
                           std::vector<MixedFrame>& out) {
  MixedFrame for_all = blank;
  for_all.level = mixed.all_level;
  for (size_t i = 0; i < sounding_.size(); ++i) {
    auto& [key, m] = *sounding_[i];
    if (!is_heard_or_fading(m)) continue;
    m.limiter = mixed.limiters[i];
    for_all.speakers[for_all.speaker_count++] = key;
    if (!m.listens) continue;
    if (!m.encoder) m.encoder = std::make_unique<OpusEncoder>();
    MixedFrame& frame = out.emplace_back(blank);
    frame.is_for_one = true;
    frame.member = key;
    frame.level = mixed.without_levels[i];
    encode_into(*m.encoder, m.loss_percent, mixed.without[i], frame);
    counters_.encoded.add();
  }
  bool is_wanted_by_others = false;
  for (auto& [key, m] : members_) {
    if (is_heard_or_fading(m)) continue;
    m.encoder.reset();
    is_wanted_by_others = is_wanted_by_others || m.listens;
  }
  if (!is_wanted_by_others) return;
  encode_into(encoder_, worst_loss(), mixed.all, for_all);
  out.push_back(for_all);
  counters_.encoded.add();
}

int ConferenceMix::worst_loss() const {
  int worst = 0;
  for (const auto& [key, m] : members_) {
    if (m.listens && !is_heard_or_fading(m)) worst = std::max(worst, m.loss_percent);
  }
  return worst;
}

void ConferenceMix::encode_into(OpusEncoder& encoder, int loss_percent, const kernels::Frame& sound,
                                MixedFrame& frame) {
  encoder.expect_loss(loss_percent);
  frame.bytes = static_cast<uint16_t>(encoder.encode(sound.samples, frame.payload));
}

}  // namespace viaduct::audio
