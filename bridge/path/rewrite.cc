#include "path/rewrite.h"

#include <algorithm>
#include <array>

#include "protocol/rtp/dependency_descriptor.h"
#include "protocol/rtp/header_writer.h"
#include "protocol/rtp/rtx.h"

namespace viaduct::path {
namespace {

using conference::Projection;
using conference::Subscription;

// Extensions that mean the same to every receiver; each is carried under the receiver's number for
// it. The dependency descriptor is, too, with another frame number. The others are hop by hop
// (transport sequence numbers, send times) or name the sender's own m-sections (MID, RID).
constexpr rtp::ExtensionType Carried[] = {
    rtp::ExtensionType::AudioLevel,
    rtp::ExtensionType::VideoOrientation,
    rtp::ExtensionType::PlayoutDelay,
    rtp::ExtensionType::AbsCaptureTime,
    rtp::ExtensionType::VideoLayersAllocation,
};
constexpr size_t MaxElements = std::size(Carried) + 2;  // MID, dependency descriptor

// What there is to forward, whether it has just arrived or was kept for resending.
struct Original {
  Bytes head;
  const rtp::HeaderView& header;
  Body body;
  codec::CodecType codec;
  std::optional<uint16_t> frame_number;
  const std::optional<codec::Vp8Descriptor>& vp8;
  int64_t sequence;

