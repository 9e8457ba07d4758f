#include "path/rewrite.h"

#include <algorithm>

#include "path/outgoing.h"
#include "path/pad.h"
#include "protocol/rtp/dependency_descriptor.h"
#include "protocol/rtp/red_writer.h"
#include "protocol/rtp/rtx.h"

namespace viaduct::path {
namespace {

using conference::LayerSelector;
using conference::Projection;
using conference::Subscription;

// The sender's dependency descriptor with the slot's frame number and decode targets, in `space`; empty when there is
// none.
Bytes write_dependency_descriptor(std::array<uint8_t, rtp::MaxDescriptorBytes>& space, Bytes from,
                                  std::optional<uint16_t> frame_number, const std::optional<rtp::TargetMask>& active) {
  if (!frame_number || from.empty()) return {};
  size_t size = active ? rtp::write_active_targets(space, from, *active) : 0;
  if (size == 0) size = static_cast<size_t>(std::ranges::copy(from, space.begin()).out - space.begin());
  rtp::write_frame_number(space, *frame_number);
  return Bytes(space).first(size);
}

// What the former encoding calls the instant that the next one calls `timestamp`, by both senders' reports; nothing
// where these are not known, or too far apart to be of one clock.
std::optional<uint32_t> in_former(const conference::Encoding& former, const conference::Encoding& next,
                                  uint32_t timestamp, uint32_t clock_rate) {
  constexpr Duration Apart = 30s;
  if (!former.sender_clock || !next.sender_clock) return std::nullopt;
  const Duration between = ntp_difference(next.sender_clock->ntp, former.sender_clock->ntp);
  if (std::chrono::abs(between) > Apart) return std::nullopt;
  const auto ticks = static_cast<int64_t>(to_seconds(between) * clock_rate);
  return former.sender_clock->rtp_timestamp + static_cast<uint32_t>(ticks) +
         (timestamp - next.sender_clock->rtp_timestamp);
}

}  // namespace

Rewrite::Rewrite(conference::Directory& directory, TxQueue& queue, Pace& pace, PathCounters& counters)
    : directory_(directory),
      queue_(queue),
      pace_(pace),
      counters_(counters),
      originals_(std::make_unique<Originals>()) {}

void Rewrite::run(RxBatch& rx, std::span<const Forward> forwards, Timestamp now) {
  for (const Forward& f : forwards) {
    RxPacket& p = rx.packets[f.packet];
    Original& original = (*originals_)[f.packet];
    Endpoint* sender = directory_.find(p.from);
    if (sender && !original.header) {
      original = Original::of(p, sender->extensions);
      original.padding_ready = prepare_padding(p);
      keep_sound(p, *sender, now);
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
  Endpoint* const receiver = directory_.find(to.endpoint);
  if (!receiver || !receiver->connected() || !receiver->transport.may_send(now)) return Drop::NoConsent;
  const auto payload_type = receiver->payloads.payload_type(p.codec);
  if (!payload_type) return Drop::NotNegotiated;
  Copy copy{.to = to.endpoint,
            .receiver = *receiver,
            .slot = receiver->slots[to.slot],
            .payload_type = *payload_type,
            .marker = p.header.marker,
            .arrival = p.io.arrival};

  conference::Source& source = sender.sources[p.source];
  const bool is_picture = source.kind == codec::MediaKind::Video;
  const Drop why = is_picture ? number_picture(original, source, copy, now)
                              : number_sound(p, original, source.encodings[p.encoding], copy, now);
  if (why != Drop::None) return why;
  if (is_picture && Pace::must_wait(*receiver, now)) return hold(p, to, copy, now);
  return write(&rx, original, copy, now);
}

// Which layer, and where decoding can go on; then the numbers of what goes on.
Drop Rewrite::number_picture(const Original& original, conference::Source& source, Copy& copy, Timestamp now) {
  Subscription& slot = copy.slot;
  const Projection::In in = original.numbers();
  const uint8_t former = slot.encoding();
  const bool goes_on = slot.projection.started() && slot.selector.current().has_value();
  const LayerSelector::Picked picked =
      slot.selector.pick({in.encoding, in.sequence, in.timestamp}, *original.frame);
  // The key frame that was asked for may be lost, or have come before this receiver was connected.
  if (slot.selector.awaited() == in.encoding) source.encodings[in.encoding].key_frame.want();
  if (picked.decision == LayerSelector::Decision::Await) return Drop::AwaitsKeyFrame;
  if (picked.decision == LayerSelector::Decision::Skip) {
    if (const auto hole = slot.projection.skip(in)) fill_hole(*hole, in, copy, now);
    return picked.is_older ? Drop::BeforeStream : Drop::OtherLayer;
  }
  const conference::Encoding& stream = source.encodings[in.encoding];
  const uint32_t clock_rate = codec::clock_rate_of(in.codec);
  if (picked.begins || !slot.projection.started()) {
    slot.active_targets.reset();
    slot.projection.start(in, now, clock_rate,
                          goes_on ? in_former(source.encodings[former], stream, in.timestamp, clock_rate)
                                  : std::nullopt);
  }
  if (in.sequence > stream.withheld) slot.projection.close_gap(stream.withheld + 1);
  const auto numbers = slot.projection.project(in, now);
  if (!numbers) return Drop::BeforeStream;
  copy.numbers = *numbers;
  if (const auto layer = slot.selector.current(); layer && !original.dependency_descriptor.empty())
    copy.active_targets = slot.active_targets.next(original.dependency_descriptor, *original.frame, layer->id);
  copy.marker = copy.marker || picked.ends_picture;
  return Drop::None;
}

Drop Rewrite::hold(const RxPacket& p, const conference::SlotRef& to, const Copy& copy, Timestamp now) {
  const size_t bytes = bytes_on_wire(size_t{p.header.header_bytes} + p.payload_bytes);
  return pace_.hold(to.endpoint, copy.receiver,
                    {.source = {p.from, p.source},
                     .slot = to.slot,
                     .encoding = p.encoding,
                     .marker = copy.marker,
                     .bytes = static_cast<uint16_t>(bytes),
                     .sequence = p.sequence,
                     .numbers = copy.numbers,
                     .active_targets = copy.active_targets,
                     .since = now});
}

Drop Rewrite::write(RxBatch* reads, const Original& original, const Copy& copy, Timestamp now) {
  const TxQueue::Blank blank = queue_.next(reads);
  if (!blank) return blank.missing;
  TxPacket& packet = *blank.packet;
  const uint64_t index = copy.rtx_index.value_or(copy.numbers.index);
  const uint32_t ssrc = copy.rtx_index ? copy.slot.rtx_ssrc : copy.slot.ssrc;

  OutgoingExtensions extensions(copy.receiver, copy.slot);
  for (size_t i = 0; i < std::size(Carried); ++i) extensions.add(Carried[i], original.carried[i]);
  std::array<uint8_t, rtp::MaxDescriptorBytes> descriptor;
  extensions.add(
      rtp::ExtensionType::DependencyDescriptor,
      write_dependency_descriptor(descriptor, original.dependency_descriptor, copy.numbers.frame_number,
                                  copy.active_targets));
  extensions.add_departure(copy.slot, packet, now);
  const MutableBytes space{packet.io.buffer + packet.io.offset, packet.io.tailroom()};
  const size_t header = rtp::write_header(space,
                                          {.marker = copy.marker,
                                           .payload_type = copy.payload_type,
                                           .sequence = static_cast<uint16_t>(index),
                                           .timestamp = copy.numbers.timestamp,
                                           .ssrc = ssrc},
                                          extensions.all());
  if (header == 0) {
    queue_.undo();
    return Drop::HeaderTooLong;
  }

  size_t prefix = 0;
  if (const auto& again = copy.again)
    prefix += rtp::write_red_front(space.subspan(header), again->payload_type, again->age, again->bytes);
  if (copy.rtx_index) {
    store_be16(space.data() + header, copy.numbers.sequence());
    prefix += rtp::OriginalSequenceBytes;
  }
  Body body = original.body.without_front(copy.skipped_bytes);
  if (*original.front && copy.numbers.picture) {
    prefix += codec::write_payload_front(space.subspan(header + prefix), **original.front, *copy.numbers.picture);
    body = body.without_front((*original.front)->size);
  }

  packet.to = copy.to;
  packet.kind = copy.kind;
  packet.arrival = copy.arrival;
  packet.padding_ready = copy.copies_payload ? 0 : original.padding_ready;
  *blank.job = {.slot = copy.receiver.transport.protect_key,
                .header_bytes = static_cast<uint16_t>(header),
                .prefix_bytes = static_cast<uint16_t>(prefix),
                .ssrc = ssrc,
                .index = index,
                .packet = space.data()};
  body.hand_to(*blank.job);
  if (copy.copies_payload) {
    uint8_t* const place = space.data() + header + prefix;
    body.copy_to(place);
    blank.job->payload = place;
  }
  const size_t bytes = header + prefix + body.size();
  depart(copy.receiver, packet, bytes, now);
  if (copy.kind == TxKind::Media) {
    copy.slot.meter.add(bytes, now);
    copy.slot.payload_octets += prefix + body.size();
  }
  return Drop::None;
}

// Receivers would ask again and again for a packet of a layer that they do not get, since a later one has already
// left a place for it: an empty one takes it (RFC 3550 section 5.1: padding alone).
void Rewrite::fill_hole(uint64_t index, const Projection::In& in, const Copy& copy, Timestamp now) {
  const auto place = copy.slot.projection.projected(in);
  Copy empty = copy;
  empty.numbers = {.index = index, .timestamp = place ? place->timestamp : 0, .picture = {}, .frame_number = {}};
  empty.marker = false;
  if (const Drop why = write_padding_alone(empty, now); why != Drop::None) counters_.drop(why);
}

Drop Rewrite::write_padding_alone(const Copy& copy, Timestamp now) {
  const TxQueue::Blank blank = queue_.next(nullptr);
  if (!blank) return blank.missing;
  TxPacket& packet = *blank.packet;
  const uint64_t index = copy.rtx_index.value_or(copy.numbers.index);
  const uint32_t ssrc = copy.rtx_index ? copy.slot.rtx_ssrc : copy.slot.ssrc;
  const size_t padding = copy.kind == TxKind::Probe ? 255 : 1;

  OutgoingExtensions extensions(copy.receiver, copy.slot);
  extensions.add_departure(copy.slot, packet, now);
  const MutableBytes space{packet.io.buffer + packet.io.offset, packet.io.tailroom()};
  const size_t header = rtp::write_header(space,
                                          {.padding = true,
                                           .payload_type = copy.payload_type,
                                           .sequence = static_cast<uint16_t>(index),
                                           .timestamp = copy.numbers.timestamp,
                                           .ssrc = ssrc},
                                          extensions.all());
  if (header == 0) {
    queue_.undo();
    return Drop::HeaderTooLong;
  }
  std::ranges::fill(space.subspan(header, padding), uint8_t{0});
  space[header + padding - 1] = static_cast<uint8_t>(padding);
  packet.to = copy.to;
  packet.kind = copy.kind;
  packet.arrival = copy.arrival;
  *blank.job = {.slot = copy.receiver.transport.protect_key,
                .header_bytes = static_cast<uint16_t>(header),
                .payload_bytes = static_cast<uint32_t>(padding),
                .ssrc = ssrc,
                .index = index,
                .packet = space.data(),
                .payload = space.data() + header};
  depart(copy.receiver, packet, header + padding, now);
  return Drop::None;
}

}  // namespace viaduct::path
