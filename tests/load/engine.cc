#include "tests/load/engine.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "tests/load/stage.h"

namespace viaduct::load {
namespace {

// What is under way when sending ends is waited for until nothing has come for QuietTime.
constexpr Duration QuietTime = 500ms;
constexpr Duration MaxDrainTime = 10s;
constexpr Duration GoodbyeTime = 300ms;  // for the sockets of signalling
constexpr Duration SecondLength = 1s;
constexpr Duration LongestWait = 100ms;
constexpr size_t EventsPerWait = 256;
// At such a rate sockets are left alone for a moment, so that each time they are looked at there is
// more than one packet to take: reading them one by one costs several times as much.
constexpr uint64_t DensePacketsPerSecond = 20'000;
constexpr Duration DenseRest = 200us;

Duration process_cpu_time() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) {
    return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

// Thousands of sockets are more than a process gets unless it asks.
void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

class Run {
 public:
  Run(const Scenario& scenario, const Cast& cast, const EngineOptions& options, Stage& stage)
      : scenario_(scenario), cast_(cast), options_(options), stage_(stage) {}

  Measurements play() {
    const Timestamp start = monotonic_now();
    next_second_ = start + SecondLength;
    queue_joins(start);
    if (scenario_.measure_joins) begin_measuring(start);
    turn_until(Never, [&] { return everybody_has_tried(); });
    if (!scenario_.measure_joins) {
      turn_until(monotonic_now() + scenario_.settle, [] { return false; });
      begin_measuring(monotonic_now());
    }
    turn_until(measuring_since_ + scenario_.duration, [] { return false; });
    end_measuring();
    stage_.stop_media();
    drain();
    read_bridge_cpu();
    stage_.end_streams();
    stage_.collect(out_);
    finish_seconds();
    for (uint32_t who = 0; who < stage_.people().size(); ++who) stage_.leave(who);
    ended_ = false;
    turn_until(monotonic_now() + GoodbyeTime, [] { return false; });
    return std::move(out_);
  }

 private:
  struct DueJoin {
    Timestamp due;
    uint32_t participant = 0;
  };

  // Those who are there from the start, one after another.
  void queue_joins(Timestamp start) {
    const Duration step(static_cast<int64_t>(1e9 / scenario_.joins_per_second));
    Timestamp due = start;
    for (uint32_t who = 0; who < cast_.participants.size(); ++who) {
      if (!cast_.participants[who].present) continue;
      joins_.push_back({due, who});
      due += step;
    }
  }

  bool everybody_has_tried() const {
    return next_join_ == joins_.size() && stage_.count(Participant::State::Signalling) == 0 &&
           stage_.count(Participant::State::Checking) == 0 &&
           stage_.count(Participant::State::Handshaking) == 0;
  }

  void begin_measuring(Timestamp now) {
    stage_.begin_measuring();
    out_.latency = {};
    measuring_since_ = now;
    measuring_ = true;
    next_second_ = now + SecondLength;
    last_ = {};
    cpu_at_start_ = process_cpu_time();
    loop_cpu_at_start_ = thread_cpu_time();
    bridge_at_start_ = last_bridge_cpu_ = options_.bridge_cpu.read();
  }

  void end_measuring() {
    out_.measured = monotonic_now() - measuring_since_;
    out_.generator_cpu = process_cpu_time() - cpu_at_start_;
    out_.loop_cpu = thread_cpu_time() - loop_cpu_at_start_;
  }

  void drain() {
    uint64_t before = 0;
    Timestamp quiet_since = monotonic_now();
    turn_until(quiet_since + MaxDrainTime, [&] {
      const uint64_t received = stage_.packets_handled();
      if (received != before) quiet_since = monotonic_now();
      before = received;
      return monotonic_now() - quiet_since >= QuietTime;
    });
  }

  // What the bridge did for packets that came while draining counts, as they do.
  void read_bridge_cpu() {
    const auto bridge = options_.bridge_cpu.read();
    if (bridge && bridge_at_start_) out_.bridge_cpu = *bridge - *bridge_at_start_;
  }

  // Turns until `done`, the time is up, or whoever watches has seen enough.
  template <typename Done>
  void turn_until(Timestamp end, Done&& done) {
    while (!ended_) {
      const Timestamp now = monotonic_now();
      if (now >= end || done()) return;
      begin_due_joins(now);
      play_due_cues(now);
      if (now >= next_second_) end_second(now);
      const Timestamp next = std::min({stage_.turn(now), end, next_second_, next_join_time()});
      wait(next);
    }
  }

  Timestamp next_join_time() const {
    return next_join_ < joins_.size() ? joins_[next_join_].due : Never;
  }

  void begin_due_joins(Timestamp now) {
    while (next_join_time() <= now) stage_.join(joins_[next_join_++].participant, now);
  }

  void play_due_cues(Timestamp now) {
    if (!measuring_) return;
    while (next_cue_ < cast_.cues.size() && measuring_since_ + cast_.cues[next_cue_].at <= now)
      play_cue(cast_.cues[next_cue_++], now);
  }

  void play_cue(const Cue& cue, Timestamp now) {
    const uint32_t who = cue.participant;
    switch (cue.kind) {
      case Action::Kind::Join:
        return stage_.join(who, now);
      case Action::Kind::Leave:
        return stage_.leave(who);
      case Action::Kind::Mute:
        return stage_.mute(who, cue.action->media, true);
      case Action::Kind::Unmute:
        return stage_.mute(who, cue.action->media, false);
      case Action::Kind::Speak:
        return stage_.speak(who, true);
      case Action::Kind::Silence:
        return stage_.speak(who, false);
      case Action::Kind::Listen:
        return stage_.speak(who, std::nullopt);
      case Action::Kind::Impair:
        return stage_.impair(who, cue.action->network);
      case Action::Kind::Drain:
        return stage_.leave(who);
      case Action::Kind::Layout:
        return;  // told in Cast::not_exercised
    }
  }

  void wait(Timestamp next) {
    Duration left = std::clamp<Duration>(next - monotonic_now(), 0ns, LongestWait);
    if (dense_) {
      const timespec rest = {0, static_cast<long>(std::min(left, DenseRest).count())};
      clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, nullptr);
      left = std::max<Duration>(left - DenseRest, 0ns);
    }
    const timespec timeout = {0, static_cast<long>(left.count())};
    std::array<epoll_event, EventsPerWait> events;
    const int count = epoll_pwait2(stage_.epoll(), events.data(), EventsPerWait, &timeout, nullptr);
    for (int i = 0; i < count; ++i) {
      const uint64_t what = events[static_cast<size_t>(i)].data.u64;
      if (what == Stage::SignallingBell) {
        stage_.take_signalling();
      } else if (what == Stage::HandshakeBell) {
        stage_.take_handshakes();
      } else {
        stage_.receive(static_cast<uint32_t>(what));
      }
    }
  }

  void end_second(Timestamp now) {
    next_second_ += SecondLength;
    time_out_joins(now);
    const Second second = describe_second(now);
    if (measuring_ && out_.measured == Duration{}) out_.seconds.push_back(second);
    if (options_.on_second && !options_.on_second(second)) ended_ = true;
  }

  void time_out_joins(Timestamp now) {
    for (uint32_t who = 0; who < stage_.people().size(); ++who)
      stage_.time_out(who, now, options_.join_timeout);
  }

  Second describe_second(Timestamp now) {
    Second second;
    second.at = measuring_ ? to_seconds(now - measuring_since_) : 0;
    second.connected = stage_.count(Participant::State::Connected);
    Totals totals;
    for (const SendCounts& sent : stage_.sender().counts()) totals.sent += sent.packets;
    for (const ReceiveCounts& received : stage_.received()) {
      totals.received += received.packets;
      totals.lost += received.lost();
    }
    second.sent = totals.sent - last_.sent;
    second.received = totals.received - last_.received;
    second.lost = totals.lost - last_.lost;
    last_ = totals;
    dense_ = second.received > DensePacketsPerSecond;
    take_latency(second);
    if (options_.bridge_cpu.is_quick()) {
      const auto cpu = options_.bridge_cpu.read();
      if (cpu && last_bridge_cpu_)
        second.bridge_cpu_percent = to_seconds(*cpu - *last_bridge_cpu_) * 100 /
                                    std::max(to_seconds(now - last_second_at_), 0.001);
      last_bridge_cpu_ = cpu;
    }
    last_second_at_ = now;
    return second;
  }

  void take_latency(Second& second) {
    Histogram both;
    for (size_t kind = 0; kind < 2; ++kind) {
      both.add(stage_.latency()[kind]);
      out_.latency[kind].add(stage_.latency()[kind]);
      stage_.latency()[kind] = {};
    }
    second.latency_p50_ms = to_seconds(both.percentile(50)) * 1000;
    second.latency_p99_ms = to_seconds(both.percentile(99)) * 1000;
  }

  void finish_seconds() {
    Second rest;
    take_latency(rest);
  }

  struct Totals {
    uint64_t sent = 0, received = 0, lost = 0;
  };

  const Scenario& scenario_;
  const Cast& cast_;
  const EngineOptions& options_;
  Stage& stage_;
  Measurements out_;
  std::vector<DueJoin> joins_;
  size_t next_join_ = 0;
  size_t next_cue_ = 0;
  Timestamp next_second_, measuring_since_, last_second_at_ = monotonic_now();
  bool measuring_ = false;
  bool dense_ = false;  // many packets arrived in the last second
  bool ended_ = false;
  Totals last_;
  Duration cpu_at_start_{}, loop_cpu_at_start_{};
  std::optional<Duration> bridge_at_start_, last_bridge_cpu_;
};

}  // namespace

Result<Measurements> play(const Scenario& scenario, const Cast& cast,
                          const EngineOptions& options) {
  raise_file_limit();
  prctl(PR_SET_TIMERSLACK, 1UL);  // frames are due to the microsecond
  const auto stage = Stage::open(scenario, cast, options);
  if (!stage) return stage.error();
  return Run(scenario, cast, options, **stage).play();
}

}  // namespace viaduct::load
