// Scenario files: what they say, and how errors in them are told.
#include "tests/load/scenario_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace viaduct::load {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Scenario good(const std::string& yaml) {
  const auto scenario = parse_scenario(yaml, "test.yaml");
  EXPECT_TRUE(scenario.ok()) << (scenario.ok() ? "" : scenario.error().text);
  return scenario.ok() ? *scenario : Scenario{};
}

std::string error_of(const std::string& yaml) {
  const auto scenario = parse_scenario(yaml, "test.yaml");
  return scenario.ok() ? "" : scenario.error().text;
}

constexpr const char* Whole = R"(version: 1
name: a meeting
seed: 42
duration: 1 min
settle: 500 ms
joins: {per-second: 12.5, measured: true}
conferences:
  - name: meeting
    count: 3
    bodies: sealed
    groups:
      - name: speakers
        participants: 2
        send:
          audio: {senders: all, bitrate: 40 kbit/s, packet: 20ms, talk: 60 %, spurt: 3s, dtx: false}
          video:
            senders: 1
            packet-bytes: 1100
            key-frames: 4s
            layers:
              - {size: 320x180, fps: 15, bitrate: 150 kbit/s}
              - {size: 1280x720, fps: 30, bitrate: 1.5 Mbit/s}
        receive: {audio: 3, video: 4}
        network: {both: {loss: 1 %, delay: 20 ms}, down: {rate: 2 Mbit/s, queue: 100ms}}
      - name: late
        participants: 5
        present: false
        churn: {stay: 10s, away: 2s}
timeline:
  - {at: 5s, do: join, group: late, count: 2}
  - {at: 6s, do: mute, media: video, conference: meeting, group: speakers}
  - {at: 7s, do: impair, network: {up: {loss: 5%}}}
thresholds: {loss: 0.1 %, latency-p99: 50 ms, join-p95: 2s, corrupt-packets: 0, bridge-cpu-us: 1.3}
)";

TEST(ScenarioFile, SaysAllThatAScenarioHas) {
  const Scenario s = good(Whole);
  EXPECT_EQ(s.name, "a meeting");
  EXPECT_EQ(s.seed, 42u);
  EXPECT_EQ(s.duration, 60s);
  EXPECT_EQ(s.settle, 500ms);
  EXPECT_EQ(s.joins_per_second, 12.5);
  EXPECT_TRUE(s.measure_joins);
  ASSERT_EQ(s.conferences.size(), 1u);
  const ConferencePlan& c = s.conferences[0];
  EXPECT_EQ(c.count, 3u);
  EXPECT_EQ(c.bodies, BodyShape::Sealed);
  ASSERT_EQ(c.groups.size(), 2u);
  const Group& g = c.groups[0];
  EXPECT_EQ(g.audio_senders, 2u);
  EXPECT_EQ(g.video_senders, 1u);
  EXPECT_EQ(g.audio.bitrate, DataRate::kbps(40));
  EXPECT_DOUBLE_EQ(g.audio.talk_share, 0.6);
  EXPECT_FALSE(g.audio.dtx);
  ASSERT_EQ(g.video.layers.size(), 2u);
  EXPECT_EQ(g.video.layers[1].bitrate, DataRate::kbps(1500));
  EXPECT_EQ(g.video.layers[0].width, 320);
  EXPECT_EQ(g.video.key_frame_every, 4s);
  EXPECT_EQ(g.video_slots, 4u);
  EXPECT_DOUBLE_EQ(g.network.up.loss, 0.01);
  EXPECT_EQ(g.network.up.delay, 20ms);
  EXPECT_EQ(g.network.down.rate, DataRate::kbps(2000)) << "'down' replaces what 'both' says";
  EXPECT_DOUBLE_EQ(g.network.down.loss, 0);
  EXPECT_FALSE(c.groups[1].present);
  EXPECT_EQ(c.groups[1].churn->stay, 10s);
  ASSERT_EQ(s.timeline.size(), 3u);
  EXPECT_EQ(s.timeline[0].kind, Action::Kind::Join);
  EXPECT_EQ(s.timeline[0].count, 2u);
  EXPECT_EQ(s.timeline[1].media, codec::MediaKind::Video);
  EXPECT_DOUBLE_EQ(s.timeline[2].network.up.loss, 0.05);
  EXPECT_NEAR(*s.thresholds.loss_percent, 0.1, 1e-9);
  EXPECT_EQ(s.thresholds.latency_p99, 50ms);
  EXPECT_EQ(s.thresholds.bridge_cpu_us, 1.3);
  EXPECT_EQ(s.thresholds.late_percent, std::nullopt);
}

// A line with one thing wrong in it, and what the error must say.
struct Wrong {
  const char* yaml;
  const char* place;
  const char* field;
  const char* why;
};

class WrongScenarioFile : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongScenarioFile, IsRefusedWithTheLineTheFieldAndWhatIsAllowed) {
  const Wrong& wrong = GetParam();
  EXPECT_THAT(error_of(wrong.yaml),
              AllOf(StartsWith(wrong.place), HasSubstr(wrong.field), HasSubstr(wrong.why)));
}

