#include "protocol/congestion/delay_controller.h"

#include <algorithm>

#include "protocol/congestion/rates.h"

namespace viaduct::congestion {

void DelayController::on_arrival(const PacketResult& packet) {
  const std::optional<GroupDelta> delta = groups_.add(packet.sent, *packet.arrival);
  if (!delta) return;
  trendline_.add(*delta);
  detector_.update(trendline_.slope(), trendline_.deltas(), delta->sent, delta->at);
}

void DelayController::restart() {
  groups_.reset();
  trendline_.reset();
  detector_ = OverUseDetector();
}

// A probe that found less than what is taken to be there may have met other traffic: it lowers the rate no further than
// an over-use would.
void DelayController::update(const Seen& seen, Timestamp now) {
  if (seen.probed && usage() != Usage::Over) {
    DataRate measured = *seen.probed;
    if (seen.throughput) measured = std::max(measured, std::min(rate(), *seen.throughput * RateControl::BackOff));
    rate_.set_measured(measured, now);
    return;
  }
  rate_.update(usage(), seen.throughput, seen.limited_by_application, now);
}

}  // namespace viaduct::congestion
