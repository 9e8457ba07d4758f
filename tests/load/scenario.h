// What a run does, as the scenario file or the command line says it: who is in which conference,
// what they send and receive, what happens when, and what counts as passed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "protocol/codec/codec.h"
#include "tests/load/body.h"
#include "tests/load/impairment.h"
#include "tests/load/media_plan.h"

namespace viaduct::load {

// The network of one participant.
struct NetworkPlan {
  ImpairmentPlan up;  // towards the bridge
  ImpairmentPlan down;
};

// Participants who come and go: each stays and is away for times around these means.
struct ChurnPlan {
  Duration stay = 20s;
  Duration away = 2s;
};

// Participants of a conference who are alike.
struct Group {
  std::string name = "participants";
  size_t participants = 1;
  bool present = true;       // from the start; false: they wait for a join of the timeline
  size_t audio_senders = 0;  // the first ones of the group
  size_t video_senders = 0;
  size_t audio_slots = 3;  // asked for; the bridge may give fewer
  size_t video_slots = 12;
  AudioPlan audio;
  VideoPlan video;
  std::optional<FixedPlan> fixed;          // what video senders send in place of a camera's frames
  std::optional<ReplayPlan> replay_audio;  // the same for recordings
  std::optional<ReplayPlan> replay_video;
  std::optional<ChurnPlan> churn;
  NetworkPlan network;
};

struct ConferencePlan {
  std::string name = "load";
  size_t count = 1;  // conferences that are alike; each name gets a number behind it
  BodyShape bodies = BodyShape::Plain;
  std::vector<Group> groups;
};

struct Action {
  enum class Kind : uint8_t {
    Join,
    Leave,
    Mute,
    Unmute,
    Speak,
    Silence,
    Listen,
    Layout,
    Impair,
    Drain
  };
  Duration at{};  // after the beginning of what is measured
  Kind kind{};
  std::string conference;                            // by the name in the scenario; empty: all
  std::string group;                                 // empty: all groups
  size_t count = 0;                                  // how many of them, the first ones; 0: all
  codec::MediaKind media = codec::MediaKind::Audio;  // of mute and unmute
  NetworkPlan network;                               // of impair
  size_t video_slots = 0;  // of layout: pictures that they want to see from now on
  size_t line = 0;         // of the scenario file
};

// Of 99 % of all packets; beyond it the load tester is its own bottleneck.
inline constexpr Duration MaxSendLateness = 20ms;

// What may be at most; nothing: anything.
struct Thresholds {
  std::optional<double>
      loss_percent;  // on the way through the bridge: not our own, not the impairment's
  std::optional<Duration> latency_p50;
  std::optional<Duration> latency_p99;
  std::optional<Duration> join_p95;  // until connected
  std::optional<double> failed_joins_percent;
  std::optional<double> late_percent;
  std::optional<double> freezes_per_minute;  // of each receiving participant
  std::optional<double> corrupt_packets;
  std::optional<double> bridge_cpu_us;       // per packet received
  Duration send_lateness = MaxSendLateness;  // more makes the run invalid, not missed
};

struct Scenario {
  std::string name = "load";
  uint64_t seed = 1;
  Duration duration = 30s;     // of what is measured
  Duration settle = 1s;        // between the last join and the beginning of what is measured
  bool measure_joins = false;  // measuring begins with the first join
  double joins_per_second = 50;
  std::vector<ConferencePlan> conferences;
  std::vector<Action> timeline;
  Thresholds thresholds;

  // Whether somebody sends at a fixed rate, which nobody's congestion control is to hold back: the
  // packet path is measured.
  bool has_fixed_rate() const {
    return std::ranges::any_of(conferences, [](const ConferencePlan& conference) {
      return std::ranges::any_of(conference.groups, [](const Group& g) { return g.fixed.has_value(); });
    });
  }
};

}  // namespace viaduct::load
