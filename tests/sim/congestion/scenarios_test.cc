// What congestion control must reach on simulated networks, and that the kept report says what it does reach.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/sim/congestion/report.h"
#include "tests/sim/congestion/scenarios.h"

namespace viaduct::testing {
namespace {

// What a phase must reach once it has settled.
struct Goal {
  double used = 0.85;
  Duration queued_p95 = 100ms;
  double fairness = 0;
  Duration converged = 5s;
};

void expect(const PhaseResult& r, const Goal& goal) {
  SCOPED_TRACE(r.scenario + ", " + r.phase);
  EXPECT_GE(r.utilisation, goal.used);
  EXPECT_LE(to_ms(r.queued_p95), to_ms(goal.queued_p95));
  EXPECT_GE(r.fairness, goal.fairness);
  EXPECT_LE(to_ms(r.converged.value_or(Duration(1h))), to_ms(goal.converged));
}

void expect(const std::string& name, const Goal& goal) {
  for (const PhaseResult& r : run(scenario(name))) expect(r, goal);
}

TEST(CongestionSimulation, FollowsStepsWithReportsEvery100Milliseconds) {
  expect("steps, transport-wide every 100 ms", {});
}

TEST(CongestionSimulation, FollowsStepsWithReportsEvery50Milliseconds) {
  expect("steps, transport-wide every 50 ms", {});
}

TEST(CongestionSimulation, FollowsStepsWithReportsOfRfc8888) { expect("steps, RFC 8888 every 100 ms", {}); }

// What is available grows all the time: it is used from the middle of the ramp on.
TEST(CongestionSimulation, FollowsARamp) { expect("ramp", {.converged = 12s}); }

TEST(CongestionSimulation, LeavesConstantTrafficItsPart) { expect("constant cross traffic of 1.5 Mbit/s", {}); }

// Each beginning of the other traffic makes a queue, every 10 s.
TEST(CongestionSimulation, MakesRoomForTrafficThatComesAndGoes) {
  expect("cross traffic of 1.5 Mbit/s, 5 s on and 5 s off", {.queued_p95 = 120ms, .converged = 8s});
}

TEST(CongestionSimulation, BearsJitter) {
  expect("jitter of 20 ms", {.converged = 7s});
  expect("jitter of 50 ms", {});
}

// The loss itself is not there to be used.
TEST(CongestionSimulation, BearsRandomLoss) {
  expect("random loss of 2 %", {});
  expect("random loss of 5 %", {.used = 0.8});
  expect("random loss of 10 %", {.used = 0.75, .converged = 8s});
}

TEST(CongestionSimulation, BearsLossInBursts) { expect("loss in bursts, 3 % in all", {}); }

TEST(CongestionSimulation, SendsTheLargestLayerAgainSoonAfterMuchLoss) {
  const std::vector<PhaseResult> results = run(scenario("10 % of loss for 20 s, sent in layers"));
  expect(results.at(0), {.used = 0.75});
  expect(results.at(1), {.used = 0.95, .queued_p95 = 50ms});
}

// Now and then the second layer is tried, and does not fit; the sound and the least layer always have their place.
TEST(CongestionSimulation, LeavesSoundItsPlaceOnANarrowLink) {
  expect("100 kbit/s, sent in layers", {.used = 0.5, .queued_p95 = 50ms, .converged = 10s});
}

TEST(CongestionSimulation, EmptiesABloatedBuffer) { expect("bufferbloat, queue of 1 s", {}); }

TEST(CongestionSimulation, SharesALinkWithAnotherOfItsKind) {
  expect("two flows", {.fairness = 0.8});
  expect("two flows of different round-trip times", {.fairness = 0.8});
}

TEST(CongestionSimulation, FindsALowRateFromAHighOne) {
  expect("start at 300 kbit/s", {});
  expect("start at 100 kbit/s", {});
}

TEST(CongestionSimulation, FindsWhatIsWantedAfterLittleWasSent) { expect("little to send, then much", {}); }

TEST(CongestionSimulation, BearsLostReports) {
  expect("10 % of reports lost", {.converged = 7s});
  expect("30 % of reports lost", {.converged = 7s});
}

TEST(CongestionSimulation, GivesTheSameFiguresEachTime) {
  for (const char* name : {"steps, transport-wide every 100 ms", "loss in bursts, 3 % in all", "two flows"}) {
    EXPECT_EQ(run(scenario(name)), run(scenario(name))) << name;
  }
}

TEST(CongestionSimulation, GivesOtherFiguresWithAnotherSeed) {
  Scenario other = scenario("loss in bursts, 3 % in all");
  const auto before = run(other);
  ++other.seed;
  EXPECT_NE(run(other), before);
}

std::string contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// tests/sim/congestion/report writes the table by this test.
TEST(CongestionReport, IsTheTableOfTheDocument) {
  const std::string path = VIADUCT_SOURCE_DIR "/deploy/docs/congestion-control.md";
  std::vector<PhaseResult> results;
  for (const Scenario& s : all_scenarios()) {
    const auto phases = run(s);
    results.insert(results.end(), phases.begin(), phases.end());
  }
  const std::string table = table_of(results);
  std::string text = contents(path);
  const size_t begins = text.find("| network |");
  ASSERT_NE(begins, std::string::npos) << path << " has no table";
  const size_t ends = std::min(text.find("\n\n", begins), text.size() - 1) + 1;
  if (std::getenv("VIADUCT_WRITE_REPORT")) {
    text.replace(begins, ends - begins, table);
    std::ofstream(path) << text;
  } else {
    EXPECT_EQ(text.substr(begins, ends - begins), table) << "write it anew: tests/sim/congestion/report build/release";
  }
}

}  // namespace
}  // namespace viaduct::testing
