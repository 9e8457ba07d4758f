// What is written from packets that are kept: resent ones, those that had to wait, and what fills up probes.
#include "path/rewrite.h"

namespace viaduct::path {

using conference::Subscription;

Drop Rewrite::resend(const conference::SlotRef& to, uint8_t encoding, const conference::StoredPacket& stored,
                     Timestamp now, TxKind kind) {
  Endpoint& receiver = *directory_.find(to.endpoint);
  Subscription& slot = receiver.slots[to.slot];
  const Endpoint* sender = directory_.find(slot.carries->endpoint);
  const auto payload_type = receiver.payloads.rtx_payload_type(stored.codec);
  if (!sender || !payload_type || slot.rtx_ssrc == 0) return Drop::NotNegotiated;
  const auto original = Original::of(stored, encoding, sender->extensions);
  const auto numbers = slot.projection.projected(original.numbers());
  if (!numbers) return Drop::ResendUnknown;
  const auto layer = slot.selector.current();
  const bool ends_picture = stored.frame.ends_frame && layer && stored.frame.layer.spatial == layer->id.spatial;
  return write(nullptr, original,
               {.to = to.endpoint,
                .receiver = receiver,
                .slot = slot,
                .kind = kind,
                .payload_type = *payload_type,
                .numbers = *numbers,
                .marker = stored.header.marker || ends_picture,
                .rtx_index = slot.next_rtx_index++,
                .copies_payload = true},
               now);
}

Drop Rewrite::write_held(Handle<Endpoint> to, Endpoint& receiver, const conference::HeldPacket& held,
                         const conference::StoredPacket& stored, Timestamp now) {
  const Endpoint* sender = directory_.find(held.source.endpoint);
  const auto payload_type = receiver.payloads.payload_type(stored.codec);
  if (!sender || !payload_type) return Drop::NotNegotiated;
  if (!receiver.transport.may_send(now)) return Drop::NoConsent;
  return write(nullptr, Original::of(stored, held.encoding, sender->extensions),
               {.to = to,
                .receiver = receiver,
                .slot = receiver.slots[held.slot],
                .payload_type = *payload_type,
                .numbers = held.numbers,
                .active_targets = held.active_targets,
                .marker = held.marker,
                .copies_payload = true,
                .arrival = stored.packet.arrival},
               now);
}

Drop Rewrite::write_padding(Handle<Endpoint> to, Endpoint& receiver, size_t nth, Timestamp now) {
  for (uint16_t i = 0; i < receiver.slots.size(); ++i) {
    Subscription& slot = receiver.slots[i];
    const conference::Source* source = slot.carries ? directory_.find(*slot.carries) : nullptr;
    if (slot.rtx_ssrc == 0 || !source || !source->codec) continue;
    const auto payload_type = receiver.payloads.rtx_payload_type(*source->codec);
    if (!payload_type) continue;
    if (slot.projection.started()) {
      const conference::Encoding& stream = source->encodings[slot.encoding()];
      const auto* stored = stream.resend.find(stream.highest - static_cast<int64_t>(nth));
      if (stored && resend({to, i}, slot.encoding(), *stored, now, TxKind::Probe) == Drop::None) return Drop::None;
    }
    return write_padding_alone({.to = to,
                                .receiver = receiver,
                                .slot = slot,
                                .kind = TxKind::Probe,
                                .payload_type = *payload_type,
                                .numbers = {},
                                .rtx_index = slot.next_rtx_index++},
                               now);
  }
  return Drop::NotNegotiated;
}

}  // namespace viaduct::path
