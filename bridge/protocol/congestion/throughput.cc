#include "protocol/congestion/throughput.h"

#include <algorithm>

namespace viaduct::congestion {

// The edges of a window, and what lies between them. A packet that opens the window took no time of it.
struct Throughput::Sums {
  DataSize arrived{};
  DataSize sent{};
  Duration arriving{0};
  Duration sending{0};
};

void Throughput::add(const PacketResult& packet) {
  const Arrival arrival{.sent = packet.sent,
                        .arrival = *packet.arrival,
                        .bytes = packet.bytes,
                        .unreported_before = packet.unreported_before};
  // A receiver that goes back in time by more than the window has begun anew.
  if (size_ > 0 && arrival.arrival < at(size_ - 1).arrival - LongestTime) reset();
  if (size_ > 0 && arrival.arrival < at(0).arrival) return;
  if (size_ == MostPackets) drop_front();
  size_t i = size_++;
  for (; i > 0 && at(i - 1).arrival > arrival.arrival; --i) at(i) = at(i - 1);
  at(i) = arrival;
  while (front_is_outside()) drop_front();
}

bool Throughput::front_is_outside() const {
  if (size_ == 0) return false;
  const Duration length = at(size_ - 1).arrival - at(0).arrival;
  return length > LongestTime || (size_ > EnoughPackets && length > EnoughTime);
}

void Throughput::drop_front() {
  last_dropped_sent_ = std::max(last_dropped_sent_.value_or(at(0).sent), at(0).sent);
  first_ = (first_ + 1) % MostPackets;
  --size_;
}

std::optional<DataRate> Throughput::rate() const {
  if (size_ < RequiredPackets) return std::nullopt;
  constexpr Duration Least = 1ms;
  const Sums s = sum();
  return std::min(s.arrived / std::max(s.arriving, Least), s.sent / std::max(s.sending, Least));
}

Throughput::Sums Throughput::sum() const {
  Sums s;
  Duration longest(0);
  Duration second_longest(0);
  Timestamp first_sent = Timestamp::max();
  Timestamp last_sent = Timestamp::min();
  uint32_t last_sent_bytes = 0;
  for (size_t i = 0; i < size_; ++i) {
    const Arrival& a = at(i);
    if (i > 0) {
      const Duration gap = a.arrival - at(i - 1).arrival;
      if (gap > longest) {
        second_longest = longest;
        longest = gap;
      } else {
        second_longest = std::max(second_longest, gap);
      }
      s.arrived.bytes += a.bytes + int64_t{a.unreported_before};
    }
    // What left before a packet that has left the window belongs to no stretch of sending.
    if (last_dropped_sent_ && a.sent < *last_dropped_sent_) continue;
    s.sent.bytes += a.bytes + (i > 0 ? int64_t{a.unreported_before} : 0);  // before the window, if it is the first
    first_sent = std::min(first_sent, a.sent);
    if (a.sent > last_sent) {
      last_sent = a.sent;
      last_sent_bytes = a.bytes;
    }
  }
  if (first_sent > last_sent) return s;
  s.sent.bytes -= last_sent_bytes;
  s.sending = last_sent - first_sent;
  s.arriving = at(size_ - 1).arrival - at(0).arrival - longest + second_longest;
  return s;
}

}  // namespace viaduct::congestion
