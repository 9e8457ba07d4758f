// A bound on how often something happens. Pure: told the time, never asks for it.
#pragma once

#include <algorithm>

#include "base/time.h"

namespace viaduct {

// Lets `per_second` things happen on average and twice as many in a burst.
class TokenBucket {
 public:
  explicit TokenBucket(double per_second) : per_second_(per_second), tokens_(2 * per_second) {}

  bool take(Timestamp now) {
    tokens_ = tokens_at(now);
    last_ = std::max(last_, now);
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

  // True when nothing was taken for so long that a new bucket would be the same.
  bool is_full(Timestamp now) const { return tokens_at(now) >= 2 * per_second_; }

 private:
  double tokens_at(Timestamp now) const {
    return std::min(2 * per_second_, tokens_ + std::max(0.0, to_seconds(now - last_)) * per_second_);
  }

  double per_second_;
  double tokens_;
  Timestamp last_{};
};

}  // namespace viaduct
