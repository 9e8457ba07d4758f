#include "protocol/congestion/arrival_groups.h"

#include <algorithm>

namespace viaduct::congestion {

std::optional<GroupDelta> ArrivalGroups::add(Timestamp sent, Duration arrival) {
  const Group alone{.first_sent = sent, .last_sent = sent, .first_arrival = arrival, .last_arrival = arrival};
  if (!current_) {
    current_ = alone;
    return std::nullopt;
  }
  if (sent < current_->first_sent) return std::nullopt;  // overtaken by a later group
  if (belongs_to_current(sent, arrival)) {
    current_->last_sent = std::max(current_->last_sent, sent);
    current_->last_arrival = std::max(current_->last_arrival, arrival);
    return std::nullopt;
  }
  const std::optional<GroupDelta> delta = difference();
  previous_ = current_;
  current_ = alone;
  return delta;
}

bool ArrivalGroups::belongs_to_current(Timestamp sent, Duration arrival) const {
  return is_burst(sent, arrival) || sent - current_->first_sent <= Length;
}

bool ArrivalGroups::is_burst(Timestamp sent, Duration arrival) const {
  const Duration send_gap = sent - current_->last_sent;
  const Duration arrival_gap = arrival - current_->last_arrival;
  if (send_gap == 0ns) return true;
  if (arrival < current_->first_arrival) return false;
  return arrival_gap < send_gap && arrival_gap <= BurstGap && arrival - current_->first_arrival < LongestBurst;
}

// Between the two groups that are complete. Groups that arrive before earlier ones say nothing, and many of them in a
// row say that the receiver's clock was set back.
std::optional<GroupDelta> ArrivalGroups::difference() {
  constexpr int MostReordered = 3;
  if (!previous_) return std::nullopt;
  const Duration arrived = current_->last_arrival - previous_->last_arrival;
  if (arrived < 0ns) {
    if (++reordered_groups_ >= MostReordered) reset();
    return std::nullopt;
  }
  reordered_groups_ = 0;
  return GroupDelta{.sent = current_->last_sent - previous_->last_sent,
                    .arrived = arrived,
                    .at = current_->last_arrival};
}

}  // namespace viaduct::congestion
