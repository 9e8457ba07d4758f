// When the next step up of a picture is due.
//
// A network may bear a better layer and not what comes with the step to it: the key frame of a larger picture fills its
// queue, and the layer is gone again within a second. Without patience that happens over and over.
#pragma once

#include <algorithm>
#include <optional>

#include "base/time.h"
#include "base/units.h"

namespace viaduct::conference {

class Patience {
 public:
  static constexpr Duration Least = 5s;  // after a step down
  static constexpr Duration Most = 30s;
  // A step up that did not stay for so long has failed by itself, and makes the pause twice as long...
  static constexpr Duration Stays = 3s;
  // ...but not for a network that is so much better than the one that it was taken on.
  static constexpr double MuchBetter = 1.25;

  // A step up is taken, since this can be sent to the receiver.
  void note_rise(DataRate available, Timestamp now) {
    rise_ = now;
    taken_on_ = available;
  }
  void note_fall(Timestamp now) {
    fall_ = now;
    if (!rise_) return;  // the rest of a fall in several steps
    pause_ = now - *rise_ < Stays ? std::min(2 * pause_, Most) : Least;
    rise_.reset();
  }
  bool allows_rise(DataRate available, Timestamp now) const {
    if (!fall_) return true;
    const bool is_much_better = static_cast<double>(available.bits_per_second) >=
                                MuchBetter * static_cast<double>(taken_on_.bits_per_second);
    return now >= *fall_ + (is_much_better ? Least : pause_);
  }

 private:
  std::optional<Timestamp> rise_, fall_;  // the last ones; no rise: none since the last fall
  DataRate taken_on_;
  Duration pause_ = Least;
};

}  // namespace viaduct::conference
