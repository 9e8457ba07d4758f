// A bad network in the process: loss, delay, jitter and a bottleneck of a given rate, for one
// direction of one participant.
//
// Sans-IO and seeded: says of each datagram whether and when it arrives.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/random.h"
#include "base/time.h"
#include "base/units.h"

namespace viaduct::load {

struct ImpairmentPlan {
  double loss = 0;  // 0 to 1, of datagrams, each by itself
  Duration delay{};
  Duration jitter{};       // at most, added to the delay; datagrams keep their order
  DataRate rate{};         // of the bottleneck; 0: none
  Duration queue = 200ms;  // that the bottleneck holds; what does not fit is lost
  bool is_nothing() const {
    return loss <= 0 && delay.count() == 0 && jitter.count() == 0 && rate.bits_per_second == 0;
  }
};

class Impairment {
 public:
  Impairment(const ImpairmentPlan& plan, uint64_t seed) : plan_(plan), random_(seed) {}

  // When a datagram that enters at `now` comes out; nothing when it is lost. `now` never goes back.
  std::optional<Timestamp> pass(size_t bytes, Timestamp now) {
    const double draw = uniform(), wobble = uniform();
    if (draw < plan_.loss) return std::nullopt;
    Timestamp out = now;
    if (plan_.rate.bits_per_second > 0) {
      const Timestamp begins = std::max(link_free_, now);
      if (begins - now > plan_.queue) return std::nullopt;
      const double seconds =
          static_cast<double>(bytes) * 8 / static_cast<double>(plan_.rate.bits_per_second);
      link_free_ = begins + Duration(static_cast<int64_t>(seconds * 1e9));
      out = link_free_;
    }
    out += plan_.delay +
           Duration(static_cast<int64_t>(wobble * static_cast<double>(plan_.jitter.count())));
    return last_out_ = std::max(out, last_out_);
  }

  // When the last one that was not lost comes out, or came.
  Timestamp last_out() const { return last_out_; }

 private:
  double uniform() { return static_cast<double>(random_.next() >> 11) * 0x1.0p-53; }

  const ImpairmentPlan plan_;
  SeededRandom random_;
  Timestamp link_free_{};
  Timestamp last_out_{};
};

}  // namespace viaduct::load
