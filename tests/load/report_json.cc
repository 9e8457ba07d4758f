#include <nlohmann/json.hpp>

#include "tests/load/report.h"

namespace viaduct::load {
namespace {

using nlohmann::ordered_json;

double ms(Duration d) { return to_seconds(d) * 1000; }

ordered_json percentiles(const Histogram& h) {
  if (h.count() == 0) return nullptr;
  return {{"count", h.count()},
          {"mean", ms(h.mean())},
          {"p50", ms(h.percentile(50))},
          {"p90", ms(h.percentile(90))},
          {"p95", ms(h.percentile(95))},
          {"p99", ms(h.percentile(99))},
          {"p99_9", ms(h.percentile(99.9))},
          {"max", ms(h.max())}};
}

ordered_json received(const ReceiveCounts& c) {
  return {{"packets", c.packets},
          {"bytes", c.bytes},
          {"lost",
           {{"all", c.lost()},
            {"load_tester", c.lost_generator},
            {"impairment", c.lost_impairment},
            {"bridge", c.lost_elsewhere}}},
          {"late", c.late},
          {"reordered", c.reordered},
          {"duplicated", c.duplicated},
          {"verified", c.verified},
          {"corrupt", c.corrupt},
          {"freezes", c.freezes},
          {"frozen_seconds", to_seconds(c.frozen)},
          {"switches", c.switches}};
}

ordered_json sent(const SendCounts& c) {
  return {{"packets", c.packets},
          {"bytes", c.bytes},
          {"refused", c.refused},
          {"impaired", c.impaired},
          {"key_frames_asked_for", c.key_frames_asked_for}};
}

ordered_json joins(const JoinCounts& j) {
  return {{"begun", j.begun},
          {"connected", j.connected},
          {"failed", j.failed},
          {"cut_off", j.lost},
          {"milliseconds",
           {{"signalling", percentiles(j.signalling)},
            {"ice", percentiles(j.ice)},
            {"dtls", percentiles(j.dtls)},
            {"connecting", percentiles(j.connecting)},
            {"first_media", percentiles(j.first_media)}}},
          {"failures", j.failures}};
}

ordered_json kinds(const Measurements& m) {
  ordered_json out = ordered_json::object();
  for (const auto kind : {codec::MediaKind::Audio, codec::MediaKind::Video}) {
    const size_t i = index_of(kind);
    out[codec::to_string(kind)] = {
        {"sent", sent(m.sent[i])},
        {"received", received(m.received[i])},
        {"latency_milliseconds", percentiles(m.latency[i])},
        {"jitter_milliseconds", {{"mean", ms(m.jitter_mean[i])}, {"max", ms(m.jitter_max[i])}}}};
  }
  return out;
}

ordered_json bridge(const Results& r) {
  if (!r.bridge_cpu_us) return nullptr;
  return {{"cpu_us_per_packet_received", *r.bridge_cpu_us},
          {"cpu_ms_per_1000_packets", *r.bridge_cpu_ms_per_1000},
          {"cpu_percent_of_a_core", *r.bridge_cpu_percent}};
}

ordered_json generator(const Measurements& m, const Results& r) {
  return {{"cpu_percent_of_a_core", r.generator_cpu_percent},
          {"event_loop_percent", r.loop_busy_percent},
          {"own_drops", m.own_drops},
          {"own_loss_percent", r.own_loss_percent},
          {"behind_schedule_milliseconds", percentiles(m.send_lateness)}};
}

ordered_json seconds(const Measurements& m) {
  ordered_json list = ordered_json::array();
  for (const Second& s : m.seconds)
    list.push_back(
        {{"at", s.at},
         {"connected", s.connected},
         {"sent", s.sent},
         {"received", s.received},
         {"lost", s.lost},
         {"latency_p50_ms", s.latency_p50_ms},
         {"latency_p99_ms", s.latency_p99_ms},
         {"bridge_cpu_percent",
          s.bridge_cpu_percent ? ordered_json(*s.bridge_cpu_percent) : ordered_json(nullptr)}});
  return list;
}

ordered_json participants(const Measurements& m) {
  ordered_json list = ordered_json::array();
  for (const PerParticipant& p : m.participants)
    list.push_back({{"conference", p.conference},
                    {"name", p.name},
                    {"sent", p.sent},
                    {"received", p.received.packets},
                    {"lost", p.received.lost()},
                    {"lost_bridge", p.received.lost_elsewhere},
                    {"late", p.received.late},
                    {"freezes", p.received.freezes},
                    {"jitter_ms", ms(p.jitter)}});
  return list;
}

}  // namespace

std::string write_json(const Report& report) {
  const Measurements& m = report.measured;
  const Results& r = report.results;
  ordered_json checks = ordered_json::array();
  for (const Check& c : r.checks)
    checks.push_back(
        {{"what", c.what}, {"found", c.found}, {"allowed", c.allowed}, {"passed", c.passed}});
  ordered_json all = received(r.received);
  all["loss_percent"] = r.loss_percent;
  all["loss_bridge_percent"] = r.loss_elsewhere_percent;
  all["packets_per_second"] = r.received_per_second;
  const ordered_json out = {{"version", 1},
                            {"scenario", report.scenario.name},
                            {"seed", report.scenario.seed},
                            {"measured_seconds", to_seconds(m.measured)},
                            {"verdict", to_string(r.verdict)},
                            {"exit_code", exit_code_of(r.verdict)},
                            {"thresholds", checks},
                            {"invalid_because", r.invalid_because},
                            {"notes", report.notes},
                            {"srtp_profile", m.srtp_profile},
                            {"joins", joins(m.joins)},
                            {"sent", sent(r.sent)},
                            {"received", all},
                            {"latency_milliseconds", percentiles(r.latency)},
                            {"resent_received", m.resent_received},
                            {"kinds", kinds(m)},
                            {"bridge", bridge(r)},
                            {"load_tester", generator(m, r)},
                            {"seconds", seconds(m)},
                            {"participants", participants(m)}};
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace viaduct::load
