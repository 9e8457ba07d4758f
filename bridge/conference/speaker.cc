#include "conference/speaker.h"

#include <algorithm>

namespace viaduct::conference {

bool Speaker::decide(std::span<const Voice> voices, Timestamp now) {
  if (!due(now)) return false;
  next_ = now + DecisionInterval;

  const auto loudest = std::ranges::max_element(voices, {}, &Voice::mean);
  const auto mine = std::ranges::find_if(
      voices, [&](const Voice& v) { return current_ && v.endpoint == *current_; });
  const float my_mean = mine == voices.end() ? 0 : mine->mean;
  if (my_mean >= Audible) last_heard_ = now;

  std::optional<EndpointId> next = current_;
  if (loudest != voices.end() && loudest->mean >= Audible && loudest->mean > my_mean + Margin) {
    next = loudest->endpoint;
    last_heard_ = now;
  } else if (current_ && now - last_heard_ > Pause) {
    next.reset();
  }
  const bool changed = next != current_;
  current_ = next;
  return changed;
}

bool Speaker::forget(EndpointId endpoint) {
  if (current_ != endpoint) return false;
  current_.reset();
  return true;
}

}  // namespace viaduct::conference
