// A worker for tests of control: keeps the commands, gives the reports a test puts in. Usable from
// two threads.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "control/worker_port.h"

namespace viaduct::control {

class FakeWorker final : public WorkerPort {
 public:
  FakeWorker() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~FakeWorker() override { close(fd_); }
  FakeWorker(const FakeWorker&) = delete;
  FakeWorker& operator=(const FakeWorker&) = delete;

  bool send(conference::Command&& command) override {
    const std::lock_guard lock(mutex_);
    if (full_) return false;
    if (answers_by_itself_) answer(command);
    commands_.push_back(std::move(command));
    return true;
  }
  std::optional<conference::Report> poll() override {
    const std::lock_guard lock(mutex_);
    if (reports_.empty()) return std::nullopt;
    conference::Report report = std::move(reports_.front());
    reports_.pop_front();
    return report;
  }
  int report_fd() const override { return fd_; }

  void report(conference::Report report) {
    const std::lock_guard lock(mutex_);
    push(std::move(report));
  }
  void set_full(bool full) {
    const std::lock_guard lock(mutex_);
    full_ = full;
  }
  // Answers TakeSnapshot with `snapshot`, Stop with Stopped, and AddEndpoint with
  // EndpointConnected.
  void answer_by_itself(conference::WorkerSnapshot snapshot = {}) {
    const std::lock_guard lock(mutex_);
    answers_by_itself_ = true;
    snapshot_ = std::move(snapshot);
  }
  std::vector<conference::Command> take_commands() {
    const std::lock_guard lock(mutex_);
    return std::exchange(commands_, {});
  }

 private:
  void answer(const conference::Command& command) {
    if (const auto* take = std::get_if<conference::TakeSnapshot>(&command)) {
      push(conference::SnapshotTaken{take->request, snapshot_});
    } else if (std::holds_alternative<conference::Stop>(command)) {
      push(conference::Stopped{});
    } else if (const auto* add = std::get_if<conference::AddEndpoint>(&command)) {
      push(conference::EndpointConnected{add->endpoint->id, 20ms, 30ms});
    }
  }
  void push(conference::Report report) {
    reports_.push_back(std::move(report));
    const uint64_t one = 1;
    static_cast<void>(!write(fd_, &one, sizeof one));
  }

  int fd_;
  std::mutex mutex_;
  bool full_ = false;
  bool answers_by_itself_ = false;
  conference::WorkerSnapshot snapshot_;
  std::vector<conference::Command> commands_;
  std::deque<conference::Report> reports_;
};

// What a small client offers: a microphone (mid a), and one video slot (mid v).
inline constexpr const char* SmallOffer =
    "v=0\r\n"
    "o=- 1 1 IN IP4 0.0.0.0\r\n"
    "s=-\r\n"
    "t=0 0\r\n"
    "a=group:BUNDLE a v\r\n"
    "a=ice-ufrag:abcd\r\n"
    "a=ice-pwd:0123456789abcdefghijklmn\r\n"
    "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"
    "10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n"
    "a=setup:actpass\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "a=mid:a\r\n"
    "a=sendonly\r\n"
    "a=rtcp-mux\r\n"
    "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
    "a=ssrc:1234 cname:me\r\n"
    "a=rtpmap:111 opus/48000/2\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "a=mid:v\r\n"
    "a=recvonly\r\n"
    "a=rtcp-mux\r\n"
    "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
    "a=rtpmap:96 VP8/90000\r\n"
    "a=rtpmap:97 rtx/90000\r\n"
    "a=fmtp:97 apt=96\r\n"
    "a=rtcp-fb:96 nack pli\r\n";

}  // namespace viaduct::control
