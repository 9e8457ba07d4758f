// Packets that left together, as one: how much longer apart two such groups arrived than they left
// (draft-ietf-rmcat-gcc-02 sections 5.2 and 5.3).
//
// A group is what left within 5 ms. What arrives in a burst although it left apart (as behind a radio link that sends
// in turns) belongs to one group too, since only its first packet says something about a queue.
#pragma once

#include <optional>

#include "base/time.h"

namespace viaduct::congestion {

struct GroupDelta {
  Duration sent{0};      // from the last packet of one group to the last of the next, where they left
  Duration arrived{0};   // and where they arrived
  Duration at{0};        // when the later group had arrived, on the receiver's line
};

class ArrivalGroups {
 public:
  static constexpr Duration Length = 5ms;
  static constexpr Duration BurstGap = 5ms;
  static constexpr Duration LongestBurst = 100ms;

  // The next packet that arrived. A value whenever it begins a group and two groups before it are complete.
  std::optional<GroupDelta> add(Timestamp sent, Duration arrival);
  void reset() { *this = ArrivalGroups(); }

 private:
  struct Group {
    Timestamp first_sent;
    Timestamp last_sent;
    Duration first_arrival{0};
    Duration last_arrival{0};
  };

  bool belongs_to_current(Timestamp sent, Duration arrival) const;
  bool is_burst(Timestamp sent, Duration arrival) const;
  std::optional<GroupDelta> difference();

  std::optional<Group> current_;
  std::optional<Group> previous_;
  int reordered_groups_ = 0;  // one after another
};

}  // namespace viaduct::congestion
