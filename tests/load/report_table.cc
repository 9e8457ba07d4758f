#include <algorithm>
#include <sstream>

#include "tests/load/report.h"

namespace viaduct::load {
namespace {

constexpr size_t NameWidth = 34;
constexpr size_t MaxFailuresShown = 10;

class Table {
 public:
  void heading(const std::string& text) { out_ << "\n" << text << "\n"; }
  void row(const std::string& name, const std::string& value) {
    out_ << "  " << name << std::string(NameWidth > name.size() ? NameWidth - name.size() : 1, ' ')
         << value << "\n";
  }
  void row(const std::string& name, uint64_t value) { row(name, std::to_string(value)); }
  void line(const std::string& text) { out_ << "  " << text << "\n"; }
  std::string text() const { return out_.str(); }

 private:
  std::ostringstream out_;
};

std::string percentiles(const Histogram& h) {
  if (h.count() == 0) return "not measured";
  return "p50 " + milliseconds(h.percentile(50)) + ", p95 " + milliseconds(h.percentile(95)) +
         ", p99 " + milliseconds(h.percentile(99)) + ", p99.9 " + milliseconds(h.percentile(99.9)) +
         ", max " + milliseconds(h.max());
}

void write_joins(const JoinCounts& joins, Table& t) {
  t.heading("Joins");
  t.row("begun, connected", std::to_string(joins.begun) + ", " + std::to_string(joins.connected));
  t.row("failed, cut off later", std::to_string(joins.failed) + ", " + std::to_string(joins.lost));
  t.row("signalling", percentiles(joins.signalling));
  t.row("ICE", percentiles(joins.ice));
  t.row("DTLS", percentiles(joins.dtls));
  t.row("until connected", percentiles(joins.connecting));
  t.row("then until the first packet", percentiles(joins.first_media));
  size_t shown = 0;
  for (const auto& [why, times] : joins.failures) {
    if (++shown > MaxFailuresShown) break;
    t.row("failed " + std::to_string(times) + " times", why);
  }
}

void write_packets(const Report& report, Table& t) {
  const Results& r = report.results;
  const ReceiveCounts& in = r.received;
  t.heading("Packets");
  t.row("sent", std::to_string(r.sent.packets) + " (" + with_digits(r.sent_per_second, 0) + "/s)");
  t.row("received",
        std::to_string(in.packets) + " (" + with_digits(r.received_per_second, 0) + "/s)");
  t.row("lost", std::to_string(in.lost()) + " (" + percent(r.loss_percent) + ")");
  t.row("  by the load tester", in.lost_generator);
  t.row("  by the impairment", in.lost_impairment);
  t.row("  on the way through the bridge",
        std::to_string(in.lost_elsewhere) + " (" + percent(r.loss_elsewhere_percent) + ")");
  t.row("late (over " + milliseconds(LateAfter) + ")", in.late);
  t.row("reordered, duplicated",
        std::to_string(in.reordered) + ", " + std::to_string(in.duplicated));
  t.row("verified, corrupt", std::to_string(in.verified) + ", " + std::to_string(in.corrupt));
  t.row("sent again by the bridge", report.measured.resent_received);
  t.row("key frames asked for", r.sent.key_frames_asked_for);
}

void write_quality(const Report& report, Table& t) {
  const Measurements& m = report.measured;
  t.heading("Quality");
  for (const auto kind : {codec::MediaKind::Audio, codec::MediaKind::Video}) {
    const size_t i = index_of(kind);
    if (m.received[i].packets == 0) continue;
    const std::string name = codec::to_string(kind);
    t.row(name + " latency, one way", percentiles(m.latency[i]));
    t.row(name + " jitter",
          "mean " + milliseconds(m.jitter_mean[i]) + ", max " + milliseconds(m.jitter_max[i]));
  }
  const ReceiveCounts& in = report.results.received;
  t.row("freezes", std::to_string(in.freezes) + ", " + milliseconds(in.frozen) + " in all");
  t.row("slots that changed their sender", in.switches);
}

void write_cost(const Report& report, Table& t) {
  const Results& r = report.results;
  t.heading("Cost");
  t.row("SRTP profile", report.measured.srtp_profile);
  if (r.bridge_cpu_us) {
    t.row("bridge CPU", with_digits(*r.bridge_cpu_us, 3) + " us per packet received, " +
                            with_digits(*r.bridge_cpu_ms_per_1000, 3) + " ms per thousand");
    t.row("bridge busy", percent(*r.bridge_cpu_percent) + " of a core");
  } else {
    t.row("bridge CPU", "not measured (--bridge-pid, --metrics-url)");
  }
  t.row("load tester busy", percent(r.generator_cpu_percent) + " of a core, event loop " +
                                percent(r.loop_busy_percent));
  t.row("packets behind their schedule", percentiles(report.measured.send_lateness));
}

}  // namespace

std::string write_table(const Report& report) {
  Table t;
  t.heading(report.scenario.name + ", seed " + std::to_string(report.scenario.seed) + ", " +
            with_digits(to_seconds(report.measured.measured), 1) + " s measured");
  write_joins(report.measured.joins, t);
  write_packets(report, t);
  write_quality(report, t);
  write_cost(report, t);
  t.heading("Notes");
  for (const std::string& note : report.notes) t.line(note);
  t.heading(std::string("Verdict: ") + to_string(report.results.verdict));
  for (const Check& check : report.results.checks)
    t.row(check.what,
          check.found + (check.passed ? "  ok" : "  MISSED") + ", at most " + check.allowed);
  for (const std::string& why : report.results.invalid_because) t.line(why);
  return t.text();
}

}  // namespace viaduct::load
