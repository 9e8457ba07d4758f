// What a run has measured, as numbers only: the reports are made from this and nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "protocol/codec/codec.h"
#include "tests/load/histogram.h"
#include "tests/load/receive_stream.h"

namespace viaduct::load {

struct JoinCounts {
  uint64_t begun = 0;
  uint64_t connected = 0;
  uint64_t failed = 0;
  uint64_t lost = 0;     // connected and later cut off, without having left
  Histogram signalling;  // socket, join, offer, answer
  Histogram ice;
  Histogram dtls;
  Histogram first_media;                     // from connected to the first packet
  Histogram connecting;                      // all but the last
  std::map<std::string, uint64_t> failures;  // why, and how often
};

struct SendCounts {
  uint64_t packets = 0;   // that the kernel took
  uint64_t bytes = 0;     // of UDP payload
  uint64_t refused = 0;   // that it did not
  uint64_t impaired = 0;  // that the impairment lost before
  uint64_t key_frames_asked_for = 0;
};

// One second of the run, for plots and the progress line.
struct Second {
  double at = 0;  // seconds since measuring began, at its end
  uint64_t sent = 0;
  uint64_t received = 0;
  uint64_t lost = 0;
  size_t connected = 0;
  double latency_p50_ms = 0;
  double latency_p99_ms = 0;
  std::optional<double> bridge_cpu_percent;
};

struct PerParticipant {
  std::string conference, name;
  uint64_t sent = 0;
  ReceiveCounts received;
  Duration jitter{};
};

struct Measurements {
  JoinCounts joins;
  std::array<SendCounts, 2> sent;  // by codec::MediaKind
  std::array<ReceiveCounts, 2> received;
  std::array<Histogram, 2> latency;  // one way
  std::array<Duration, 2> jitter_mean{};
  std::array<Duration, 2> jitter_max{};
  uint64_t resent_received = 0;  // repairs (RTX)
  uint64_t own_drops = 0;        // that arrived and our own sockets had no room for
  Histogram send_lateness;       // of each packet, behind its schedule
  Duration measured{};
  Duration generator_cpu{};            // the whole process
  Duration loop_cpu{};                 // the event loop's thread
  std::optional<Duration> bridge_cpu;  // user and system
  size_t receiving_participants = 0;
  std::string srtp_profile;
  std::vector<Second> seconds;
  std::vector<PerParticipant> participants;
};

inline size_t index_of(codec::MediaKind kind) { return static_cast<size_t>(kind); }

}  // namespace viaduct::load
