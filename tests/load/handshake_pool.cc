#include "tests/load/handshake_pool.h"

#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "protocol/dtls/context.h"
#include "protocol/dtls/session.h"

namespace viaduct::load {
namespace {

constexpr Duration LongestSleep = 1s;

struct Work {
  enum class Kind : uint8_t { Begin, Datagram, GiveUp };
  Kind kind{};
  uint32_t participant = 0;
  uint32_t attempt = 0;
  std::shared_ptr<const UdpPort> port;
  dtls::Fingerprint bridge;
  std::vector<uint8_t> datagram;
};

struct Handshake {
  uint32_t attempt = 0;
  std::shared_ptr<const UdpPort> port;
  std::unique_ptr<dtls::Session> session;
};

}  // namespace

class HandshakePool::Thread {
 public:
  Thread(const dtls::Context& context, Mailbox<HandshakeResult>& results)
      : context_(context), results_(results), thread_([this] { run(); }) {}

  ~Thread() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  void put(Work work) {
    {
      const std::lock_guard lock(mutex_);
      work_.push_back(std::move(work));
    }
    wake_.notify_one();
  }

 private:
  void run() {
    for (;;) {
      std::vector<Work> work;
      {
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, time_to_sleep(), [&] { return ending_ || !work_.empty(); });
        if (ending_) return;
        work.swap(work_);
      }
      for (Work& w : work) act_on(w);
      retransmit();
    }
  }

  Duration time_to_sleep() const {
    Timestamp next = Never;
    for (const auto& [who, handshake] : handshakes_)
      next = std::min(next, handshake.session->next_deadline());
    if (next == Never) return LongestSleep;
    return std::clamp<Duration>(next - monotonic_now(), 1ms, LongestSleep);
  }

  void act_on(Work& work) {
    const Timestamp now = monotonic_now();
    if (work.kind == Work::Kind::GiveUp) {
      handshakes_.erase(work.participant);
      return;
    }
    if (work.kind == Work::Kind::Begin) {
      handshakes_[work.participant] = {
          work.attempt, std::move(work.port),
          std::make_unique<dtls::Session>(context_, dtls::Role::Client, work.bridge, now)};
    }
    const auto found = handshakes_.find(work.participant);
    if (found == handshakes_.end()) return;
    if (work.kind == Work::Kind::Datagram) found->second.session->handle(work.datagram, now);
    flush(found, now);
  }

  void retransmit() {
    const Timestamp now = monotonic_now();
    for (auto at = handshakes_.begin(); at != handshakes_.end();) {
      const auto next = std::next(at);
      if (now >= at->second.session->next_deadline()) {
        at->second.session->handle_timeout(now);
        flush(at, now);
      }
      at = next;
    }
  }

  void flush(std::map<uint32_t, Handshake>::iterator at, Timestamp now) {
    Handshake& handshake = at->second;
    // A datagram that the kernel does not take is one that the network lost.
    for (std::vector<uint8_t> out; handshake.session->poll_output(&out);)
      send(handshake.port->fd(), out.data(), out.size(), 0);
    const auto state = handshake.session->state();
    if (state == dtls::Session::State::Handshaking) return;
    HandshakeResult result{at->first, handshake.attempt, now, std::nullopt, {}};
    if (state == dtls::Session::State::Connected) {
      result.keys.emplace(handshake.session->export_keys());
    } else {
      result.failure = handshake.session->failure().empty() ? "the bridge has closed DTLS"
                                                            : handshake.session->failure();
    }
    handshakes_.erase(at);
    results_.put(std::move(result));
  }

  const dtls::Context context_;
  Mailbox<HandshakeResult>& results_;
  std::map<uint32_t, Handshake> handshakes_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Work> work_;
  bool ending_ = false;
  std::thread thread_;
};

HandshakePool::HandshakePool() = default;
HandshakePool::~HandshakePool() = default;

Result<std::unique_ptr<HandshakePool>> HandshakePool::start(
    size_t threads, const dtls::Certificate& certificate,
    const std::vector<srtp::SrtpProfile>& profiles, Mailbox<HandshakeResult>& results) {
  std::unique_ptr<HandshakePool> pool(new HandshakePool());
  for (size_t i = 0; i < threads; ++i) {
    const auto context = dtls::Context::make(certificate, profiles);
    if (!context) return context.error();
    pool->threads_.push_back(std::make_unique<Thread>(*context, results));
  }
  return pool;
}

HandshakePool::Thread& HandshakePool::thread_of(uint32_t participant) {
  return *threads_[participant % threads_.size()];
}

void HandshakePool::begin(uint32_t participant, uint32_t attempt,
                          std::shared_ptr<const UdpPort> port, dtls::Fingerprint bridge) {
  thread_of(participant)
      .put({Work::Kind::Begin, participant, attempt, std::move(port), std::move(bridge), {}});
}

void HandshakePool::handle(uint32_t participant, Bytes datagram) {
  thread_of(participant)
      .put({Work::Kind::Datagram, participant, 0, nullptr, {}, {datagram.begin(), datagram.end()}});
}

void HandshakePool::give_up(uint32_t participant) {
  thread_of(participant).put({Work::Kind::GiveUp, participant, 0, nullptr, {}, {}});
}

}  // namespace viaduct::load
