#include "tests/load/stage.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

#include "protocol/rtcp/parse.h"
#include "protocol/rtcp/write.h"

namespace viaduct::load {
namespace {

using codec::MediaKind;

constexpr size_t FramesInATurn = 512;  // before sockets are looked at again
constexpr Duration ReportInterval = 1s;
constexpr uint32_t ReporterSsrc = 1;  // of receivers' reports, which name no stream of theirs

bool sends_recorded_bodies(const Scenario& scenario) {
  const auto recorded = [](const std::optional<ReplayPlan>& plan) {
    return plan && !plan->random_bodies;
  };
  for (const ConferencePlan& conference : scenario.conferences)
    for (const Group& group : conference.groups)
      if (recorded(group.replay_audio) || recorded(group.replay_video)) return true;
  return false;
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
  if (epoll_ < 0 || !watch(signalling_events_.bell(), SignallingBell) ||
      !watch(handshake_results_.bell(), HandshakeBell))
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

void Stage::serve_ice(uint32_t who, Participant& p, Timestamp now) {
  if (now >= p.ice->next_deadline()) p.ice->handle_timeout(now);
  for (std::vector<uint8_t> out; p.ice->poll_output(&out);) sender_->send_plain(who, p, out, now);
  if (p.ice->failed()) return fail(who, "ICE found no way to the bridge, or lost it");
  if (p.ice->connected() && p.state == Participant::State::Checking) begin_handshake(who, p, now);
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

void Stage::wake_at(uint32_t who, Participant& p) {
  const Timestamp due = std::min({p.ice->next_deadline(), p.next_report, p.next_feedback});
  if (due >= p.next_wake) return;
  p.next_wake = due;
  timers_.push({due, who, p.attempt, Timer::NotAStream});
}

Timestamp Stage::turn(Timestamp now) {
  release_delayed(now);
  for (size_t frames = 0; frames < FramesInATurn && !timers_.empty() && timers_.top().due <= now;) {
    const Timer timer = timers_.top();
    timers_.pop();
    Participant& p = people_[timer.participant];
    if (timer.attempt != p.attempt || !p.ice) continue;
    if (timer.stream == Timer::NotAStream) {
      if (timer.due == p.next_wake) serve_timers(timer.participant, p, now);
    } else {
      send_frames(timer, now);
      ++frames;
    }
  }
  sender_->flush(now);
  return std::min(timers_.empty() ? Never : timers_.top().due, delays_.next_due());
}

void Stage::serve_timers(uint32_t who, Participant& p, Timestamp now) {
  p.next_wake = Never;
  serve_ice(who, p, now);
  if (!p.ice) return;
  if (now >= p.next_report) report(who, p, now);
  if (now >= p.next_feedback) report_arrivals(who, p, now);
  wake_at(who, p);
}

void Stage::send_frames(const Timer& timer, Timestamp now) {
  Participant& p = people_[timer.participant];
  if (!p.connected() || media_stopped_) return;
  sender_->send_frame(timer.participant, p, timer.stream, now);
  if (const auto next = p.sends[timer.stream]->source().next_due())
    timers_.push(
        {p.send_began[timer.stream] + *next, timer.participant, timer.attempt, timer.stream});
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
  if (out.empty()) out.receiver_report(ReporterSsrc);
  sender_->send_rtcp(who, p, out.written(), now);
}

void Stage::report_arrivals(uint32_t who, Participant& p, Timestamp now) {
  p.next_feedback = now + rtcp::TransportFeedbackBuilder::Interval;
  std::array<uint8_t, 1200> space;
  while (p.connected() && p.arrivals.has_pending()) {
    const size_t bytes = p.arrivals.write(space, ReporterSsrc, ReporterSsrc, now);
    sender_->send_rtcp(who, p, {space.data(), bytes}, now);
  }
}

void Stage::release_delayed(Timestamp now) {
  while (delays_.next_due() <= now) {
    HeldDatagram held = delays_.take();
    Participant& p = people_[held.participant];
    if (held.attempt != p.attempt || !p.port) continue;
    if (held.to_bridge) {
      send(held.to_bridge->fd(), held.bytes.data(), held.bytes.size(), 0);
    } else if (!held.lost) {
      handle(held.participant, p, held.bytes, now);
    } else if (p.connected()) {
      receiver_->handle_impaired(p, held.bytes);
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
  } else {  // missed only once what was sent before it has come
    delays_.hold(std::max(p.down->last_out(), now), who, p.attempt, nullptr, datagram, true);
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
    if (!rtcp::is_rtcp(datagram)) ++packets_handled_;
    receiver_->handle(p, datagram, now);
  } else if (first < 4) {
    p.ice->handle(datagram, p.ice->remote_address(), now);
    serve_ice(who, p, now);
  } else if (first >= 20 && first <= 63 && p.state == Participant::State::Handshaking) {
    handshakes_->handle(who, datagram);
  }
}

}  // namespace viaduct::load
