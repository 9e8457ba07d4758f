// Sums, shares and verdicts, and the reports that are made of them.
#include "tests/load/results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/load/bridge_cpu.h"
#include "tests/load/report.h"

namespace viaduct::load {
namespace {

using codec::MediaKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Ten seconds of one sender and ten receivers, all well.
Measurements good_run() {
  Measurements m;
  m.measured = 10s;
  m.joins.begun = m.joins.connected = 11;
  m.sent[index_of(MediaKind::Video)].packets = 10'000;
  m.received[index_of(MediaKind::Video)].packets = 100'000;
  m.bridge_cpu = 130ms;
  m.loop_cpu = 2s;
  m.generator_cpu = 2500ms;
  m.receiving_participants = 10;
  for (int i = 0; i < 1000; ++i) {
    m.send_lateness.add(100us);
    m.latency[index_of(MediaKind::Video)].add(i < 980 ? 1ms : 30ms);
    m.joins.connecting.add(80ms);
  }
  m.seconds = {{.at = 1, .sent = 1000, .received = 10'000, .latency_p99_ms = 1.5},
               {.at = 2, .sent = 1000, .received = 9'999, .lost = 1, .bridge_cpu_percent = 1.3}};
  return m;
}

TEST(Results, DivideTheBridgesTimeByThePacketsThatWereReceived) {
  const Results r = assess(good_run(), {});
  EXPECT_DOUBLE_EQ(*r.bridge_cpu_us, 1.3);
  EXPECT_DOUBLE_EQ(*r.bridge_cpu_ms_per_1000, 1.3);
  EXPECT_DOUBLE_EQ(*r.bridge_cpu_percent, 1.3);
  EXPECT_DOUBLE_EQ(r.received_per_second, 10'000);
  EXPECT_DOUBLE_EQ(r.sent_per_second, 1'000);
  EXPECT_DOUBLE_EQ(r.loop_busy_percent, 20);
  EXPECT_EQ(r.verdict, Verdict::Passed);
}

TEST(Results, CountLossesOfWhatShouldHaveComeAndBlameTheBridgeForItsOwnOnly) {
  Measurements m = good_run();
  ReceiveCounts& video = m.received[index_of(MediaKind::Video)];
  video.packets = 90;
  video.lost_elsewhere = 5;
  video.lost_impairment = 3;
  video.lost_generator = 2;
  const Results r = assess(m, {.loss_percent = 5});
  EXPECT_DOUBLE_EQ(r.loss_percent, 10);
  EXPECT_DOUBLE_EQ(r.loss_elsewhere_percent, 5);
  EXPECT_EQ(r.verdict, Verdict::Passed);
}

TEST(Results, MissAThresholdWhereMoreWasFoundThanIsAllowed) {
  const Results r = assess(
      good_run(), {.latency_p50 = 2ms, .latency_p99 = 20ms, .join_p95 = 1s, .bridge_cpu_us = 1.2});
  EXPECT_EQ(r.verdict, Verdict::Missed);
  std::vector<bool> passed;
  for (const Check& check : r.checks) passed.push_back(check.passed);
  EXPECT_THAT(passed, ElementsAre(true, false, true, false));
  EXPECT_EQ(exit_code_of(r.verdict), 1);
}

TEST(Results, MissAThresholdOnWhatWasNotMeasured) {
  Measurements m = good_run();
  m.bridge_cpu.reset();
  EXPECT_EQ(assess(m, {.bridge_cpu_us = 100}).verdict, Verdict::Missed);
  m.latency = {};
  EXPECT_EQ(assess(m, {.latency_p99 = 1h}).verdict, Verdict::Missed);
}

TEST(Results, AreInvalidWhenPacketsLeftTooLate) {
  Measurements m = good_run();
  for (int i = 0; i < 20; ++i) m.send_lateness.add(MaxSendLateness * 2);
  const Results r = assess(m, {.bridge_cpu_us = 0});
  EXPECT_EQ(r.verdict, Verdict::Invalid) << "whatever thresholds say";
  EXPECT_THAT(r.invalid_because, ElementsAre(HasSubstr("behind their schedule")));
  EXPECT_EQ(exit_code_of(r.verdict), 2);
}

TEST(Results, AreInvalidWhenOurOwnSocketsLostPackets) {
  Measurements m = good_run();
  m.own_drops = 500;
  EXPECT_THAT(assess(m, {}).invalid_because, ElementsAre(HasSubstr("own sockets")));
  m.own_drops = 50;
  EXPECT_THAT(assess(m, {}).invalid_because, IsEmpty());
  m.sent[1].refused = 200;
  EXPECT_THAT(assess(m, {}).invalid_because, ElementsAre(HasSubstr("own sockets")));
}

TEST(Results, AreInvalidWhenOurOwnLoopWasBusyAllTheTime) {
  Measurements m = good_run();
  m.loop_cpu = 9900ms;
  EXPECT_THAT(assess(m, {}).invalid_because, ElementsAre(HasSubstr("event loop")));
}

TEST(Results, OfARunWithoutPacketsDivideByNothing) {
  const Results r = assess({}, {});
  EXPECT_EQ(r.loss_percent, 0);
  EXPECT_EQ(r.bridge_cpu_us, std::nullopt);
}

class ReportTest : public ::testing::Test {
 protected:
  ReportTest() {
    scenario_.name = "a <meeting> & \"more\"";
    scenario_.thresholds.latency_p99 = 20ms;
    results_ = assess(measured_, scenario_.thresholds);
  }
  Scenario scenario_;
  Measurements measured_ = good_run();
  Results results_;
  Report report() { return {scenario_, measured_, results_, {"All was verified."}}; }
};

TEST_F(ReportTest, IsATableWithFiguresAndVerdict) {
  const std::string table = write_table(report());
  EXPECT_THAT(table, HasSubstr("1.300 us per packet received"));
  EXPECT_THAT(table, HasSubstr("Verdict: threshold missed"));
  EXPECT_THAT(table, HasSubstr("MISSED, at most 20.0 ms"));
  EXPECT_THAT(table, HasSubstr("All was verified."));
}

TEST_F(ReportTest, IsJsonForPrograms) {
  const auto json = nlohmann::json::parse(write_json(report()));
  EXPECT_EQ(json["verdict"], "threshold missed");
  EXPECT_EQ(json["exit_code"], 1);
  EXPECT_EQ(json["received"]["packets"], 100'000);
  EXPECT_DOUBLE_EQ(json["bridge"]["cpu_us_per_packet_received"], 1.3);
  EXPECT_EQ(json["seconds"].size(), 2u);
  EXPECT_EQ(json["seconds"][0]["bridge_cpu_percent"], nullptr);
  EXPECT_EQ(json["kinds"]["audio"]["latency_milliseconds"], nullptr);
}

TEST_F(ReportTest, IsCsvWithALineForEachSecond) {
  const std::string csv = write_csv(report());
  EXPECT_EQ(std::ranges::count(csv, '\n'), 3);
  EXPECT_THAT(csv, HasSubstr("\n2.0,0,1000,9999,1,0.000,0.000,1.3\n"));
}

TEST_F(ReportTest, IsAPageThatLoadsNothingAndEscapesNames) {
  const std::string html = write_html(report());
  EXPECT_THAT(html, HasSubstr("a &lt;meeting&gt; &amp; &quot;more&quot;"));
  EXPECT_THAT(html, HasSubstr("<svg"));
  EXPECT_THAT(html, HasSubstr("<polyline"));
  for (const char* loads : {"<script", "src=", "href=", "url(", "http:", "https:"})
    EXPECT_THAT(html, Not(HasSubstr(loads))) << loads;
}

TEST(BridgeCpu, IsReadFromMetrics) {
  EXPECT_EQ(
      cpu_seconds_in("HTTP/1.0 200 OK\r\n\r\n# HELP x\nprocess_cpu_seconds_total 12.5\nother 1\n"),
      12500ms);
  EXPECT_EQ(cpu_seconds_in("viaduct_process_cpu_seconds_total 12.5\n"), std::nullopt);
  EXPECT_EQ(cpu_seconds_in(""), std::nullopt);
}

TEST(BridgeCpu, IsReadFromProcWhateverTheProgramIsCalled) {
  EXPECT_EQ(cpu_ticks_in("12 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 700 77 0 0"), 777);
  EXPECT_EQ(cpu_ticks_in("12 (viaduct) S 1 2"), std::nullopt);
  EXPECT_EQ(cpu_ticks_in(""), std::nullopt);
}

TEST(BridgeCpu, IsRefusedForAProcessThatIsNotThere) {
  EXPECT_FALSE(BridgeCpu::of_process(0x3fffffff).ok());
  EXPECT_FALSE(BridgeCpu::of_metrics("localhost/metrics").ok());
}

}  // namespace
}  // namespace viaduct::load