constexpr const char* Head = "version: 1\nconferences:\n  - groups:\n    - participants: 2\n";

INSTANTIATE_TEST_SUITE_P(
    Each, WrongScenarioFile,
    ::testing::Values(
        Wrong{"name: x\nconferences: [{groups: [{}]}]\n", "test.yaml:1:", "'version'",
              "version: 1"},
        Wrong{"version: 2\n", "test.yaml:1:", "'version'", "from 1 to 1"},
        Wrong{"version: 1\nname: x\n", "test.yaml:1:", "'conferences'", "at least one"},
        Wrong{"version: 1\nspeed: fast\nconferences: [{groups: [{}]}]\n", "test.yaml:2:", "'speed'",
              "allowed are conferences, duration, joins, name"},
        Wrong{"version: 1\nduration: 5\nconferences: [{groups: [{}]}]\n",
              "test.yaml:2:", "'duration'", "unit: us, ms"},
        Wrong{"version: 1\nduration: 2 days\nconferences: [{groups: [{}]}]\n",
              "test.yaml:2:", "'duration'", "100 ms to 86400 s"},
        Wrong{"version: 1\nseed: -1\nconferences: [{groups: [{}]}]\n", "test.yaml:2:", "'seed'",
              "a number from 0"},
        Wrong{"version: 1\nseed: 1.5\nconferences: [{groups: [{}]}]\n", "test.yaml:2:", "'seed'",
              "whole number"},
        Wrong{"version: 1\nconferences:\n  - groups:\n    - participants: 0\n",
              "test.yaml:4:", "'participants'", "from 1 to 100000"},
        Wrong{"version: 1\nconferences:\n  - bodies: secret\n    groups: [{}]\n",
              "test.yaml:3:", "'bodies'", "allowed are plain, sealed"},
        Wrong{"version: 1\nconferences:\n  - groups:\n    - participants: 2\n      send: {video: "
              "{senders: 3}}\n",
              "test.yaml:5:", "'senders'", "from 0 to 2"},
        Wrong{
            "version: 1\nconferences:\n  - groups:\n    - send: {video: {layers: [{size: big}]}}\n",
            "test.yaml:4:", "'size'", "WIDTHxHEIGHT"},
        Wrong{"version: 1\nconferences:\n  - groups:\n    - network: {up: {loss: 0.1}}\n",
              "test.yaml:4:", "'loss'", "0 % to 100 %"},
        Wrong{"version: 1\nconferences:\n  - groups:\n    - network: {up: {rate: 5}}\n",
              "test.yaml:4:", "'rate'", "kbit/s"},
        Wrong{"version: 1\nconferences: [{groups: [{}]}]\ntimeline:\n  - {at: 1s}\n",
              "test.yaml:4:", "'do'", "allowed are drain, impair, join"},
        Wrong{"version: 1\nconferences: [{groups: [{}]}]\ntimeline:\n  - {at: 1s, do: dance}\n",
              "test.yaml:4:", "'do'", "allowed are drain"},
        Wrong{"version: 1\nconferences: [{groups: [{}]}]\ntimeline:\n  - {at: 1s, do: leave, "
              "group: x}\n",
              "test.yaml:4:", "'group'", "has the name 'x'"},
        Wrong{
            "version: 1\nconferences: [{groups: [{}]}]\ntimeline:\n  - {do: leave, media: audio}\n",
            "test.yaml:4:", "'media'", "allowed are"},
        Wrong{"version: 1\nconferences: [{groups: [{send: {audio: {recording: {file: "
              "none.rtpdump}}}}]}]\n",
              "test.yaml:2:", "'file'", "cannot be read"},
        Wrong{"version: 1\nconferences: 5\n", "test.yaml:2:", "'conferences'", "a list is wanted"},
        Wrong{"version: 1\njoins: fast\n", "test.yaml:2:", "'joins'", "no mapping"},
        Wrong{"- 1\n", "test.yaml:1:", "the scenario", "no mapping"},
        Wrong{"version: 1\nname: [open\n", "test.yaml:", "not YAML", "flow"}));

TEST(ScenarioFile, IsComplainedAboutWhenItIsNotThere) {
  const auto scenario = read_scenario_file("/nowhere/at.yaml");
  ASSERT_FALSE(scenario.ok());
  EXPECT_THAT(scenario.error().text, HasSubstr("/nowhere/at.yaml cannot be read"));
}

TEST(ScenarioFile, IsGoodForEachOfThoseThatComeWithTheProgram) {
  size_t found = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(VIADUCT_SOURCE_DIR "/tests/load/scenarios")) {
    const auto scenario = read_scenario_file(file.path().string());
    EXPECT_TRUE(scenario.ok()) << (scenario.ok() ? "" : scenario.error().text);
    ++found;
  }
  EXPECT_GE(found, 6u);
}

TEST(ScenarioFile, HasDefaultsForAllButTheVersionAndThePeople) {
  const Scenario s = good(Head);
  EXPECT_EQ(s.conferences[0].groups[0].participants, 2u);
  EXPECT_EQ(s.conferences[0].groups[0].audio_senders, 0u);
  EXPECT_EQ(s.duration, 30s);
}

}  // namespace
}  // namespace viaduct::load
