#include "tests/load/signalling.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <map>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "tests/support/client/signalling_client.h"

namespace viaduct::load {
namespace {

namespace asio = boost::asio;
using nlohmann::json;

// One participant's WebSocket.
class Connection {
 public:
  Connection(asio::io_context& io, JoinRequest request, Mailbox<SignallingEvent>& events)
      : socket_(io), request_(std::move(request)), events_(events) {}

  void open(const std::string& host, const std::string& port) {
    socket_.open(request_.from, host, port,
                 {.opened = [this] { say_join(); },
                  .message = [this](const json& message) { handle(message); },
                  .ended = [this](const std::string& why) { end("signalling ended: " + why); }});
  }

  void mute(codec::MediaKind kind, bool muted) {
    socket_.say({{"type", "mute"}, {"kind", codec::to_string(kind)}, {"muted", muted}});
  }

  void leave() {
    if (std::exchange(over_, true)) return;
    socket_.say({{"type", "leave"}});
    socket_.close();
  }

 private:
  void say_join() {
    if (over_) return;
    json join = {{"type", "join"},
                 {"conference", request_.conference},
                 {"name", request_.name},
                 {"e2ee", true}};
    if (!request_.token.empty()) join["token"] = request_.token;
    socket_.say(join);
  }

  void handle(const json& message) {
    if (over_) return;
    const std::string type = message.value("type", "");
    if (type == "joined") {
      tell(SignallingEvent::Kind::Joined);
      offer(message.value("slots", json::object()));
    } else if (type == "answer") {
      auto answer = client::read_answer(message.value("sdp", ""));
      if (!answer) return end(answer.error().text);
      events_.put({request_.participant,
                   SignallingEvent::Kind::Answered,
                   monotonic_now(),
                   std::move(*answer),
                   {}});
    } else if (type == "error" && message.value("final", false)) {
      end("the bridge refused: " + message.value("code", "") + ": " + message.value("message", ""));
    }
  }

  void offer(const json& slots) {
    client::OfferDescription& offer = request_.offer;
    offer.audio_slots = std::min(offer.audio_slots, slots.value("audio", size_t{0}));
    offer.video_slots = std::min(offer.video_slots, slots.value("video", size_t{0}));
    if (request_.sealed) {
      socket_.say({{"type", "e2ee"}, {"wanted", true}});
      socket_.say({{"type", "declare"}, {"e2ee", true}});
    }
    socket_.say({{"type", "offer"}, {"sdp", client::write_offer(offer)}});
  }

  void tell(SignallingEvent::Kind kind) {
    events_.put({request_.participant, kind, monotonic_now(), {}, {}});
  }

  void end(const std::string& why) {
    if (std::exchange(over_, true)) return;
    events_.put({request_.participant, SignallingEvent::Kind::Ended, monotonic_now(), {}, why});
  }

  client::SignallingClient socket_;
  JoinRequest request_;
  Mailbox<SignallingEvent>& events_;
  bool over_ = false;
};

}  // namespace

class Signalling::Thread {
 public:
  Thread(std::string host, std::string port, Mailbox<SignallingEvent>& events)
      : host_(std::move(host)),
        port_(std::move(port)),
        events_(events),
        work_(asio::make_work_guard(io_)),
        thread_([this] { io_.run(); }) {}

  ~Thread() {
    io_.stop();
    thread_.join();
  }

  template <typename F>
  void post(F&& f) {
    asio::post(io_, std::forward<F>(f));
  }

  void join(JoinRequest request) {
    const uint32_t who = request.participant;
    auto connection = std::make_unique<Connection>(io_, std::move(request), events_);
    connection->open(host_, port_);
    connections_.emplace_back(std::move(connection));
    current_[who] = connections_.back().get();
  }

  Connection* find(uint32_t participant) {
    const auto found = current_.find(participant);
    return found == current_.end() ? nullptr : found->second;
  }

 private:
  const std::string host_, port_;
  Mailbox<SignallingEvent>& events_;
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::vector<std::unique_ptr<Connection>> connections_;  // handlers point to them until the end
  std::map<uint32_t, Connection*> current_;
  std::thread thread_;
};

Signalling::Signalling(std::string host, std::string port, Mailbox<SignallingEvent>& events)
    : thread_(std::make_unique<Thread>(std::move(host), std::move(port), events)) {}

Signalling::~Signalling() = default;

void Signalling::join(JoinRequest request) {
  thread_->post([t = thread_.get(), r = std::move(request)]() mutable { t->join(std::move(r)); });
}

void Signalling::mute(uint32_t participant, codec::MediaKind kind, bool muted) {
  thread_->post([t = thread_.get(), participant, kind, muted] {
    if (Connection* connection = t->find(participant)) connection->mute(kind, muted);
  });
}

void Signalling::leave(uint32_t participant) {
  thread_->post([t = thread_.get(), participant] {
    if (Connection* connection = t->find(participant)) connection->leave();
  });
}

}  // namespace viaduct::load
