#include "protocol/congestion/sent_history.h"

#include <algorithm>

#include "limits.h"

namespace viaduct::congestion {
namespace {

constexpr int64_t Size = limits::SentPacketsRemembered;
constexpr size_t slot_of(int64_t number) { return static_cast<size_t>(static_cast<uint64_t>(number) % Size); }

}  // namespace

SentHistory::SentHistory(Lookup lookup)
    : ring_(limits::SentPacketsRemembered),
      buckets_(lookup == Lookup::Stream ? limits::SentPacketsRemembered : 0, NoNumber) {}

void SentHistory::add(const SentPacket& packet) {
  const int64_t number = unwrapper_.unwrap(packet.transport_sequence);
  newest_ = std::max(newest_, number);
  Entry& e = ring_[slot_of(number)];
  e = {.number = number,
       .sent = packet.at,
       .probe = packet.probe.value_or(0),
       .ssrc = packet.ssrc,
       .bytes = static_cast<uint32_t>(packet.bytes),
       .sequence = packet.sequence,
       .is_probe = packet.probe.has_value()};
  if (buckets_.empty()) return;
  int64_t& head = bucket(packet.ssrc, packet.sequence);
  if (head != NoNumber && head < number && number - head < Size) {
    e.back_to_previous = static_cast<uint16_t>(number - head);
  }
  head = number;
}

std::optional<PacketResult> SentHistory::report(uint16_t transport_sequence, bool received) {
  if (!unwrapper_.started()) return std::nullopt;
  const int64_t number = unwrapper_.peek(transport_sequence);
  if (!remembers(number)) return std::nullopt;
  const uint32_t unreported = pass_over(number);
  std::optional<PacketResult> result = settle(entry(number), received);
  if (result) result->unreported_before = unreported;
  return result;
}

// A bucket's chain leads from newer numbers to older ones, and ends where they have left the ring.
std::optional<PacketResult> SentHistory::report(uint32_t ssrc, uint16_t sequence, bool received) {
  if (buckets_.empty()) return std::nullopt;
  for (int64_t number = bucket(ssrc, sequence); remembers(number);) {
    Entry& e = entry(number);
    if (e.ssrc == ssrc && e.sequence == sequence) return settle(e, received);
    if (e.back_to_previous == 0) break;
    number -= e.back_to_previous;
  }
  return std::nullopt;
}

bool SentHistory::remembers(int64_t number) const {
  return number != NoNumber && ring_[slot_of(number)].number == number;
}

SentHistory::Entry& SentHistory::entry(int64_t number) { return ring_[slot_of(number)]; }

// Numbers of one stream that follow on one another fall into buckets that do.
int64_t& SentHistory::bucket(uint32_t ssrc, uint16_t sequence) {
  constexpr uint32_t Spread = 0x9e3779b1;  // 2^32 divided by the golden ratio
  return buckets_[((ssrc * Spread >> 16) + sequence) % limits::SentPacketsRemembered];
}

std::optional<PacketResult> SentHistory::settle(Entry& e, bool received) {
  if (e.fate == Fate::Received || (e.fate == Fate::Lost && !received)) return std::nullopt;
  PacketResult result{.number = e.number,
                      .sent = e.sent,
                      .bytes = e.bytes,
                      .received = received,
                      .counted_before = e.fate == Fate::Lost};
  if (e.is_probe) result.probe = e.probe;
  e.fate = received ? Fate::Received : Fate::Lost;
  return result;
}

// Reports follow on one another. What lies between two of them was in a report that got lost: nobody says whether it
// arrived, and it was sent all the same.
uint32_t SentHistory::pass_over(int64_t number) {
  uint32_t bytes = 0;
  if (reported_ != NoNumber) {
    for (int64_t n = std::max(reported_ + 1, number - Size + 1); n < number; ++n) {
      if (!remembers(n) || entry(n).fate != Fate::Unknown) continue;
      bytes += entry(n).bytes;
      entry(n).fate = Fate::PassedOver;
    }
  }
  reported_ = std::max(reported_, number);
  return bytes;
}

}  // namespace viaduct::congestion
