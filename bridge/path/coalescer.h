// How long a worker lets packets gather once one has arrived.
//
// What goes to one receiver in one turn costs the kernel little more than one packet, so a busy
// worker does well to wait for company, and an idle one has no reason to let anybody wait. The wait
// grows with what the worker sends and ends at a millisecond, which nobody hears or sees.
#pragma once

#include <algorithm>

#include "base/time.h"
#include "limits.h"

namespace viaduct::path {

class Coalescer {
 public:
  // Packets a second that the worker sends: no wait up to Quiet, the whole from Busy on. Busy is
  // where a packet by itself (4 us) would take some eight hundredths of a core.
  static constexpr int64_t Quiet = 5'000;
  static constexpr int64_t Busy = 20'000;
  static constexpr Duration Window = 100ms;  // a few frames of video

  // A turn has ended; `sent` packets since the start.
  void on_turn(uint64_t sent, Timestamp now) {
    const Duration elapsed = now - window_start_;
    if (elapsed < Window) return;
    const auto rate = static_cast<int64_t>(static_cast<double>(sent - sent_before_) /
                                           to_seconds(elapsed));
    delay_ = limits::LongestGather * std::clamp<int64_t>(rate - Quiet, 0, Busy - Quiet) /
             (Busy - Quiet);
    window_start_ = now;
    sent_before_ = sent;
  }

  // How long to wait from `now` on, when the oldest packet has come at `since` or later. What is not
  // worth a sleep is 0.
  Duration wait(Timestamp since, Timestamp now) const {
    const Duration left = delay_ - (now - since);
    return left < ShortestSleep ? Duration{} : left;
  }

 private:
  static constexpr Duration ShortestSleep = 50us;

  Duration delay_{};
  Timestamp window_start_{};
  uint64_t sent_before_ = 0;
};

}  // namespace viaduct::path
