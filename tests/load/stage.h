// What the parts of the engine share: the participants and their sockets, the ways in and out, the
// clock of the run.
#pragma once

#include <map>
#include <memory>
#include <queue>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "tests/load/engine.h"
#include "tests/load/handshake_pool.h"
#include "tests/load/media_sender.h"
#include "tests/load/participant.h"
#include "tests/load/signalling.h"

namespace viaduct::load {

// Something that is due: a participant's timers, or the next frame of one of their streams.
struct Timer {
  static constexpr uint32_t NotAStream = 0xffffffff;
  Timestamp due;
  uint32_t participant = 0;
  uint32_t attempt = 0;
  uint32_t stream = NotAStream;
  friend bool operator>(const Timer& a, const Timer& b) { return a.due > b.due; }
};

// Makes participants join, connect, report and leave; the engine tells it what comes and when it is
// time.
class Stage {
 public:
  static Result<std::unique_ptr<Stage>> open(const Scenario& scenario, const Cast& cast,
                                             const EngineOptions& options);
  ~Stage();

  int epoll() const { return epoll_; }
  static constexpr uint64_t SignallingBell = uint64_t{1} << 40;
  static constexpr uint64_t HandshakeBell = SignallingBell + 1;

  void join(uint32_t who, Timestamp now);
  void leave(uint32_t who);
  // Gives up a join that has taken longer.
  void time_out(uint32_t who, Timestamp now, Duration longest);
  void mute(uint32_t who, codec::MediaKind kind, bool muted);
  void speak(uint32_t who, std::optional<bool> speaking);
  void impair(uint32_t who, const NetworkPlan& network);
  void stop_media() { media_stopped_ = true; }

  void take_signalling();
  void take_handshakes();
  // Takes what the participant's socket has; true when there may be more.
  bool receive(uint32_t who);
  // Does what is due, no more than a turn's work; when the next is due.
  Timestamp turn(Timestamp now);

  // From here on everything counts; what came before does not, joins excepted.
  void begin_measuring();
  void collect(Measurements& out);
  void end_streams();

  size_t count(Participant::State state) const;
  std::vector<Participant>& people() { return people_; }
  // Received, lost and late so far: of those who are here and those who have left.
  std::array<ReceiveCounts, 2> received() const;
  uint64_t packets_handled() const { return packets_handled_; }  // RTP packets received so far
  MediaSender& sender() { return *sender_; }
  std::array<Histogram, 2>& latency() { return latency_; }
  JoinCounts& joins() { return joins_; }

 private:
  Stage(const Scenario& scenario, const Cast& cast, const EngineOptions& options);
  Result<void> start();

  // Has the event loop told of what comes in at `fd`.
  bool watch(int fd, uint64_t what) const;
  void make_streams(uint32_t who, Participant& p);
  std::unique_ptr<MediaSource> source_for(const Participant& p, codec::MediaKind kind,
                                          uint64_t seed) const;
  client::OfferDescription describe(const Participant& p) const;
  void answered(uint32_t who, Participant& p, const SignallingEvent& event);
  void begin_handshake(uint32_t who, Participant& p, Timestamp now);
  void connected(uint32_t who, Participant& p, HandshakeResult& result);
  void fail(uint32_t who, const std::string& why);
  void close(uint32_t who, Participant& p);
  void fold(Participant& p);

  void handle(uint32_t who, Participant& p, MutableBytes datagram, Timestamp now);
  void handle_arrived(uint32_t who, Participant& p, MutableBytes datagram, Timestamp now);
  void serve_timers(uint32_t who, Participant& p, Timestamp now);
  void serve_ice(uint32_t who, Participant& p, Timestamp now);
  void report(uint32_t who, Participant& p, Timestamp now);
  void report_arrivals(uint32_t who, Participant& p, Timestamp now);
  void release_delayed(Timestamp now);
  void send_frames(const Timer& timer, Timestamp now);
  void wake_at(uint32_t who, Participant& p);

  const Scenario& scenario_;
  const EngineOptions& options_;
  SystemRandom random_;
  const BodyMaker bodies_;
  const ReceiveStream::FindSent find_sent_;
  std::vector<Participant> people_;
  std::vector<std::unique_ptr<SendStream>> streams_;  // of the run, by number
  DelayLine delays_;
  std::unique_ptr<MediaSender> sender_;
  std::unique_ptr<MediaReceiver> receiver_;
  ReceiveBuffers buffers_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  bool media_stopped_ = false;
  uint64_t packets_handled_ = 0;

  Mailbox<SignallingEvent> signalling_events_;
  Mailbox<HandshakeResult> handshake_results_;
  std::unique_ptr<Signalling> signalling_;
  std::unique_ptr<HandshakePool> handshakes_;
  int epoll_ = -1;

  JoinCounts joins_;
  std::array<Histogram, 2> latency_;
  std::array<ReceiveCounts, 2> left_;  // what those counted who have left
  std::array<std::vector<Duration>, 2> left_jitter_;
  std::vector<PerParticipant> left_people_;
  uint64_t left_drops_ = 0;
  std::string profile_;
  dtls::Fingerprint fingerprint_;  // of the certificate that all show
  const NtpClock clock_ = ntp_clock_from_now();
};

}  // namespace viaduct::load
