// Joins clients without a browser to a conference of a running bridge: `call_bot --help` says how.
//
// One thread; everything ends by itself: connecting after ConnectTimeout, the call after --seconds.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "tests/support/call_bot/events.h"
#include "tests/support/call_bot/participant.h"

namespace viaduct::call_bot {
namespace {

constexpr Duration ConnectTimeout = 20s;
constexpr Duration GoodbyeTime = 500ms;
constexpr Duration CountsInterval = 1s;
constexpr auto Tick = 2ms;

class Call {
 public:
  explicit Call(const Options& options)
      : options_(options),
        certificate_(dtls::Certificate::make(random_, wall_since_1970()).value()),
        input_(io_) {
    for (size_t i = 1; i <= options.clients; ++i) {
      people_.push_back(
          std::make_unique<Participant>(i, options_, io_, certificate_, sent_bodies_, random_));
    }
  }

  // True when all went well.
  bool run() {
    if (options_.stay) {
      input_.assign(dup(STDIN_FILENO));
      watch_input();
    }
    for (const auto& p : people_) p->join();
    bool good = connect_all();
    if (good) {
      say({{"event", "all-connected"}});
      good = flow();
    }
    for (const auto& p : people_) p->leave();
    turn_until(monotonic_now() + GoodbyeTime, [] { return false; });
    return good && understood_everything();
  }

 private:
  // Turns until `done`, somebody fails, or time is up; whether it is done.
  template <typename Done>
  bool turn_until(Timestamp end, Done&& done) {
    while (monotonic_now() < end) {
      io_.restart();
      io_.run_for(Tick);
      for (const auto& p : people_) p->turn();
      if (std::ranges::any_of(people_, [](const auto& p) { return p->failed(); })) return false;
      if (done()) return true;
    }
    return false;
  }

  bool connect_all() {
    const auto all = [&] {
      return std::ranges::all_of(people_, [](const auto& p) { return p->connected(); });
    };
    if (turn_until(monotonic_now() + ConnectTimeout, all)) return true;
    say({{"event", "not-connected"}});
    return false;
  }

  // Lets the media flow for as long as was asked.
  bool flow() {
    const Timestamp start = monotonic_now();
    Timestamp next_counts = start + CountsInterval;
    turn_until(start + options_.seconds, [&] {
      const Timestamp now = monotonic_now();
      if (now >= next_counts) {
        next_counts += CountsInterval;
        report_counts();
      }
      if (options_.leave_after && now >= start + *options_.leave_after)
        for (size_t i = 1; i < people_.size(); ++i) people_[i]->leave();
      return input_ended_;
    });
    return std::ranges::none_of(people_, [](const auto& p) { return p->failed(); });
  }

  void report_counts() const {
    for (const auto& p : people_) {
      if (!p->left()) p->report("counts");
    }
  }

  bool understood_everything() const {
    return std::ranges::all_of(people_,
                               [](const auto& p) { return p->counts().unknown_bodies == 0; });
  }

  void watch_input() {
    input_.async_read_some(boost::asio::buffer(input_space_),
                           [this](boost::system::error_code ended, size_t) {
                             if (ended)
                               input_ended_ = true;
                             else
                               watch_input();
                           });
  }

  const Options& options_;
  SystemRandom random_;
  boost::asio::io_context io_;
  dtls::Certificate certificate_;
  SentBodies sent_bodies_;
  std::vector<std::unique_ptr<Participant>> people_;
  boost::asio::posix::stream_descriptor input_;
  std::array<char, 256> input_space_;
  bool input_ended_ = false;
};

}  // namespace
}  // namespace viaduct::call_bot

int main(int argc, char** argv) {
  int exit_code = 0;
  const auto options = viaduct::call_bot::parse_options(argc, argv, exit_code);
  if (!options) return exit_code;
  return viaduct::call_bot::Call(*options).run() ? 0 : 1;
}
