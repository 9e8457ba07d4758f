// When a slot's packets were resent last, so that one NACK that crosses its answer does not buy a
// second copy.
#pragma once

#include <array>
#include <cstdint>

#include "base/time.h"

namespace viaduct::conference {

class RecentlyResent {
 public:
  // False when the packet left again less than `patience` (about 0.9 round trips) ago.
  bool may_resend(uint16_t sequence, Timestamp now, Duration patience) const {
    const Entry& e = entries_[sequence % entries_.size()];
    return e.sequence != sequence || now - e.at >= patience || e.at == Timestamp{};
  }
  void note(uint16_t sequence, Timestamp now) {
    entries_[sequence % entries_.size()] = {now, sequence};
  }

 private:
  struct Entry {
    Timestamp at{};
    uint16_t sequence = 0;
  };
  std::array<Entry, 64> entries_{};
};

}  // namespace viaduct::conference
