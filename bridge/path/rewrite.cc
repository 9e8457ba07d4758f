#include "path/rewrite.h"

#include <algorithm>
#include <array>

#include "path/pad.h"
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

}  // namespace

// What there is to forward, whether it has just arrived or was kept for resending: all that is the
// same for every receiver, found once.
struct Rewrite::Original {
  const rtp::HeaderView* header = nullptr;
  Body body;
  codec::CodecType codec{};
  int64_t sequence = 0;
  std::optional<uint16_t> frame_number;
  const std::optional<codec::Vp8Descriptor>* vp8 = nullptr;
  std::array<Bytes, std::size(Carried)> carried;  // empty: the sender has none
  Bytes dependency_descriptor;
  uint8_t padding_ready = 0;

  // Of an RxPacket or a StoredPacket.
  template <typename P>
  static Original of(const P& packet, Bytes head, Body body, const rtp::ExtensionMap& sender) {
    Original o{.header = &packet.header,
               .body = body,
               .codec = packet.codec,
               .sequence = packet.sequence,
               .frame_number = packet.frame_number,
               .vp8 = &packet.vp8};
    const auto find = [&](rtp::ExtensionType type) {
      return sender.has(type) ? rtp::find_extension(head, packet.header, sender.id(type)) : Bytes();
    };
    for (size_t i = 0; i < std::size(Carried); ++i) o.carried[i] = find(Carried[i]);
    if (o.frame_number) o.dependency_descriptor = find(rtp::ExtensionType::DependencyDescriptor);
    return o;
  }

  Projection::In numbers() const {
    Projection::In in{sequence, header->timestamp, std::nullopt, frame_number};
    if (*vp8 && (*vp8)->picture_id && (*vp8)->picture_id_15_bit) {
      in.vp8 = conference::Vp8Numbers{*(*vp8)->picture_id, (*vp8)->tl0_pic_idx.value_or(0)};
    }
    return in;
  }
};

namespace {

// The sender's dependency descriptor with the slot's frame number, in `space`; empty when there is
// none that the receiver can have.
Bytes write_dependency_descriptor(std::array<uint8_t, rtp::MaxDescriptorBytes>& space, Bytes from,
                                  uint8_t id, std::optional<uint16_t> frame_number) {
  if (!frame_number || id == 0) return {};
  std::ranges::copy(from, space.begin());
  rtp::write_frame_number(space, *frame_number);
  return Bytes(space).first(from.size());
}

size_t write_header(MutableBytes out, std::span<const Bytes, std::size(Carried)> carried,
                    Bytes dependency_descriptor, const rtp::ExtensionMap& receiver,
                    std::string_view mid, const rtp::HeaderFields& fields,
                    std::optional<uint16_t> frame_number) {
  rtp::ExtensionElement elements[MaxElements];
  size_t count = 0;
  const auto add = [&](uint8_t id, Bytes data) {
    if (id != 0 && !data.empty()) elements[count++] = {id, data};
  };
  add(receiver.id(rtp::ExtensionType::Mid), as_bytes(mid));
  for (size_t i = 0; i < carried.size(); ++i) add(receiver.id(Carried[i]), carried[i]);
  std::array<uint8_t, rtp::MaxDescriptorBytes> space;
  const uint8_t descriptor_id = receiver.id(rtp::ExtensionType::DependencyDescriptor);
  add(descriptor_id,
      write_dependency_descriptor(space, dependency_descriptor, descriptor_id, frame_number));
  return rtp::write_header(out, fields, std::span(elements).first(count));
}

// The VP8 descriptor with the slot's numbers, where it has numbers to rewrite. Returns the bytes
// written, and through `skip` how many bytes of the payload they stand for.
size_t write_descriptor(MutableBytes out, const std::optional<codec::Vp8Descriptor>& original,
                        const Projection::Out& numbers, size_t* skip) {
  *skip = 0;
  if (!numbers.vp8) return 0;
  codec::Vp8Descriptor descriptor = *original;
  descriptor.picture_id = numbers.vp8->picture_id;
  if (descriptor.tl0_pic_idx) descriptor.tl0_pic_idx = numbers.vp8->tl0_picture_index;
  *skip = original->descriptor_bytes;
  return codec::write_vp8_descriptor(out, descriptor);
}

void address(TxPacket& tx, Handle<Endpoint> to, TxKind kind, Timestamp arrival) {
  tx.to = to;
  tx.kind = kind;
  tx.arrival = arrival;
}

}  // namespace

