#include "tests/load/results.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace viaduct::load {
namespace {

double share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

SendCounts sum(const std::array<SendCounts, 2>& kinds) {
  SendCounts all;
  for (const SendCounts& kind : kinds) {
    all.packets += kind.packets;
    all.bytes += kind.bytes;
    all.refused += kind.refused;
    all.impaired += kind.impaired;
    all.key_frames_asked_for += kind.key_frames_asked_for;
  }
  return all;
}

void count_shares(const Measurements& m, Results& r) {
  const double seconds = std::max(to_seconds(m.measured), 1e-9);
  const uint64_t expected = r.received.packets + r.received.lost();
  r.loss_percent = share(r.received.lost(), expected);
  r.loss_elsewhere_percent = share(r.received.lost_elsewhere, expected);
  r.late_percent = share(r.received.late, r.received.packets);
  r.failed_joins_percent = share(m.joins.failed + m.joins.lost, m.joins.begun);
  r.sent_per_second = static_cast<double>(r.sent.packets) / seconds;
  r.received_per_second = static_cast<double>(r.received.packets) / seconds;
  if (m.receiving_participants > 0)
    r.freezes_per_minute = static_cast<double>(r.received.freezes) * 60 / seconds /
                           static_cast<double>(m.receiving_participants);
  r.generator_cpu_percent = 100 * to_seconds(m.generator_cpu) / seconds;
  r.loop_busy_percent = 100 * to_seconds(m.loop_cpu) / seconds;
  r.own_loss_percent = share(r.sent.refused + m.own_drops,
                             r.sent.packets + r.sent.refused + r.received.packets + m.own_drops);
  if (!m.bridge_cpu) return;
  r.bridge_cpu_percent = 100 * to_seconds(*m.bridge_cpu) / seconds;
  if (r.received.packets == 0) return;
  r.bridge_cpu_us = to_seconds(*m.bridge_cpu) * 1e6 / static_cast<double>(r.received.packets);
  r.bridge_cpu_ms_per_1000 = r.bridge_cpu_us;  // us for one are ms for a thousand
}

void judge_generator(const Measurements& m, Duration max_lateness, Results& r) {
  const auto invalid = [&](const std::string& why) { r.invalid_because.push_back(why); };
  const Duration lateness = m.send_lateness.percentile(99);
  if (lateness > max_lateness)
    invalid("Packets left up to " + milliseconds(lateness) +
            " behind their schedule (99 % of them; at most " + milliseconds(max_lateness) +
            "): ask for less, or give the load tester a faster core.");
  if (r.own_loss_percent > MaxOwnLossPercent)
    invalid("The load tester's own sockets refused or dropped " + percent(r.own_loss_percent) +
            " of the packets (at most " + percent(MaxOwnLossPercent) + ").");
  if (r.loop_busy_percent > MaxLoopBusyPercent)
    invalid("The load tester's event loop was busy for " + percent(r.loop_busy_percent) +
            " of the time (at most " + percent(MaxLoopBusyPercent) + ").");
}

class Checks {
 public:
  explicit Checks(std::vector<Check>& out) : out_(out) {}

  void at_most(const char* what, const std::optional<double>& allowed, std::optional<double> found,
               const char* unit) {
    if (!allowed) return;
    out_.push_back({what, found ? with_digits(*found, 3) + unit : "not measured",
                    with_digits(*allowed, 3) + unit, found && *found <= *allowed});
  }
  void at_most(const char* what, const std::optional<Duration>& allowed, const Histogram& values,
               double percentile) {
    if (!allowed) return;
    const Duration found = values.percentile(percentile);
    const bool known = values.count() > 0;
    out_.push_back({what, known ? milliseconds(found) : "not measured", milliseconds(*allowed),
                    known && found <= *allowed});
  }

 private:
  std::vector<Check>& out_;
};

}  // namespace

Results assess(const Measurements& m, const Thresholds& t) {
  Results r;
  r.sent = sum(m.sent);
  for (const ReceiveCounts& kind : m.received) r.received.add(kind);
  for (const Histogram& kind : m.latency) r.latency.add(kind);
  count_shares(m, r);
  judge_generator(m, t.send_lateness, r);

  Checks check(r.checks);
  check.at_most("lost on the way through the bridge", t.loss_percent, r.loss_elsewhere_percent,
                " %");
  check.at_most("one-way latency, median", t.latency_p50, r.latency, 50);
  check.at_most("one-way latency, 99th percentile", t.latency_p99, r.latency, 99);
  check.at_most("time to connect, 95th percentile", t.join_p95, m.joins.connecting, 95);
  check.at_most("joins that failed", t.failed_joins_percent, r.failed_joins_percent, " %");
  check.at_most("late packets", t.late_percent, r.late_percent, " %");
  check.at_most("freezes per minute and receiver", t.freezes_per_minute, r.freezes_per_minute, "");
  check.at_most("corrupt packets", t.corrupt_packets, static_cast<double>(r.received.corrupt), "");
  check.at_most("bridge CPU per packet received", t.bridge_cpu_us, r.bridge_cpu_us, " us");

  const bool all_passed = std::ranges::all_of(r.checks, &Check::passed);
  r.verdict = !r.invalid_because.empty() ? Verdict::Invalid
              : all_passed               ? Verdict::Passed
                                         : Verdict::Missed;
  return r;
}

std::string with_digits(double value, int digits) {
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::string milliseconds(Duration d) {
  const double ms = to_seconds(d) * 1000;
  return with_digits(ms, ms < 10 ? 2 : ms < 100 ? 1 : 0) + " ms";
}

std::string percent(double value) { return with_digits(value, value < 10 ? 3 : 1) + " %"; }

}  // namespace viaduct::load
