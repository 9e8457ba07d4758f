#include "worker.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"

namespace viaduct {
namespace {

constexpr Duration LongestSleep = 500ms;
constexpr Duration AtOnce = 10us;  // a wait that ends so soon has not slept
constexpr Duration LoadInterval = 1s;

}  // namespace

Timestamp Worker::Clock::now() { return monotonic_now(); }

Worker::Worker(uint32_t index, Parts parts, std::vector<codec::CodecType> video_preference,
               dtls::Fingerprint certificate, Bell& bell)
    : index_(index),
      name_(std::to_string(index)),
      parts_(std::move(parts)),
      certificate_(std::move(certificate)),
      handshakes_(&bell),
      counters_(name_),
      path_({*parts_.io, *parts_.opener, *parts_.sealer, handshakes_, clock_, random_},
            ntp_clock_from_now(), std::move(video_preference), counters_),
      report_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  CHECK(report_fd_ >= 0);
}

Worker::~Worker() {
  join();
  close(report_fd_);
}

void Worker::start() {
  thread_ = std::thread([this] { run(); });
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

bool Worker::send(conference::Command&& command) {
  if (!commands_.push(std::move(command))) return false;
  parts_.io->wake();
  return true;
}

void Worker::run() {
  pthread_setname_np(pthread_self(), ("worker-" + name_).c_str());
  parts_.io->attach();
  Timestamp now = monotonic_now();
  load_measured_ = now;
  while (!stopping_) {
    take_commands(now);
    path_.turn(now);
    for (conference::Report& r : path_.take_reports()) report(std::move(r));
    flush_reports();
    turns_.add();

    const Timestamp done = monotonic_now();
    const Timestamp began = now;
    coalescer_.on_turn(counters_.packets_sent(), done);
    now = wait_for_packets(began, done);
    count_time(done - began, now - done);
    if (now - load_measured_ >= LoadInterval) measure_load(now);
  }
  path_.release_kept();
  report(conference::Stopped{});
  flush_reports();
}

// Until the next turn. Packets that were there at once have come since the last turn began.
Timestamp Worker::wait_for_packets(Timestamp turn_began, Timestamp done) {
  const Duration at_most =
      std::clamp<Duration>(path_.next_deadline() - done, 0ns, LongestSleep);
  parts_.io->wait(at_most);
  const Timestamp woken = monotonic_now();
  if (at_most == 0ns) return woken;  // a GPU is about to finish, or something else is due
  const bool came_before = woken - done < AtOnce;
  const Duration gather = coalescer_.wait(came_before ? turn_began : woken, woken);
  if (gather == 0ns) return woken;
  parts_.io->gather(gather);
  return monotonic_now();
}

void Worker::take_commands(Timestamp now) {
  while (auto command = commands_.pop()) {
    std::visit([&](auto& c) { handle(c, now); }, *command);
  }
}

void Worker::handle(conference::TakeSnapshot& command, Timestamp now) {
  report(conference::SnapshotTaken{command.request, path_.snapshot(index_, certificate_, now)});
}

void Worker::handle(conference::Stop&, Timestamp now) {
  path_.close(now);
  stopping_ = true;  // the turn that follows sends the goodbyes
}

// An edge that polls turns and turns with nothing to do: a turn that moved no packet was idle.
void Worker::count_time(Duration turned, Duration waited) {
  const uint64_t moved = counters_.packets_received() + counters_.packets_sent();
  const bool idle = std::exchange(packets_moved_, moved) == moved;
  busy_ns_.add(idle ? 0 : static_cast<uint64_t>(turned.count()));
  idle_ns_.add(static_cast<uint64_t>((idle ? turned + waited : waited).count()));
}

void Worker::measure_load(Timestamp now) {
  const uint64_t busy_ns = busy_ns_.value();
  report(conference::LoadMeasured{static_cast<double>(busy_ns - busy_ns_then_) /
                                  static_cast<double>((now - load_measured_).count())});
  busy_ns_then_ = busy_ns;
  load_measured_ = now;
}

void Worker::report(conference::Report&& r) {
  if (unsent_.empty() && reports_.push(std::move(r))) {
    const uint64_t one = 1;
    // A full eventfd counter means that control has been told already.
    [[maybe_unused]] const ssize_t n = write(report_fd_, &one, sizeof one);
    return;
  }
  reports_delayed_.add();
  unsent_.push_back(std::move(r));
}

void Worker::flush_reports() {
  if (unsent_.empty()) return;
  size_t sent = 0;
  while (sent < unsent_.size() && reports_.push(std::move(unsent_[sent]))) ++sent;
  unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<std::ptrdiff_t>(sent));
  if (sent > 0) {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = write(report_fd_, &one, sizeof one);
  }
}

void Worker::visit(MetricVisitor& v) const {
  counters_.visit(v);
  const auto seconds = [&](const Counter& ns) { return static_cast<double>(ns.value()) * 1e-9; };
  v.counter("viaduct_worker_busy_seconds_total", "Time in which the worker did something",
            {{"worker", name_}}, seconds(busy_ns_));
  v.counter("viaduct_worker_idle_seconds_total",
            "Time in which the worker waited for something to do", {{"worker", name_}},
            seconds(idle_ns_));
  const double total = seconds(busy_ns_) + seconds(idle_ns_);
  v.gauge("viaduct_worker_busy_ratio",
          "Share of the worker's time since start in which it did something", {{"worker", name_}},
          total > 0 ? seconds(busy_ns_) / total : 0);
  v.counter("viaduct_worker_turns_total", "Turns of the worker's loop", {{"worker", name_}},
            static_cast<double>(turns_.value()));
  for (const auto& [direction, cipher] :
       {std::pair{"unprotect", parts_.opener.get()}, std::pair{"protect", parts_.sealer.get()}}) {
    v.gauge("viaduct_cipher_engine", "1 for the engine that unprotects or protects media",
            {{"worker", name_}, {"direction", direction}, {"engine", cipher->name()}}, 1);
    cipher->visit(v, name_, direction);
  }
  v.counter("viaduct_worker_delayed_reports_total",
            "Reports that waited because control was slow to take them", {{"worker", name_}},
            static_cast<double>(reports_delayed_.value()));
}

}  // namespace viaduct
