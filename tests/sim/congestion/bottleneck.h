// The narrowest link of a way through the network, on virtual time: a rate that changes, a queue that drops what does
// not fit, then a delay with jitter and loss. What several senders put into it waits in one line.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "base/units.h"

namespace viaduct::testing {

// Loss in bursts (Gilbert and Elliott): a good state without loss and a bad one, each packet may change it.
struct BurstLoss {
  double begins = 0;       // chance per packet that the bad state begins
  double ends = 1;         // and that it ends
  double loss = 0;         // within it
};

struct RateFrom {
  Timestamp at;
  DataRate rate;
};

struct BottleneckSettings {
  std::vector<RateFrom> rates;        // by time; the first from the beginning on
  Duration queue = 300ms;             // of data at the present rate; at least LeastQueue
  Duration delay = 25ms;              // behind the queue
  Duration jitter{0};                 // uniform in [0, jitter]; never reorders
  double loss = 0;                    // chance per packet,
  Timestamp loss_ends = Never;        // until then
  BurstLoss bursts;
};

struct Crossing {
  Timestamp arrival;
  Duration queued{0};
};

class Bottleneck {
 public:
  static constexpr DataSize LeastQueue{9000};

  Bottleneck(const BottleneckSettings& settings, uint64_t seed) : settings_(settings), random_(seed) {}

  // A packet at the entrance; `now` never runs backwards. Nothing when it gets lost.
  std::optional<Crossing> send(size_t bytes, Timestamp now);
  DataRate rate_at(Timestamp t) const;

 private:
  bool fits(size_t bytes, Timestamp now);
  Timestamp sent_at(size_t bytes, Timestamp start) const;
  bool is_lost(Timestamp now);

  struct Queued {
    Timestamp leaves;
    size_t bytes = 0;
  };

  BottleneckSettings settings_;
  SeededRandom random_;
  std::deque<Queued> queue_;
  size_t queued_bytes_ = 0;
  Timestamp free_at_{};
  Timestamp last_arrival_{};
  bool bad_state_ = false;
};

}  // namespace viaduct::testing
