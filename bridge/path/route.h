// Step 8. Who gets this packet? A list of (packet, receive slot): all voices before any picture, then
// each receiver's together, since the edge sends what stands together for one receiver as one
// segmented datagram, if it can; each slot's in the order of arrival. A source that is held back
// gets no further, nor does an encoding where another one is received.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "conference/directory.h"
#include "path/batch.h"

namespace viaduct::path {

// One copy to make.
struct Forward {
  uint8_t packet = 0;  // index in the RxBatch
  bool video = false;
  conference::SlotRef to;

  // Smaller goes first.
  uint64_t rank() const {
    return uint64_t{video} << 63 | uint64_t{to.endpoint.index} << 24 | uint64_t{to.slot} << 8 | packet;
  }
};

// Takes the first of `rest`: so many that their packets stay in the processor's cache from rewriting
// to sending, and all that go to one receiver.
std::span<const Forward> take_portion(std::span<const Forward>& rest);

class Route {
 public:
  explicit Route(conference::Directory& directory) : directory_(directory) {
    forwards_.reserve(limits::RxBatchPackets * 8);  // a full batch to a small conference
  }

  // Valid until the next call.
  std::span<const Forward> run(RxBatch& rx, Timestamp now);

 private:
  struct Chosen {
    const conference::Source* source = nullptr;
    uint8_t packet = 0;
    bool video = false;
    bool one_of_many = false;  // encodings, of which each receiver gets one
  };
  std::span<const Chosen> choose(RxBatch& rx, Timestamp now);
  bool may_want(const conference::SlotRef& slot, const RxPacket& packet) const;

  conference::Directory& directory_;
  std::array<Chosen, limits::RxBatchPackets> chosen_;
  std::vector<Forward> forwards_;
};

}  // namespace viaduct::path