Rewrite::Rewrite(conference::Directory& directory, TxQueue& queue, PathCounters& counters)
    : directory_(directory),
      queue_(queue),
      counters_(counters),
      originals_(std::make_unique<Originals>()) {}
Rewrite::~Rewrite() = default;

void Rewrite::run(RxBatch& rx, std::span<const Forward> forwards, Timestamp now) {
  for (const Forward& f : forwards) {
    RxPacket& p = rx.packets[f.packet];
    Original& original = (*originals_)[f.packet];
    Endpoint* sender = directory_.find(p.from);
    if (sender && !original.header) {
      original = Original::of(p, p.head(), p.body(), sender->extensions);
      original.padding_ready = prepare_padding(p);
    }
    const Drop why = sender ? forward(rx, p, original, *sender, f.to, now) : Drop::NoConsent;
    if (why != Drop::None) counters_.drop(why);
  }
}

void Rewrite::forget(const RxBatch& rx) {
  for (Original& original : std::span(*originals_).first(rx.size)) original.header = nullptr;
}

Drop Rewrite::forward(RxBatch& rx, const RxPacket& p, const Original& original, Endpoint& sender,
                      const conference::SlotRef& to, Timestamp now) {
  Endpoint* receiver = directory_.find(to.endpoint);
  if (!receiver || !receiver->connected() || !receiver->transport.may_send(now))
    return Drop::NoConsent;
  Subscription& slot = receiver->slots[to.slot];
  const auto payload_type = receiver->payloads.payload_type(p.codec);
  if (!payload_type) return Drop::NotNegotiated;
  conference::Encoding& stream = sender.sources[p.source].encodings[p.encoding];
  if (slot.awaits_key_frame && !p.key_frame && !p.unmarked) {
    stream.key_frame
        .want();  // the one that was asked for may have come before this receiver was connected
    return Drop::AwaitsKeyFrame;
  }

  const Projection::In in = original.numbers();
  if (!slot.projection.started()) slot.projection.start(in, now, codec::clock_rate_of(p.codec));
  slot.awaits_key_frame = false;
  if (p.sequence > stream.withheld) slot.projection.close_gap(stream.withheld + 1);

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
      write_header(space, original.carried, original.dependency_descriptor,
                   receiver->slot_extensions, slot.mid, fields, out->frame_number);
  if (header == 0) {
    queue_.undo();
    return Drop::HeaderTooLong;
  }
  size_t skip = 0;
  const size_t prefix = write_descriptor(space.subspan(header), *original.vp8, *out, &skip);
  const Body body = original.body.without_front(skip);

  address(*blank.packet, to.endpoint, TxKind::Media, p.io.arrival);
  blank.packet->padding_ready = original.padding_ready;
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
  const auto original = Original::of(
      stored, packet.first(stored.header.header_bytes),
      Body(packet.subspan(stored.header.header_bytes, stored.payload_bytes)), sender->extensions);
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
  const size_t header =
      write_header(space, original.carried, original.dependency_descriptor,
                   receiver.slot_extensions, slot.mid, fields, numbers->frame_number);
  if (header == 0) {
    queue_.undo();
    return Drop::HeaderTooLong;
  }
  store_be16(space.data() + header, numbers->sequence());
  size_t skip = 0;
  const size_t descriptor = write_descriptor(space.subspan(header + rtp::OriginalSequenceBytes),
                                             *original.vp8, *numbers, &skip);
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
