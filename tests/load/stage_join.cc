// How participants come and go: signalling, ICE, DTLS, and the end of it.
#include <sys/epoll.h>

#include <algorithm>

#include "tests/load/stage.h"

namespace viaduct::load {
namespace {

using codec::MediaKind;

constexpr Duration RememberSent = 2s;
constexpr size_t MostRemembered = size_t{1} << 17;
// The fate of a packet is asked for when its receivers give it up, which is a window of packets
// later.
constexpr size_t LeastRemembered = 2 * ReceiveStream::WindowPackets;

size_t remembered_packets(const Group& group, MediaKind kind) {
  if (kind == MediaKind::Audio) return LeastRemembered;
  double per_second = 0;
  if (group.fixed) {
    per_second = group.fixed->packets_per_second;
  } else {
    for (const Layer& layer : group.video.layers)
      per_second =
          std::max(per_second, layer.frames_per_second +
                                   static_cast<double>(layer.bitrate.bits_per_second) / 8 / 1000);
  }
  return std::clamp(static_cast<size_t>(per_second * to_seconds(RememberSent)), LeastRemembered,
                    MostRemembered);
}

}  // namespace

bool Stage::watch(int fd, uint64_t what) const {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = what;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
}

void Stage::join(uint32_t who, Timestamp now) {
  Participant& p = people_[who];
  if (p.state != Participant::State::Away && p.state != Participant::State::Failed) return;
  ++p.attempt;
  p.state = Participant::State::Signalling;
  p.phase_began = p.join_began = now;
  p.credentials = {random_.ice_chars(8), random_.ice_chars(24)};
  make_streams(who, p);
  impair(who, p.plan->group->network);
  ++joins_.begun;
  signalling_->join({who, p.plan->conference, p.plan->name, options_.token, p.from, describe(p),
                     p.plan->bodies == BodyShape::Sealed});
}

void Stage::make_streams(uint32_t who, Participant& p) {
  p.sends.clear();
  SeededRandom seeds(p.plan->seed + p.attempt);
  const auto add = [&](MediaKind kind, const char* mid) {
    const uint64_t seed = seeds.next();
    const Layer& picture = p.plan->group->video.layers.back();
    const SendStream::Settings settings{
        .number = static_cast<uint32_t>(streams_.size()),
        .kind = kind,
        .shape = p.plan->bodies,
        .mid = mid,
        .remembered_packets = remembered_packets(*p.plan->group, kind),
        .width = picture.width,
        .height = picture.height};
    streams_.push_back(std::make_unique<SendStream>(settings, source_for(p, kind, seed), bodies_,
                                                    seeds.next() + who));
    p.sends.push_back(streams_.back().get());
  };
  if (p.plan->sends_audio) add(MediaKind::Audio, "mic");
  if (p.plan->sends_video) add(MediaKind::Video, "cam");
  p.muted.assign(p.sends.size(), false);
}

std::unique_ptr<MediaSource> Stage::source_for(const Participant& p, MediaKind kind,
                                               uint64_t seed) const {
  const Group& group = *p.plan->group;
  if (kind == MediaKind::Audio)
    return group.replay_audio ? make_replay(*group.replay_audio)
                              : make_microphone(group.audio, seed);
  if (group.fixed) return make_fixed_rate(*group.fixed);
  if (group.replay_video) return make_replay(*group.replay_video);
  return make_camera(group.video.layers.back(), group.video, seed);
}

client::OfferDescription Stage::describe(const Participant& p) const {
  client::OfferDescription offer;
  offer.credentials = p.credentials;
  offer.fingerprint = fingerprint_;
  for (const SendStream* stream : p.sends)
    offer.streams.push_back({stream->kind(), stream->mid(), stream->ssrc(), stream->rtx_ssrc()});
  offer.audio_slots = p.plan->group->audio_slots;
  offer.video_slots = p.plan->group->video_slots;
  offer.reports_arrivals = !scenario_.has_fixed_rate();
  return offer;
}

void Stage::take_signalling() {
  for (SignallingEvent& event : signalling_events_.take_all()) {
    Participant& p = people_[event.participant];
    if (event.kind == SignallingEvent::Kind::Ended) {
      fail(event.participant, event.why);
    } else if (event.kind == SignallingEvent::Kind::Answered &&
               p.state == Participant::State::Signalling) {
      answered(event.participant, p, event);
    }
  }
}

void Stage::answered(uint32_t who, Participant& p, const SignallingEvent& event) {
  auto port = UdpPort::open(p.from, event.answer.bridge, options_.socket_buffer_bytes);
  if (!port) return fail(who, port.error().text);
  p.port = std::make_shared<UdpPort>(std::move(*port));
  if (!watch(p.port->fd(), who)) return fail(who, "The kernel watches no more sockets.");
  joins_.signalling.add(event.at - p.phase_began);
  p.phase_began = event.at;
  p.state = Participant::State::Checking;
  p.bridge = event.answer.fingerprint;
  p.has_received = false;
  p.receives.clear();
  p.receives.reserve(event.answer.slots.size());
  for (const client::ReceiveSlot& slot : event.answer.slots)
    p.receives.emplace_back(slot.kind, slot.ssrc, slot.rtx_ssrc, find_sent_,
                            latency_[index_of(slot.kind)]);
  const Timestamp now = monotonic_now();
  p.ice = std::make_unique<testing::IceClient>(p.credentials, event.answer.credentials,
                                               event.answer.bridge, random_, now);
  serve_ice(who, p, now);
  wake_at(who, p);
}

void Stage::begin_handshake(uint32_t who, Participant& p, Timestamp now) {
  joins_.ice.add(now - p.phase_began);
  p.phase_began = now;
  p.state = Participant::State::Handshaking;
  handshakes_->begin(who, p.attempt, p.port, p.bridge);
}

void Stage::take_handshakes() {
  for (HandshakeResult& result : handshake_results_.take_all()) {
    Participant& p = people_[result.participant];
    if (result.attempt != p.attempt || p.state != Participant::State::Handshaking) continue;
    if (!result.keys) {
      fail(result.participant, result.failure);
    } else {
      connected(result.participant, p, result);
    }
  }
}

void Stage::connected(uint32_t who, Participant& p, HandshakeResult& result) {
  const auto protect = sender_->add_key(result.keys->local());
  const auto unprotect = receiver_->add_key(result.keys->remote());
  if (!protect || !unprotect) return fail(who, "The cipher holds no more keys.");
  p.protect = *protect;
  p.unprotect = *unprotect;
  p.profile = result.keys->profile();
  profile_ = srtp::to_string(p.profile);
  p.state = Participant::State::Connected;
  ++joins_.connected;
  joins_.dtls.add(result.at - p.phase_began);
  joins_.connecting.add(result.at - p.join_began);
  p.phase_began = result.at;

  const Timestamp now = monotonic_now();
  SeededRandom phases(p.plan->seed ^ 0x70686173);
  p.send_began.clear();
  for (uint32_t i = 0; i < p.sends.size(); ++i) {
    // Nobody's frames fall together with everybody's.
    p.send_began.push_back(now + Duration(static_cast<int64_t>(phases.below(33'000'000))));
    timers_.push({p.send_began.back(), who, p.attempt, i});
  }
  p.next_report = now + Duration(static_cast<int64_t>(phases.below(1'000'000'000)));
  if (!scenario_.has_fixed_rate()) {
    p.arrivals = {};
    p.next_feedback = now + Duration(static_cast<int64_t>(phases.below(100'000'000)));
  }
  wake_at(who, p);
}

void Stage::fail(uint32_t who, const std::string& why) {
  Participant& p = people_[who];
  if (p.state == Participant::State::Away || p.state == Participant::State::Failed) return;
  ++(p.connected() ? joins_.lost : joins_.failed);
  ++joins_.failures[why];
  close(who, p);
  p.state = Participant::State::Failed;
  signalling_->leave(who);
}

void Stage::time_out(uint32_t who, Timestamp now, Duration longest) {
  const Participant& p = people_[who];
  const bool joining = p.state == Participant::State::Signalling ||
                       p.state == Participant::State::Checking ||
                       p.state == Participant::State::Handshaking;
  if (joining && now - p.join_began >= longest) fail(who, "not connected in time");
}

void Stage::leave(uint32_t who) {
  Participant& p = people_[who];
  if (p.state == Participant::State::Away || p.state == Participant::State::Failed) return;
  close(who, p);
  p.state = Participant::State::Away;
  signalling_->leave(who);
}

// Ends the media of a participant and keeps what they counted.
void Stage::close(uint32_t who, Participant& p) {
  if (p.state == Participant::State::Handshaking) handshakes_->give_up(who);
  if (p.connected()) {
    sender_->flush(monotonic_now());
    sender_->remove_key(p.protect);
    receiver_->remove_key(p.unprotect);
  }
  fold(p);
  p.sends.clear();
  p.receives.clear();
  p.ice.reset();
  p.port.reset();
  p.up.reset();
  p.down.reset();
  p.next_report = p.next_feedback = p.next_wake = Never;
  p.kernel_drops = p.kernel_drops_before = 0;
  p.rtcp_index = 0;
}

}  // namespace viaduct::load
