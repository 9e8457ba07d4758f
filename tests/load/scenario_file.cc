#include "tests/load/scenario_file.h"

#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "tests/load/recording.h"
#include "tests/load/scenario_fields.h"

namespace viaduct::load {
namespace {

constexpr size_t MostParticipants = 100'000;

const std::map<std::string, Action::Kind> ActionKinds = {
    {"join", Action::Kind::Join},     {"leave", Action::Kind::Leave},
    {"mute", Action::Kind::Mute},     {"unmute", Action::Kind::Unmute},
    {"speak", Action::Kind::Speak},   {"silence", Action::Kind::Silence},
    {"listen", Action::Kind::Listen}, {"layout", Action::Kind::Layout},
    {"impair", Action::Kind::Impair}, {"drain", Action::Kind::Drain}};
const std::map<std::string, BodyShape> Bodies = {{"plain", BodyShape::Plain},
                                                 {"sealed", BodyShape::Sealed}};
const std::map<std::string, codec::MediaKind> Kinds = {{"audio", codec::MediaKind::Audio},
                                                       {"video", codec::MediaKind::Video}};
const std::map<std::string, bool> RecordingBodies = {{"random", true}, {"recorded", false}};

class Reader {
 public:
  explicit Reader(std::filesystem::path folder) : folder_(std::move(folder)) {}