  Projection::In numbers() const {
    Projection::In in{sequence, header.timestamp, std::nullopt, frame_number};
    if (vp8 && vp8->picture_id && vp8->picture_id_15_bit) {
      in.vp8 = conference::Vp8Numbers{*vp8->picture_id, vp8->tl0_pic_idx.value_or(0)};
    }
    return in;
  }
};

// The sender's dependency descriptor with the slot's frame number, in `space`; empty when there is
// none that the receiver can have.
Bytes write_dependency_descriptor(std::array<uint8_t, rtp::MaxDescriptorBytes>& space,
                                  const Original& original, const rtp::ExtensionMap& sender,
                                  const rtp::ExtensionMap& receiver,
                                  std::optional<uint16_t> frame_number) {
  constexpr auto Type = rtp::ExtensionType::DependencyDescriptor;
  if (!frame_number || !receiver.has(Type)) return {};
  const Bytes from = rtp::find_extension(original.head, original.header, sender.id(Type));
  std::ranges::copy(from, space.begin());
  rtp::write_frame_number(space, *frame_number);
  return Bytes(space).first(from.size());
}

size_t write_header(MutableBytes out, const Original& original, const rtp::ExtensionMap& sender,
                    const Endpoint& receiver, const Subscription& slot,
                    const rtp::HeaderFields& fields, std::optional<uint16_t> frame_number) {
  rtp::ExtensionElement elements[MaxElements];
  size_t count = 0;
  if (const uint8_t id = receiver.slot_extensions.id(rtp::ExtensionType::Mid))
    elements[count++] = {id, as_bytes(slot.mid)};
  for (const rtp::ExtensionType type : Carried) {
    if (!sender.has(type) || !receiver.slot_extensions.has(type)) continue;
    const Bytes data = rtp::find_extension(original.head, original.header, sender.id(type));
    if (!data.empty()) elements[count++] = {receiver.slot_extensions.id(type), data};
  }
  std::array<uint8_t, rtp::MaxDescriptorBytes> space;
  const Bytes descriptor =
      write_dependency_descriptor(space, original, sender, receiver.slot_extensions, frame_number);
  if (!descriptor.empty()) {
    elements[count++] = {receiver.slot_extensions.id(rtp::ExtensionType::DependencyDescriptor),
                         descriptor};
  }
  return rtp::write_header(out, fields, std::span(elements).first(count));
}

// The VP8 descriptor with the slot's numbers, where it has numbers to rewrite. Returns the bytes
// written, and through `skip` how many bytes of the payload they stand for.
size_t write_descriptor(MutableBytes out, const Original& original, const Projection::Out& numbers,
                        size_t* skip) {
  *skip = 0;
  if (!numbers.vp8) return 0;
  codec::Vp8Descriptor descriptor = *original.vp8;
  descriptor.picture_id = numbers.vp8->picture_id;
  if (descriptor.tl0_pic_idx) descriptor.tl0_pic_idx = numbers.vp8->tl0_picture_index;
  *skip = original.vp8->descriptor_bytes;
  return codec::write_vp8_descriptor(out, descriptor);
}

void address(TxPacket& tx, Handle<Endpoint> to, TxKind kind, Timestamp arrival) {
  tx.to = to;
  tx.kind = kind;
  tx.arrival = arrival;
}

}  // namespace

void Rewrite::run(RxBatch& rx, std::span<const Forward> forwards, Timestamp now) {
  for (const Forward& f : forwards) {
    const Drop why = forward(rx, rx.packets[f.packet], f.to, now);
    if (why != Drop::None) counters_.drop(why);
  }
}

Drop Rewrite::forward(RxBatch& rx, const RxPacket& p, const conference::SlotRef& to,
                      Timestamp now) {
  Endpoint* receiver = directory_.find(to.endpoint);
  Endpoint* sender = directory_.find(p.from);
  if (!receiver || !sender || !receiver->connected() || !receiver->transport.may_send(now))
    return Drop::NoConsent;
  Subscription& slot = receiver->slots[to.slot];
  const auto payload_type = receiver->payloads.payload_type(p.codec);
  if (!payload_type) return Drop::NotNegotiated;
  conference::Source& source = sender->sources[p.source];
  if (slot.awaits_key_frame && !p.key_frame && !p.unmarked) {
    source.key_frame
        .want();  // the one that was asked for may have come before this receiver was connected
    return Drop::AwaitsKeyFrame;
  }

  const Original original{p.head(), p.header, p.body(), p.codec, p.frame_number, p.vp8, p.sequence};
  const Projection::In in = original.numbers();
  if (!slot.projection.started()) slot.projection.start(in, now, codec::clock_rate_of(p.codec));
  slot.awaits_key_frame = false;
  if (p.sequence > source.withheld) slot.projection.close_gap(source.withheld + 1);

  const TxQueue::Blank blank = queue_.next(&rx);
  if (!blank) return blank.missing;
  const auto out = slot.projection.project(in, now);
  if (!out) {
    queue_.undo();
    return Drop::BeforeStream;
  }

  Packet& io = blank.packet->io;
  const MutableBytes space{io.buffer + io.offset, io.tailroom()};
  const rtp::HeaderFields fields{.marker = p.header.marker,
                                 .payload_type = *payload_type,
                                 .sequence = out->sequence(),
                                 .timestamp = out->timestamp,
                                 .ssrc = slot.ssrc};
  const size_t header =
      write_header(space, original, sender->extensions, *receiver, slot, fields, out->frame_number);
  if (header == 0) {
    queue_.undo();
    return Drop::HeaderTooLong;
  }
  size_t skip = 0;
  const size_t prefix = write_descriptor(space.subspan(header), original, *out, &skip);
  const Body body = original.body.without_front(skip);

  address(*blank.packet, to.endpoint, TxKind::Media, p.io.arrival);
  *blank.job = {.slot = receiver->transport.protect_key,
                .header_bytes = static_cast<uint16_t>(header),
                .prefix_bytes = static_cast<uint16_t>(prefix),
                .ssrc = slot.ssrc,
                .index = out->index,
                .packet = space.data()};
  body.hand_to(*blank.job);
  slot.meter.add(header + prefix + body.size(), now);
  slot.payload_octets += prefix + body.size();
  return Drop::None;
}

Drop Rewrite::resend(const conference::SlotRef& to, const conference::StoredPacket& stored) {
  Endpoint& receiver = *directory_.find(to.endpoint);
  Subscription& slot = receiver.slots[to.slot];
  const Endpoint* sender = directory_.find(slot.carries->endpoint);
  const auto payload_type = receiver.payloads.rtx_payload_type(stored.codec);
  if (!sender || !payload_type || slot.rtx_ssrc == 0) return Drop::NotNegotiated;

  const Bytes packet = stored.packet.bytes();
  const Original original{packet.first(stored.header.header_bytes),
                          stored.header,
                          Body(packet.subspan(stored.header.header_bytes, stored.payload_bytes)),
                          stored.codec,
                          stored.frame_number,
                          stored.vp8,
                          stored.sequence};
  const auto numbers = slot.projection.projected(original.numbers());
  if (!numbers) return Drop::ResendUnknown;
  const TxQueue::Blank blank = queue_.next(nullptr);
  if (!blank) return blank.missing;

  const uint64_t index = slot.next_rtx_index++;
  Packet& io = blank.packet->io;
  const MutableBytes space{io.buffer + io.offset, io.tailroom()};
  const rtp::HeaderFields fields{.marker = stored.header.marker,
                                 .payload_type = *payload_type,
                                 .sequence = static_cast<uint16_t>(index),
                                 .timestamp = numbers->timestamp,
                                 .ssrc = slot.rtx_ssrc};
  const size_t header = write_header(space, original, sender->extensions, receiver, slot, fields,
                                     numbers->frame_number);
  if (header == 0) {
    queue_.undo();
    return Drop::HeaderTooLong;
  }
  store_be16(space.data() + header, numbers->sequence());
  size_t skip = 0;
  const size_t descriptor = write_descriptor(space.subspan(header + rtp::OriginalSequenceBytes),
                                             original, *numbers, &skip);
  const size_t prefix = rtp::OriginalSequenceBytes + descriptor;
  const Body body = original.body.without_front(skip);
  uint8_t* const copy = space.data() + header + prefix;
  body.copy_to(copy);  // what is kept may go before the cipher is done

  address(*blank.packet, to.endpoint, TxKind::Resent, {});
  *blank.job = {.slot = receiver.transport.protect_key,
                .header_bytes = static_cast<uint16_t>(header),
                .prefix_bytes = static_cast<uint16_t>(prefix),
                .payload_bytes = static_cast<uint32_t>(body.size()),
                .ssrc = slot.rtx_ssrc,
                .index = index,
                .packet = space.data(),
                .payload = copy};
  return Drop::None;
}

}  // namespace viaduct::path
