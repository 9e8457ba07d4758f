#include "path/outgoing.h"

namespace viaduct::path {
namespace {

// Seconds in 6.18 bits, as they go round every 64 s.
uint32_t abs_send_time(Timestamp now) {
  const auto us = static_cast<uint64_t>(to_us(now.time_since_epoch()));
  return static_cast<uint32_t>((us % 64'000'000 << 18) / 1'000'000) & 0xffffff;
}

}  // namespace

void OutgoingExtensions::add_departure(const conference::Subscription& slot, TxPacket& packet, Timestamp now) {
  switch (receiver_.congestion.reporting()) {
    case congestion::Reporting::None:
      return;
    case congestion::Reporting::Remb: {
      const uint32_t time = abs_send_time(now);
      departure_ = {static_cast<uint8_t>(time >> 16), static_cast<uint8_t>(time >> 8), static_cast<uint8_t>(time)};
      return add(rtp::ExtensionType::AbsSendTime, departure_);
    }
    case congestion::Reporting::PerStream:
      packet.transport_sequence = receiver_.next_transport_sequence++;
      return;
    case congestion::Reporting::TransportWide:
      if (!slot.transport_wide) return;
      packet.transport_sequence = receiver_.next_transport_sequence++;
      store_be16(departure_.data(), *packet.transport_sequence);
      return add(rtp::ExtensionType::TransportSequence, Bytes(departure_).first(2));
  }
}

void depart(Endpoint& receiver, TxPacket& packet, size_t bytes, Timestamp now) {
  packet.probe = receiver.pacer.probe();
  receiver.pacer.on_sent(bytes_on_wire(bytes), now);
}

}  // namespace viaduct::path