  Scenario read(const YAML::Node& root) {
    Fields f(root, "the scenario");
    const auto version = f.number("version", 1, 1, 1);
    if (!f.has("version")) f.refuse("has no 'version': the format described is 'version: 1'");
    (void)version;
    Scenario s;
    s.name = f.text("name", s.name);
    s.seed = f.whole("seed", s.seed, 0, UINT32_MAX);
    s.duration = f.duration("duration", s.duration, 100ms, 24h);
    s.settle = f.duration("settle", s.settle, 0ns, 1h);
    if (auto joins = f.fields("joins")) {
      s.joins_per_second = joins->number("per-second", s.joins_per_second, 0.1, 10'000);
      s.measure_joins = joins->flag("measured", false);
      joins->finish();
    }
    for (const YAML::Node& node : f.list("conferences", 1))
      s.conferences.push_back(conference(node));
    for (const YAML::Node& node : f.list("timeline", 0)) s.timeline.push_back(action(node, s));
    if (auto thresholds = f.fields("thresholds")) read_thresholds(*thresholds, s.thresholds);
    f.finish();
    return s;
  }

 private:
  ConferencePlan conference(const YAML::Node& node) {
    Fields f(node, "a conference");
    ConferencePlan c;
    c.name = f.text("name", c.name);
    c.count = f.whole("count", 1, 1, MostParticipants);
    c.bodies = f.choice("bodies", Bodies, BodyShape::Plain);
    for (const YAML::Node& group_node : f.list("groups", 1)) c.groups.push_back(group(group_node));
    f.finish();
    return c;
  }

  Group group(const YAML::Node& node) {
    Fields f(node, "a group");
    Group g;
    g.name = f.text("name", g.name);
    g.participants = f.whole("participants", 1, 1, MostParticipants);
    g.present = f.flag("present", true);
    if (auto send = f.fields("send")) {
      if (auto audio = send->fields("audio")) read_audio(*audio, g);
      if (auto video = send->fields("video")) read_video(*video, g);
      send->finish();
    }
    if (auto receive = f.fields("receive")) {
      g.audio_slots = receive->whole("audio", g.audio_slots, 0, limits::AudioSlotsPerEndpoint);
      g.video_slots = receive->whole("video", g.video_slots, 0, limits::VideoSlotsPerEndpoint);
      receive->finish();
    }
    if (auto churn = f.fields("churn")) {
      g.churn.emplace();
      g.churn->stay = churn->duration("stay", g.churn->stay, 1s, 24h);
      g.churn->away = churn->duration("away", g.churn->away, 100ms, 24h);
      churn->finish();
    }
    if (auto network = f.fields("network")) g.network = read_network(*network);
    f.finish();
    return g;
  }

  void read_audio(Fields& f, Group& g) {
    g.audio_senders = f.whole_or("senders", "all", g.participants, 0, g.participants);
    g.audio.bitrate = f.rate("bitrate", g.audio.bitrate, 1, 512);
    g.audio.packet_every = f.duration("packet", g.audio.packet_every, 10ms, 120ms);
    g.audio.talk_share = f.share("talk", g.audio.talk_share);
    g.audio.spurt = f.duration("spurt", g.audio.spurt, 100ms, 1h);
    g.audio.dtx = f.flag("dtx", g.audio.dtx);
    if (auto recording = f.fields("recording")) g.replay_audio = read_recording(*recording);
    f.finish();
  }

  void read_video(Fields& f, Group& g) {
    g.video_senders = f.whole_or("senders", "all", g.participants, 0, g.participants);
    const auto layers = f.list("layers", 0);
    if (!layers.empty()) g.video.layers.clear();
    for (const YAML::Node& node : layers) g.video.layers.push_back(layer(node));
    if (f.has("key-frames")) g.video.key_frame_every = f.duration("key-frames", 10s, 100ms, 24h);
    g.video.packet_bytes = f.whole("packet-bytes", g.video.packet_bytes, 200, 1400);
    if (auto fixed = f.fields("fixed")) {
      g.fixed.emplace();
      g.fixed->packets_per_second = fixed->number("packets-per-second", 1000, 0.1, 1e8);
      g.fixed->packet_bytes = fixed->whole("packet-bytes", 1200, 100, 1400);
      g.fixed->frame_packets = fixed->whole("frame-packets", 1, 1, 64);
      fixed->finish();
    }
    if (auto recording = f.fields("recording")) g.replay_video = read_recording(*recording);
    if (g.fixed && g.replay_video) f.refuse("has both 'fixed' and 'recording': one is allowed");
    f.finish();
  }

  Layer layer(const YAML::Node& node) {
    Fields f(node, "a layer");
    Layer l;
    f.size("size", l.width, l.height);
    l.frames_per_second = f.number("fps", l.frames_per_second, 1, 120);
    l.bitrate = f.rate("bitrate", l.bitrate, 10, 50'000);
    f.finish();
    return l;
  }

  ReplayPlan read_recording(Fields& f) {
    ReplayPlan plan;
    const std::string file = f.text("file", "");
    if (file.empty()) f.refuse("has no 'file'");
    plan.ssrc = static_cast<uint32_t>(f.whole("ssrc", 0, 0, UINT32_MAX));
    plan.random_bodies = f.choice("bodies", RecordingBodies, true);
    const auto recording = Recording::read((folder_ / file).string());
    if (!recording) f.refuse_field("file", recording.error().text);
    if (recording->stream(plan.ssrc).packets().empty())
      f.refuse_field("ssrc", "the recording has no packets of it");
    if (!plan.random_bodies && !recording->has_bodies())
      f.refuse_field("bodies", "the recording holds headers only: 'random' is allowed");
    plan.recording = std::make_shared<const Recording>(*recording);
    f.finish();
    return plan;
  }

  static NetworkPlan read_network(Fields& f) {
    NetworkPlan network;
    if (auto both = f.fields("both")) network.up = network.down = read_impairment(*both);
    if (auto up = f.fields("up")) network.up = read_impairment(*up);
    if (auto down = f.fields("down")) network.down = read_impairment(*down);
    f.finish();
    return network;
  }

  static ImpairmentPlan read_impairment(Fields& f) {
    ImpairmentPlan plan;
    plan.loss = f.share("loss", 0);
    plan.delay = f.duration("delay", 0ns, 0ns, 10s);
    plan.jitter = f.duration("jitter", 0ns, 0ns, 10s);
    plan.rate = f.rate("rate", {}, 1, 1e8);
    plan.queue = f.duration("queue", plan.queue, 0ns, 10s);
    f.finish();
    return plan;
  }

  static Action action(const YAML::Node& node, const Scenario& scenario) {
    Fields f(node, "an action");
    Action a;
    a.line = f.line();
    if (!f.has("do")) f.refuse("has no 'do': " + allowed(ActionKinds));
    a.kind = f.choice("do", ActionKinds, Action::Kind::Leave);
    a.at = f.duration("at", 0ns, 0ns, 24h);
    a.conference = f.text("conference", "");
    a.group = f.text("group", "");
    a.count = f.whole("count", 0, 0, MostParticipants);
    if (a.kind == Action::Kind::Mute || a.kind == Action::Kind::Unmute)
      a.media = f.choice("media", Kinds, codec::MediaKind::Audio);
    if (a.kind == Action::Kind::Layout)
      a.video_slots = f.whole("video", 1, 0, limits::VideoSlotsPerEndpoint);
    if (a.kind == Action::Kind::Impair)
      if (auto network = f.fields("network")) a.network = read_network(*network);
    f.finish();
    check_names(a, scenario, f);
    return a;
  }

  static void check_names(const Action& a, const Scenario& scenario, const Fields& f) {
    bool conference = a.conference.empty(), group = a.group.empty();
    for (const ConferencePlan& c : scenario.conferences) {
      if (c.name == a.conference) conference = true;
      for (const Group& g : c.groups)
        if (g.name == a.group && (a.conference.empty() || c.name == a.conference)) group = true;
    }
    if (!conference)
      f.refuse_field("conference", "no conference has the name '" + a.conference + "'");
    if (!group) f.refuse_field("group", "no group there has the name '" + a.group + "'");
  }

  static void read_thresholds(Fields& f, Thresholds& t) {
    const auto percent = [&](const char* name, std::optional<double>& out) {
      if (f.has(name)) out = 100 * f.share(name, 0);
    };
    const auto duration = [&](const char* name, std::optional<Duration>& out) {
      if (f.has(name)) out = f.duration(name, 0ns, 0ns, 1h);
    };
    const auto number = [&](const char* name, std::optional<double>& out) {
      if (f.has(name)) out = f.number(name, 0, 0, 1e9);
    };
    percent("loss", t.loss_percent);
    duration("latency-p50", t.latency_p50);
    duration("latency-p99", t.latency_p99);
    duration("join-p95", t.join_p95);
    percent("failed-joins", t.failed_joins_percent);
    percent("late", t.late_percent);
    number("freezes-per-minute", t.freezes_per_minute);
    number("corrupt-packets", t.corrupt_packets);
    number("bridge-cpu-us", t.bridge_cpu_us);
    t.send_lateness = f.duration("send-lateness", t.send_lateness, 1ms, 60s);
    f.finish();
  }

  const std::filesystem::path folder_;
};

Result<Scenario> parse_in(const std::string& yaml, const std::string& name,
                          const std::filesystem::path& folder) {
  const auto refused = [&](size_t line, const std::string& sentence) {
    return Error{ErrorCode::InvalidArgument,
                 name + ":" + std::to_string(line) + ": " + sentence + "."};
  };
  try {
    return Reader(folder).read(YAML::Load(yaml));
  } catch (const FieldError& error) {
    return refused(error.line, error.sentence);
  } catch (const YAML::Exception& error) {
    return refused(static_cast<size_t>(error.mark.line) + 1, "not YAML: " + error.msg);
  }
}

}  // namespace

Result<Scenario> parse_scenario(const std::string& yaml, const std::string& name) {
  return parse_in(yaml, name, ".");
}

Result<Scenario> read_scenario_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Error{ErrorCode::NotFound, "The scenario " + path + " cannot be read."};
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return parse_in(text, path, std::filesystem::path(path).parent_path());
}

}  // namespace viaduct::load
