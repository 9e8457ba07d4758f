#include "path/mix.h"

#include <algorithm>
#include <cmath>

#include "path/outgoing.h"
#include "protocol/rtp/header_writer.h"

namespace viaduct::path {
namespace {

using audio::MixRequest;
using conference::Conference;

audio::ConferenceKey key_of(conference::ConferenceId id) {
  return audio::ConferenceKey{static_cast<uint64_t>(id)};
}
audio::MemberKey key_of(const Endpoint& e) { return audio::MemberKey{static_cast<uint64_t>(e.id)}; }

}  // namespace

// Out.

void Mix::run(const RxBatch& rx) {
  if (!port_) return;
  for (size_t i = 0; i < rx.size; ++i) {
    const RxPacket& p = rx.packets[i];
    if (p.drop != Drop::None || p.kind != PacketKind::Rtp || p.in_silence) continue;
    const Endpoint* sender = directory_.find(p.from);
    if (sender && sender->sources[p.source].mixed && p.codec == codec::CodecType::Opus)
      hand_over(p, *sender);
  }
}

void Mix::hand_over(const RxPacket& p, const Endpoint& sender) {
  if (!p.has_own_body()) return counters_.drop(Drop::RedUnreadable);
  const Body body = p.own_body();
  if (body.size() > limits::SoundPacketBytes) return counters_.drop(Drop::MixTooLong);
  MixRequest* const r = port_->blank();
  if (!r) return counters_.drop(Drop::MixFull);
  r->kind = MixRequest::Kind::Sound;
  r->conference = key_of(directory_.conference_of(sender).id);
  r->member = key_of(sender);
  r->stream = static_cast<uint8_t>(p.source);
  r->ssrc = p.header.ssrc;
  r->timestamp = p.header.timestamp;
  r->sequence = p.sequence;
  r->withheld = sender.sources[p.source].encodings[p.encoding].withheld;
  r->arrival = p.io.arrival;
  r->bytes = static_cast<uint16_t>(body.size());
  body.copy_to(r->payload.data());
  port_->post();
  counters_.to_mix.add(body.size());
}

void Mix::ask_for(Endpoint& endpoint, Timestamp now) {
  const conference::Subscription* const slot = endpoint.mix_slot();
  if (!port_ || !slot || !endpoint.connected() || now < endpoint.next_mix_request) return;
  const Conference& conference = directory_.conference_of(endpoint);
  if (conference.e2ee_policy().sealed()) return;
  MixRequest* const r = port_->blank();
  if (!r) return;  // at the next tick, then
  r->kind = MixRequest::Kind::Listen;
  r->conference = key_of(conference.id);
  r->member = key_of(endpoint);
  r->loss_percent = static_cast<uint8_t>(std::lround(slot->fraction_lost * 100));
  port_->post();
  port_->wake();
  endpoint.next_mix_request = now + RequestInterval;
}

// If the ring is full, nobody asks for the mix any more, and it ends by itself.
void Mix::forget(conference::ConferenceId conference) {
  MixRequest* const r = port_ ? port_->blank() : nullptr;
  if (!r) return;
  r->kind = MixRequest::Kind::Forget;
  r->conference = key_of(conference);
  port_->post();
  port_->wake();
}

// In.

void Mix::send(Timestamp now) {
  if (!port_) return;
  while (const audio::MixedFrame* frame = port_->front()) {
    deliver(*frame, now);
    port_->pop();
  }
}

// Whom it is for may have left meanwhile, and the conference may have been sealed.
void Mix::deliver(const audio::MixedFrame& frame, Timestamp now) {
  const auto id = conference::ConferenceId{static_cast<uint64_t>(frame.conference)};
  const Conference* conference = directory_.find(directory_.with_id(id));
  if (!conference || !conference->mixes()) return;
  const auto voices = frame.has_voices_of();
  for (const Handle<Endpoint> member : conference->members()) {
    Endpoint& e = *directory_.find(member);
    if (!e.mixed) continue;
    const bool is_in_it = std::ranges::find(voices, key_of(e)) != voices.end();
    if (frame.is_for_one ? key_of(e) != frame.member : is_in_it) continue;
    if (const Drop why = write(member, e, frame, now); why != Drop::None) counters_.drop(why);
  }
}

Drop Mix::write(Handle<Endpoint> to, Endpoint& receiver, const audio::MixedFrame& frame,
                Timestamp now) {
  conference::Subscription* const slot = receiver.mix_slot();
  if (!slot || !receiver.connected() || !receiver.transport.may_send(now)) return Drop::NoConsent;
  const auto payload_type = receiver.payloads.payload_type(codec::CodecType::Opus);
  if (!payload_type) return Drop::NotNegotiated;
  const TxQueue::Blank blank = queue_.next(nullptr);
  if (!blank) return blank.missing;

  const bool begins = !slot->mix;
  if (begins) slot->mix = conference::Subscription::MixedFrame{};
  const conference::Projection::In in{
      .sequence = slot->mix->number,
      .timestamp = static_cast<uint32_t>(frame.tick * audio::MixedFrameSamples),
      .codec = codec::CodecType::Opus};
  if (!slot->projection.started())
    slot->projection.start(in, now, codec::clock_rate_of(codec::CodecType::Opus));
  const auto out = slot->projection.project(in, now);
  const MutableBytes space{blank.packet->io.buffer + blank.packet->io.offset,
                           blank.packet->io.tailroom()};
  const rtp::HeaderFields fields{.marker = begins,
                                 .payload_type = *payload_type,
                                 .sequence = out->sequence(),
                                 .timestamp = out->timestamp,
                                 .ssrc = slot->ssrc};
  OutgoingExtensions extensions(receiver, *slot);
  extensions.add(rtp::ExtensionType::AudioLevel, Bytes(&frame.level, 1));
  extensions.add_departure(*slot, *blank.packet, now);
  const size_t header = rtp::write_header(space, fields, extensions.all());
  if (header == 0) {
    queue_.undo();
    return Drop::HeaderTooLong;
  }
  uint8_t* const body = space.data() + header;
  std::ranges::copy(frame.sound(), body);  // the ring is wiped before the cipher is done
  blank.packet->to = to;
  blank.packet->kind = TxKind::Mixed;
  *blank.job = {.slot = receiver.transport.protect_key,
                .header_bytes = static_cast<uint16_t>(header),
                .payload_bytes = frame.bytes,
                .ssrc = slot->ssrc,
                .index = out->index,
                .packet = space.data(),
                .payload = body};
  depart(receiver, *blank.packet, header + frame.bytes, now);
  *slot->mix = {in.sequence + 1, out->timestamp, frame.made};
  slot->meter.add(header + frame.bytes, now);
  slot->payload_octets += frame.bytes;
  return Drop::None;
}

}  // namespace viaduct::path
