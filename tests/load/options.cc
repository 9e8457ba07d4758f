#include "tests/load/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <regex>

#include "tests/load/recording.h"
#include "tests/load/results.h"
#include "tests/load/scenario_file.h"

namespace viaduct::load {
namespace {

using srtp::SrtpProfile;

const std::map<std::string, SrtpProfile> Profiles = {{"gcm128", SrtpProfile::AeadAes128Gcm},
                                                     {"gcm256", SrtpProfile::AeadAes256Gcm},
                                                     {"sha1", SrtpProfile::Aes128CmHmacSha1_80}};
const std::map<std::string, Verify> Verifies = {
    {"none", Verify::None}, {"sample", Verify::Sample}, {"all", Verify::All}};
// Pictures that a receiver asks for, by the names of `lk perf load-test`.
const std::map<std::string, size_t> Layouts = {
    {"speaker", 1}, {"3x3", 9}, {"4x4", 16}, {"5x5", 25}};

// As the command line gives it, without a scenario file.
struct Simple {
  size_t conferences = 1, participants = 0;
  size_t video_publishers = 0, audio_publishers = 0, subscribers = 0;
  size_t senders = 0, audio_senders = 0;
  double joins_per_second = 50;
  std::string resolution = "high", layout;
  bool simulcast = false, sealed = false;
  double packets_per_second = 0;
  size_t packet_bytes = 1200, frame_packets = 1;
  double bitrate_kbps = 0, frames_per_second = 0;
  std::optional<ReplayPlan> replay;
  double loss_percent = 0, delay_ms = 0, jitter_ms = 0, rate_kbps = 0;
};

Duration from_seconds(double s) { return Duration(static_cast<int64_t>(s * 1e9)); }
Duration from_ms(double ms) { return from_seconds(ms / 1000); }

std::vector<Layer> layers_of(const Simple& simple) {
  const std::vector<Layer> all = {{320, 180, 15, DataRate::kbps(160)},
                                  {640, 360, 20, DataRate::kbps(400)},
                                  {1280, 720, 30, DataRate::kbps(1500)}};
  const size_t largest = simple.resolution == "low" ? 0 : simple.resolution == "medium" ? 1 : 2;
  std::vector<Layer> layers(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(largest) + 1);
  if (!simple.simulcast) layers = {layers.back()};
  if (simple.bitrate_kbps > 0)
    layers.back().bitrate = DataRate{static_cast<int64_t>(simple.bitrate_kbps * 1000)};
  if (simple.frames_per_second > 0) layers.back().frames_per_second = simple.frames_per_second;
  return layers;
}

Group group_of(const Simple& simple, const std::string& name, size_t participants) {
  Group group;
  group.name = name;
  group.participants = participants;
  group.video.layers = layers_of(simple);
  group.video.packet_bytes = simple.packet_bytes;
  group.audio.talk_share = 1;
  if (simple.packets_per_second > 0)
    group.fixed = FixedPlan{simple.packets_per_second, simple.packet_bytes, simple.frame_packets};
  group.replay_video = simple.replay;
  const ImpairmentPlan bad{.loss = simple.loss_percent / 100,
                           .delay = from_ms(simple.delay_ms),
                           .jitter = from_ms(simple.jitter_ms),
                           .rate = {static_cast<int64_t>(simple.rate_kbps * 1000)}};
  group.network = {bad, bad};
  return group;
}

// Either publishers and subscribers, as `lk perf load-test` has them, or participants of whom some
// send, as malleus has them; both at once are two kinds of people in one conference.
void add_conferences(const Simple& simple, Scenario& scenario) {
  ConferencePlan conference;
  conference.count = simple.conferences;
  conference.bodies = simple.sealed ? BodyShape::Sealed : BodyShape::Plain;
  const size_t publishers = std::max(simple.video_publishers, simple.audio_publishers);
  if (publishers > 0) {
    Group group = group_of(simple, "publisher", publishers);
    group.video_senders = simple.video_publishers;
    group.audio_senders = simple.audio_publishers;
    group.audio_slots = group.video_slots = 0;
    conference.groups.push_back(group);
  }
  const auto slots = Layouts.find(simple.layout);
  const auto wanted = [&](size_t senders) {
    return slots == Layouts.end() ? senders : std::min(slots->second, senders);
  };
  if (simple.subscribers > 0) {
    Group group = group_of(simple, "subscriber", simple.subscribers);
    group.video_slots = wanted(simple.video_publishers + simple.senders);
    group.audio_slots = simple.audio_publishers + simple.audio_senders;
    conference.groups.push_back(group);
  }
  if (simple.participants > 0) {
    Group group = group_of(simple, "participant", simple.participants);
    group.video_senders = std::min(simple.senders, simple.participants);
    group.audio_senders = std::min(simple.audio_senders, simple.participants);
    group.video_slots = wanted(simple.video_publishers + group.video_senders);
    group.audio_slots = simple.audio_publishers + group.audio_senders;
    conference.groups.push_back(group);
  }
  scenario.conferences = {conference};
}

class CommandLine {
 public:
  CommandLine() { add_options(); }

