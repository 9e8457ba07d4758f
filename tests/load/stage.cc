#include "tests/load/stage.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "protocol/rtcp/parse.h"
#include "protocol/rtcp/write.h"

namespace viaduct::load {
namespace {

using codec::MediaKind;

constexpr size_t FramesInATurn = 512;  // before sockets are looked at again
constexpr Duration ReportInterval = 1s;
constexpr Duration RememberSent = 2s;
constexpr size_t MostRemembered = size_t{1} << 17;
constexpr size_t AudioRemembered = 256;

bool watch(int epoll, int fd, uint64_t what) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = what;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool sends_recorded_bodies(const Scenario& scenario) {
  const auto recorded = [](const std::optional<ReplayPlan>& plan) {
    return plan && !plan->random_bodies;
  };
  for (const ConferencePlan& conference : scenario.conferences)
    for (const Group& group : conference.groups)
      if (recorded(group.replay_audio) || recorded(group.replay_video)) return true;
  return false;
}

size_t remembered_packets(const Group& group, MediaKind kind) {
  if (kind == MediaKind::Audio) return AudioRemembered;
  double per_second = 0;
  if (group.fixed) {
    per_second = group.fixed->packets_per_second;
  } else {
    for (const Layer& layer : group.video.layers)
      per_second = std::max(per_second, layer.frames_per_second +
                                            static_cast<double>(layer.bitrate.bits_per_second) / 8 /
                                                1000);
  }
  return std::min(static_cast<size_t>(per_second * to_seconds(RememberSent)), MostRemembered);
}

}  // namespace

Result<std::unique_ptr<Stage>> Stage::open(const Scenario& scenario, const Cast& cast,
                                           const EngineOptions& options) {
  std::unique_ptr<Stage> stage(new Stage(scenario, cast, options));
  const Result<void> started = stage->start();
  if (!started) return started.error();
  return stage;
}

Stage::Stage(const Scenario& scenario, const Cast& cast, const EngineOptions& options)
    : scenario_(scenario),
      cast_(cast),
      options_(options),
      bodies_(scenario.seed),
      find_sent_([this](uint32_t stream) {
        return stream < streams_.size() ? &streams_[stream]->sent() : nullptr;
      }),
      people_(cast.participants.size()) {
  for (size_t i = 0; i < people_.size(); ++i) {
    people_[i].plan = &cast.participants[i];
    if (!options.from.empty()) people_[i].from = options.from[i % options.from.size()];
  }
  // A key is given back when its owner leaves, and is free at the next flush.
  const size_t keys = people_.size() + 64;
  sender_ = std::make_unique<MediaSender>(keys, options.segment, delays_);
  receiver_ = std::make_unique<MediaReceiver>(keys, options.verify,
                                              sends_recorded_bodies(scenario) ? nullptr : &bodies_);
}

Stage::~Stage() {
  handshakes_.reset();
  signalling_.reset();
  if (epoll_ >= 0) ::close(epoll_);
}

Result<void> Stage::start() {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0 || !watch(epoll_, signalling_events_.bell(), SignallingBell) ||
      !watch(epoll_, handshake_results_.bell(), HandshakeBell))
    return Error{ErrorCode::Unavailable, "The kernel refused epoll."};
  const auto certificate = dtls::Certificate::make(random_, wall_since_1970());
  if (!certificate) return certificate.error();
  auto pool = HandshakePool::start(options_.handshake_threads, *certificate, options_.profiles,
                                   handshake_results_);
  if (!pool) return pool.error();
  handshakes_ = std::move(*pool);
  fingerprint_ = certificate->fingerprint();
  signalling_ = std::make_unique<Signalling>(options_.host, options_.port, signalling_events_);
  return {};
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
    const SendStream::Settings settings{.number = static_cast<uint32_t>(streams_.size()),
                                        .kind = kind,
                                        .shape = p.plan->bodies,
                                        .mid = mid,
                                        .remembered_packets =
                                            remembered_packets(*p.plan->group, kind),
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
  if (!watch(epoll_, p.port->fd(), who)) return fail(who, "The kernel watches no more sockets.");
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

void Stage::serve_ice(uint32_t who, Participant& p, Timestamp now) {
  if (now >= p.ice->next_deadline()) p.ice->handle_timeout(now);
  for (std::vector<uint8_t> out; p.ice->poll_output(&out);) sender_->send_plain(who, p, out, now);
  if (p.ice->failed()) return fail(who, "ICE found no way to the bridge, or lost it");
  if (p.ice->connected() && p.state == Participant::State::Checking) begin_handshake(who, p, now);
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
  p.kernel_drops = p.kernel_drops_before = 0;
  p.rtcp_index = 0;
}

void Stage::mute(uint32_t who, MediaKind kind, bool muted) {
  Participant& p = people_[who];
  if (!p.connected()) return;
  for (size_t i = 0; i < p.sends.size(); ++i)
    if (p.sends[i]->kind() == kind) p.muted[i] = muted;
  signalling_->mute(who, kind, muted);
}

void Stage::speak(uint32_t who, std::optional<bool> speaking) {
  for (SendStream* stream : people_[who].sends) stream->source().set_speaking(speaking);
}

void Stage::impair(uint32_t who, const NetworkPlan& network) {
  Participant& p = people_[who];
  const auto make = [&](const ImpairmentPlan& plan, uint64_t salt) {
    return plan.is_nothing() ? nullptr
                             : std::make_unique<Impairment>(plan, p.plan->seed + p.attempt + salt);
  };
  p.up = make(network.up, 0x7570);
  p.down = make(network.down, 0x646f776e);
}

void Stage::wake_at(uint32_t who, const Participant& p) {
  const Timestamp due = std::min(p.ice->next_deadline(), p.next_report);
  if (due != Never) timers_.push({due, who, p.attempt, Timer::NotAStream});
}

Timestamp Stage::turn(Timestamp now) {
  release_delayed(now);
  for (size_t frames = 0; frames < FramesInATurn && !timers_.empty() && timers_.top().due <= now;) {
    const Timer timer = timers_.top();
    timers_.pop();
    Participant& p = people_[timer.participant];
    if (timer.attempt != p.attempt || !p.ice) continue;
    if (timer.stream == Timer::NotAStream) {
      serve_timers(timer.participant, p, now);
    } else {
      send_frames(timer, now);
      ++frames;
    }
  }
  sender_->flush(now);
  return std::min(timers_.empty() ? Never : timers_.top().due, delays_.next_due());
}

void Stage::serve_timers(uint32_t who, Participant& p, Timestamp now) {
  serve_ice(who, p, now);
  if (!p.ice) return;
  if (now >= p.next_report) report(who, p, now);
  wake_at(who, p);
}

void Stage::send_frames(const Timer& timer, Timestamp now) {
  Participant& p = people_[timer.participant];
  if (!p.connected() || media_stopped_) return;
  sender_->send_frame(timer.participant, p, timer.stream, now);
  if (const auto next = p.sends[timer.stream]->source().next_due())
    timers_.push({p.send_began[timer.stream] + *next, timer.participant, timer.attempt,
                  timer.stream});
}

// Sender reports of what is sent; of receivers one that names nothing shows that they are there.
void Stage::report(uint32_t who, Participant& p, Timestamp now) {
  p.next_report = now + ReportInterval;
  if (!p.connected()) return;
  std::array<uint8_t, 1200> space;
  rtcp::CompoundWriter out(space);
  for (size_t i = 0; i < p.sends.size(); ++i) {
    out.sender_report({.ssrc = p.sends[i]->ssrc(),
                       .ntp = clock_.at(now),
                       .rtp_timestamp = p.sends[i]->rtp_time(now - p.send_began[i]),
                       .packets = p.sends[i]->packets_written(),
                       .octets = p.sends[i]->octets_written()});
  }
  if (out.empty()) out.receiver_report(1);
  sender_->send_rtcp(who, p, out.written(), now);
}

void Stage::release_delayed(Timestamp now) {
  while (delays_.next_due() <= now) {
    HeldDatagram held = delays_.take();
    Participant& p = people_[held.participant];
    if (held.attempt != p.attempt || !p.port) continue;
    if (held.to_bridge) {
      send(held.to_bridge->fd(), held.bytes.data(), held.bytes.size(), 0);
    } else {
      handle(held.participant, p, held.bytes, now);
    }
  }
}

bool Stage::receive(uint32_t who) {
  Participant& p = people_[who];
  if (!p.port) return false;
  const std::shared_ptr<UdpPort> port = p.port;  // a datagram may make the participant fail
  const Timestamp now = monotonic_now();
  const auto outcome = buffers_.receive(port->fd(), [&](MutableBytes datagram) {
    if (p.port == port) handle_arrived(who, p, datagram, now);
  });
  if (outcome.drops_known) p.kernel_drops = outcome.kernel_drops;
  return outcome.more;
}

void Stage::handle_arrived(uint32_t who, Participant& p, MutableBytes datagram, Timestamp now) {
  if (!p.down) return handle(who, p, datagram, now);
  if (const auto due = p.down->pass(datagram.size(), now)) {
    delays_.hold(*due, who, p.attempt, nullptr, datagram);
  } else if (p.connected()) {
    receiver_->handle_impaired(p, datagram);
  }
}

void Stage::handle(uint32_t who, Participant& p, MutableBytes datagram, Timestamp now) {
  if (datagram.empty()) return;
  const uint8_t first = datagram[0];  // RFC 7983
  if (first >= 128 && first <= 191) {
    if (!p.connected()) return;
    if (!p.has_received && !rtcp::is_rtcp(datagram)) {
      p.has_received = true;
      joins_.first_media.add(now - p.phase_began);
    }
    receiver_->handle(p, datagram, now);
  } else if (first < 4) {
    p.ice->handle(datagram, p.ice->remote_address(), now);
    serve_ice(who, p, now);
  } else if (first >= 20 && first <= 63 && p.state == Participant::State::Handshaking) {
    handshakes_->handle(who, datagram);
  }
}

}  // namespace viaduct::load
