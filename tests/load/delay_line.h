// Datagrams that the impairment holds back until they are due, towards the bridge and from it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "tests/load/udp_port.h"

namespace viaduct::load {

struct HeldDatagram {
  Timestamp due;
  uint64_t order = 0;  // of those that are due together, as they came
  uint32_t participant = 0;
  uint32_t attempt = 0;
  std::shared_ptr<UdpPort> to_bridge;  // null: it is for the participant
  bool lost = false;                   // it never arrives; counted among its neighbours
  std::vector<uint8_t> bytes;
};

class DelayLine {
 public:
  void hold(Timestamp due, uint32_t participant, uint32_t attempt,
            std::shared_ptr<UdpPort> to_bridge, Bytes bytes, bool lost = false) {
    held_.push_back({due,
                     order_++,
                     participant,
                     attempt,
                     std::move(to_bridge),
                     lost,
                     {bytes.begin(), bytes.end()}});
    std::ranges::push_heap(held_, later);
  }

  Timestamp next_due() const { return held_.empty() ? Never : held_.front().due; }

  // The next one that is due; only when next_due() has come.
  HeldDatagram take() {
    std::ranges::pop_heap(held_, later);
    HeldDatagram out = std::move(held_.back());
    held_.pop_back();
    return out;
  }

 private:
  static bool later(const HeldDatagram& a, const HeldDatagram& b) {
    return std::pair(a.due, a.order) > std::pair(b.due, b.order);
  }

  std::vector<HeldDatagram> held_;
  uint64_t order_ = 0;
};

}  // namespace viaduct::load