  std::optional<Options> parse(int argc, const char* const* argv, int& exit_code) {
    try {
      app_.parse(argc, argv);
      read_url();
      o_.profiles = {profile_};
      if (bridge_pid_ > 0) o_.bridge_pid = bridge_pid_;
      if (!scenario_file_.empty()) return with_scenario_file(exit_code);
      if (simple_.video_publishers + simple_.audio_publishers + simple_.participants == 0)
        throw CLI::ValidationError("",
                                   "nobody to join: give --scenario, --video-publishers and "
                                   "--subscribers, or --participants and --senders");
      fill_scenario();
    } catch (const CLI::ParseError& error) {
      exit_code = app_.exit(error) == 0 ? 0 : ExitUsage;
      return std::nullopt;
    }
    return std::move(o_);
  }

 private:
  void add_options() {
    app_.add_option("--url", url_, "the bridge's signalling, ws://address:port")->required();
    app_.add_option("--scenario", scenario_file_,
                    "a scenario file (YAML) in place of most of what follows");
    add_people();
    add_media();
    add_network();
    add_measuring();
  }

  void add_people() {
    app_.add_option("--conferences", simple_.conferences, "how many, all alike")
        ->check(CLI::Range(1, 100'000));
    app_.add_option("--video-publishers", simple_.video_publishers,
                    "who send video and receive nothing");
    app_.add_option("--audio-publishers", simple_.audio_publishers,
                    "who send audio and receive nothing");
    app_.add_option("--subscribers", simple_.subscribers, "who receive and send nothing");
    app_.add_option("--participants", simple_.participants, "who receive, and of whom some send");
    app_.add_option("--senders", simple_.senders, "participants who send video");
    app_.add_option("--audio-senders", simple_.audio_senders, "participants who send audio");
    app_.add_option("--num-per-second", simple_.joins_per_second, "joins a second")
        ->check(CLI::Range(0.1, 10'000.0));
    app_.add_option("--duration", duration_, "seconds that are measured, once all have joined")
        ->check(CLI::Range(0.1, 86'400.0));
    app_.add_option("--layout", simple_.layout,
                    "pictures a receiver wants: speaker (1), 3x3, 4x4, 5x5; all when left out")
        ->check(CLI::IsMember({"speaker", "3x3", "4x4", "5x5"}));
    app_.add_option("--seed", o_.scenario.seed, "the same seed gives the same packets");
  }

  void add_media() {
    app_.add_option("--video-resolution", simple_.resolution,
                    "high (720p, 1.5 Mbit/s), medium (360p), low (180p)")
        ->check(CLI::IsMember({"high", "medium", "low"}));
    app_.add_flag("--simulcast", simple_.simulcast, "offer the smaller resolutions too");
    app_.add_option("--bitrate", simple_.bitrate_kbps, "of video, kbit/s");
    app_.add_option("--fps", simple_.frames_per_second, "frames a second");
    app_.add_option(
            "--pps", simple_.packets_per_second,
            "packets a second of one size, from each video sender, in place of a camera's frames")
        ->check(CLI::Range(0.1, 1e8));
    app_.add_option("--packet-bytes", simple_.packet_bytes,
                    "of an RTP packet in clear, header included; at most, without --pps")
        ->check(CLI::Range(100, 1400));
    app_.add_option("--frame-packets", simple_.frame_packets,
                    "with --pps: packets that leave together as one frame")
        ->check(CLI::Range(1, 64));
    app_.add_option("--replay", replay_file_,
                    "video senders send the longest stream of this rtpdump or pcap file");
    app_.add_flag("--replay-recorded", replay_recorded_,
                  "with --replay: its bodies too (VP8), not only sizes and times");
    app_.add_flag("--e2ee", simple_.sealed,
                  "bodies as end-to-end encryption leaves them, and declared so");
    app_.add_option("--profile", profile_, "the SRTP profile to offer: gcm128, gcm256, sha1")
        ->transform(CLI::CheckedTransformer(Profiles));
  }

  void add_network() {
    app_.add_option("--loss", simple_.loss_percent,
                    "percent of datagrams lost, each way, of everybody")
        ->check(CLI::Range(0.0, 100.0));
    app_.add_option("--delay", simple_.delay_ms, "milliseconds, each way")
        ->check(CLI::Range(0.0, 10'000.0));
    app_.add_option("--jitter", simple_.jitter_ms, "milliseconds at most above the delay")
        ->check(CLI::Range(0.0, 10'000.0));
    app_.add_option("--rate", simple_.rate_kbps, "kbit/s of each participant's network, each way")
        ->check(CLI::Range(0.0, 1e8));
    app_.add_option("--from", o_.from,
                    "addresses of the participants, in turn (repeat the option)");
    app_.add_option("--token", o_.token, "the token to join with");
    app_.add_flag("--send-gso", o_.segment, "publishers send by UDP GSO, which real ones do not");
    app_.add_option("--handshake-threads", o_.handshake_threads, "threads for DTLS handshakes")
        ->check(CLI::Range(1, 64));
  }

  void add_measuring() {
    app_.add_option(
            "--verify", o_.verify,
            "which received packets are decrypted and compared: none, sample (1 in 16), all")
        ->transform(CLI::CheckedTransformer(Verifies));
    app_.add_option("--bridge-pid", bridge_pid_, "the bridge's process, for its CPU time");
    app_.add_option("--metrics-url", o_.metrics_url,
                    "the bridge's /metrics, for its CPU time when it runs elsewhere");
    app_.add_option("--json", o_.json_file, "write the report to this file");
    app_.add_option("--csv", o_.csv_file, "write the run second by second to this file");
    app_.add_option("--html", o_.html_file, "write the report with plots to this file");
    app_.add_flag("--quiet", o_.quiet, "no progress");
    app_.add_option("--max-loss", max_loss_,
                    "threshold: percent lost on the way through the bridge");
    app_.add_option("--max-latency", max_latency_ms_,
                    "threshold: one-way latency, milliseconds, 99th percentile");
    app_.add_option("--max-bridge-cpu", max_bridge_cpu_,
                    "threshold: the bridge's microseconds per packet received");
    app_.add_option(
        "--max-lateness", max_lateness_ms_,
        "milliseconds behind the schedule (99 % of all packets) that make the run invalid");
    app_.add_option("--max-failed-joins", max_failed_joins_, "threshold: percent");
  }

  void read_url() {
    std::smatch parts;
    if (!std::regex_match(url_, parts, std::regex("ws://([0-9.]+):([0-9]{1,5})(/.*)?")))
      throw CLI::ValidationError("--url", "must be ws://address:port with an IPv4 address");
    o_.host = parts[1];
    o_.port = parts[2];
  }

  void read_recording() {
    if (replay_file_.empty()) return;
    const auto recording = Recording::read(replay_file_);
    if (!recording) throw CLI::ValidationError("--replay", recording.error().text);
    if (replay_recorded_ && !recording->has_bodies())
      throw CLI::ValidationError("--replay-recorded", "the recording holds headers only");
    simple_.replay = ReplayPlan{.recording = std::make_shared<const Recording>(*recording),
                                .random_bodies = !replay_recorded_};
  }

  void fill_scenario() {
    read_recording();
    Scenario& s = o_.scenario;
    s.name = "command line";
    s.duration = from_seconds(duration_);
    s.joins_per_second = simple_.joins_per_second;
    add_conferences(simple_, s);
    add_thresholds();
  }

  // Of a file's settings the command line overrides the duration, the seed, the pace and the
  // thresholds.
  std::optional<Options> with_scenario_file(int& exit_code) {
    const uint64_t seed = o_.scenario.seed;
    auto read = read_scenario_file(scenario_file_);
    if (!read) {
      std::fprintf(stderr, "viaduct-load: %s\n", read.error().text.c_str());
      exit_code = ExitUsage;
      return std::nullopt;
    }
    o_.scenario = std::move(*read);
    if (app_.count("--seed")) o_.scenario.seed = seed;
    if (app_.count("--duration")) o_.scenario.duration = from_seconds(duration_);
    if (app_.count("--num-per-second")) o_.scenario.joins_per_second = simple_.joins_per_second;
    add_thresholds();
    return std::move(o_);
  }

  void add_thresholds() {
    Thresholds& t = o_.scenario.thresholds;
    if (app_.count("--max-loss")) t.loss_percent = max_loss_;
    if (app_.count("--max-latency")) t.latency_p99 = from_ms(max_latency_ms_);
    if (app_.count("--max-bridge-cpu")) t.bridge_cpu_us = max_bridge_cpu_;
    if (app_.count("--max-lateness")) t.send_lateness = from_ms(max_lateness_ms_);
    if (app_.count("--max-failed-joins")) t.failed_joins_percent = max_failed_joins_;
  }

  CLI::App app_{
      "Puts a Viaduct bridge under load: participants without a browser join, send and receive "
      "over real "
      "sockets, and what arrives is measured. Exit code 0: passed, 1: a threshold was missed, 2: "
      "the load "
      "tester itself did not keep up, 3: wrong usage, 4: the run could not begin.",
      "viaduct-load"};
  Options o_;
  Simple simple_;
  std::string url_, scenario_file_, replay_file_;
  bool replay_recorded_ = false;
  double duration_ = 20;
  SrtpProfile profile_ = SrtpProfile::AeadAes128Gcm;
  int bridge_pid_ = 0;
  double max_loss_ = 0, max_latency_ms_ = 0, max_bridge_cpu_ = 0, max_failed_joins_ = 0;
  double max_lateness_ms_ = 0;
};

}  // namespace

std::optional<Options> parse_options(int argc, const char* const* argv, int& exit_code) {
  return CommandLine().parse(argc, argv, exit_code);
}

}  // namespace viaduct::load
