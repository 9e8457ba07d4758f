#include "control/metrics.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "control/control_metrics.h"
#include "control/process_metrics.h"

namespace viaduct::control {
namespace {

class PacketSource final : public MetricSource {
 public:
  explicit PacketSource(double n) : n_(n) { latency_.observe(0.003); }
  void visit(MetricVisitor& v) const override {
    v.counter("viaduct_packets_total", "Packets.", {{"direction", "in"}}, n_);
    v.counter("viaduct_packets_total", "Packets.", {{"direction", "out"}}, 2 * n_);
    v.histogram("viaduct_latency_seconds", "Latency.", {}, latency_);
  }

 private:
  double n_;
  Histogram<2> latency_{std::array<double, 2>{0.001, 0.01}};
};

// The line that starts with `start`, or what is missing.
std::string line(const std::string& text, const std::string& start) {
  const size_t at = ("\n" + text).find("\n" + start);
  return at == std::string::npos ? "no " + start : text.substr(at, text.find('\n', at) - at);
}

TEST(Metrics, AddsUpWhatSeveralSourcesCountUnderOneName) {
  const PacketSource a(1), b(10);
  const std::string text = write_metrics({&a, &b});
  EXPECT_EQ(line(text, "viaduct_packets_total{direction=\"in\"}"),
            "viaduct_packets_total{direction=\"in\"} 11");
  EXPECT_EQ(line(text, "viaduct_packets_total{direction=\"out\"}"),
            "viaduct_packets_total{direction=\"out\"} 22");
  EXPECT_EQ(line(text, "# TYPE viaduct_packets_total"), "# TYPE viaduct_packets_total counter");
  EXPECT_EQ(text.find("# HELP viaduct_packets_total"), text.rfind("# HELP viaduct_packets_total"));
}

TEST(Metrics, WritesHistogramsCumulatively) {
  const PacketSource a(1), b(1);
  const std::string text = write_metrics({&a, &b});
  EXPECT_EQ(line(text, "viaduct_latency_seconds_count"), "viaduct_latency_seconds_count 2");
  EXPECT_EQ(line(text, "viaduct_latency_seconds_bucket{le=\"0.001\"}"),
            "viaduct_latency_seconds_bucket{le=\"0.001\"} 0");
  EXPECT_EQ(line(text, "viaduct_latency_seconds_bucket{le=\"0.01\"}"),
            "viaduct_latency_seconds_bucket{le=\"0.01\"} 2");
  EXPECT_EQ(line(text, "viaduct_latency_seconds_bucket{le=\"+Inf\"}"),
            "viaduct_latency_seconds_bucket{le=\"+Inf\"} 2");
}

TEST(Metrics, ShowTheProcessAndWhatRuns) {
  const ProcessMetrics process(std::chrono::seconds(1'800'000'000));
  const std::string text = write_metrics({&process});
  EXPECT_NE(text.find("\nprocess_resident_memory_bytes "), std::string::npos);
  EXPECT_NE(text.find("\nprocess_cpu_seconds_total "), std::string::npos);
  EXPECT_NE(text.find("\nprocess_open_fds "), std::string::npos);
  EXPECT_NE(text.find("viaduct_build_info{version=\""), std::string::npos);
}

TEST(Metrics, CountUnknownLabelsAsOther) {
  ControlMetrics metrics;
  metrics.joins["joined"].add();
  metrics.joins["no such outcome"].add();
  metrics.count_response(Listener::Admin, 404);
  const std::string text = write_metrics({&metrics});
  EXPECT_EQ(line(text, "viaduct_joins_total{outcome=\"joined\"}"),
            "viaduct_joins_total{outcome=\"joined\"} 1");
  EXPECT_EQ(line(text, "viaduct_joins_total{outcome=\"other\"}"),
            "viaduct_joins_total{outcome=\"other\"} 1");
  EXPECT_EQ(line(text, "viaduct_http_responses_total{listener=\"admin\",status=\"4xx\"}"),
            "viaduct_http_responses_total{listener=\"admin\",status=\"4xx\"} 1");
}

TEST(Metrics, ShowWhatIsDecidedDeclaredRelayedAndDirect) {
  ControlMetrics metrics;
  metrics.conferences_with({.wanted = true, .required = true}).add(2);
  metrics.participants_declaring(true).add(3);
  metrics.direct_conferences.add(1);
  metrics.relayed_to_all.messages.add();
  metrics.relayed_to_some.bytes.add(70);
  const std::string text = write_metrics({&metrics});
  for (const char* expected :
       {"viaduct_conferences_by_e2ee{policy=\"required\"} 2",
        "viaduct_conferences_by_e2ee{policy=\"off\"} 0",
        "viaduct_participants_by_e2ee{declared=\"yes\"} 3", "viaduct_direct_conferences 1",
        "viaduct_relayed_messages_total{to=\"all\"} 1",
        "viaduct_relayed_bytes_total{to=\"some\"} 70"}) {
    EXPECT_EQ(line(text, expected), expected);
  }
}

TEST(Metrics, PassPromtool) {
  if (std::system("command -v promtool >/dev/null") != 0)
    GTEST_SKIP() << "promtool is not installed (package prometheus)";
  ControlMetrics control;
  control.total_seconds.observe(0.2);
  const ProcessMetrics process(std::chrono::seconds(1'800'000'000));
  FILE* promtool = popen("promtool check metrics", "w");
  ASSERT_NE(promtool, nullptr);
  const std::string text = write_metrics({&control, &process});
  ASSERT_EQ(fwrite(text.data(), 1, text.size(), promtool), text.size());
  EXPECT_EQ(pclose(promtool), 0) << text;
}

}  // namespace
}  // namespace viaduct::control
