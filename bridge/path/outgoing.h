// What every packet of media has in its header towards its receiver, beside what it carries of the original: the
// number that the receiver's reports will name it by, or the time of sending for one that estimates by itself.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/time.h"
#include "conference/endpoint.h"
#include "path/batch.h"
#include "protocol/rtp/header_writer.h"

namespace viaduct::path {

// The elements of one header. What they point to outlives it, but for those that it makes itself.
class OutgoingExtensions {
 public:
  OutgoingExtensions(Endpoint& receiver, const conference::Subscription& slot)
      : receiver_(receiver), ids_(receiver.slot_extensions) {
    add(rtp::ExtensionType::Mid, as_bytes(slot.mid));
  }

  // Left out where the receiver has no number for the meaning, or there are no data.
  void add(rtp::ExtensionType type, Bytes data) {
    if (const uint8_t id = ids_.id(type); id != 0 && !data.empty()) elements_[count_++] = {id, data};
  }
  // Numbers the packet, which leaves at `now`. The last thing before the header is written: numbers are in the order
  // of sending.
  void add_departure(const conference::Subscription& slot, TxPacket& packet, Timestamp now);

  std::span<const rtp::ExtensionElement> all() const { return std::span(elements_).first(count_); }

 private:
  static constexpr size_t MaxElements = 12;

  Endpoint& receiver_;
  const rtp::ExtensionMap& ids_;
  std::array<rtp::ExtensionElement, MaxElements> elements_;
  size_t count_ = 0;
  std::array<uint8_t, 3> departure_{};
};

// The packet goes to the cipher: the receiver's pacer is told, and which probe it is part of is noted. `bytes` are
// those before sealing.
void depart(Endpoint& receiver, TxPacket& packet, size_t bytes, Timestamp now);

// With what sealing, UDP and IP add.
constexpr size_t bytes_on_wire(size_t bytes_before_sealing) { return bytes_before_sealing + 16 + 8 + 20; }

}  // namespace viaduct::path
