// Tells the link about our addresses when we come up, some times over, so that switches and neighbours who remember
// somebody else learn (RFC 5227 section 3, RFC 4861 section 7.2.6).
#pragma once

#include <cstddef>
#include <optional>

#include "base/time.h"

namespace viaduct::dpdk::ip {

class Announcements {
 public:
  static constexpr int Rounds = 3;
  static constexpr Duration Interval = 1s;

  explicit Announcements(size_t addresses) : addresses_(addresses), due_(addresses == 0 ? Never : Timestamp{}) {}

  // The index of the address that is to be announced now.
  std::optional<size_t> take(Timestamp now) {
    if (now < due_) return std::nullopt;
    const size_t index = next_++;
    if (next_ == addresses_) {
      next_ = 0;
      due_ = ++rounds_ < Rounds ? now + Interval : Never;
    }
    return index;
  }

  Timestamp next_deadline() const { return due_; }

 private:
  size_t addresses_;
  Timestamp due_;
  size_t next_ = 0;
  int rounds_ = 0;
};

}  // namespace viaduct::dpdk::ip
