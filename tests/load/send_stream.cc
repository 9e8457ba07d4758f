#include "tests/load/send_stream.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "limits.h"
#include "protocol/codec/vp8_descriptor.h"
#include "protocol/rtp/header_writer.h"
#include "tests/support/client/dependency_descriptor.h"
#include "tests/support/client/session_description.h"

namespace viaduct::load {
namespace {

using codec::MediaKind;

// A browser names the MID until it knows that the other side has learned the SSRC.
constexpr uint32_t PacketsWithMid = 200;
constexpr size_t SrtpRoomBytes = 16;

size_t smallest_payload(BodyShape shape, MediaKind kind, bool key, size_t descriptor, bool first) {
  return descriptor + (first ? prefix_bytes(shape, kind, key) : 0);
}

}  // namespace

SentPackets::SentPackets(size_t packets) : entries_(std::bit_ceil(std::max<size_t>(packets, 16))) {}

void SentPackets::record(uint32_t packet, Fate fate, Timestamp sent) {
  entries_[packet % entries_.size()] = {sent.time_since_epoch().count(), packet, fate};
}

Fate SentPackets::fate(uint32_t packet) const {
  const Entry& entry = entries_[packet % entries_.size()];
  return entry.packet == packet ? entry.fate : Fate::Unknown;
}

std::optional<Timestamp> SentPackets::sent_at(uint32_t packet) const {
  const Entry& entry = entries_[packet % entries_.size()];
  if (entry.packet != packet || entry.fate != Fate::Sent) return std::nullopt;
  return Timestamp(Duration(entry.sent_ns));
}

SendStream::SendStream(const Settings& settings, std::unique_ptr<MediaSource> source,
                       const BodyMaker& bodies, uint64_t seed)
    : settings_(settings),
      source_(std::move(source)),
      bodies_(bodies),
      sent_(settings.remembered_packets) {
  SeededRandom random(seed);
  ssrc_ = random.u32() | 1;
  rtx_ssrc_ = random.u32() | 1;
  next_index_ = random.u32() & 0x7fff;
  first_rtp_time_ = random.u32();
  picture_id_ = static_cast<uint16_t>(random.u32() & 0x7fff);
}

uint32_t SendStream::rtp_time(Duration since_start) const {
  const double clock = settings_.kind == MediaKind::Audio ? 48'000 : 90'000;
  return first_rtp_time_ +
         static_cast<uint32_t>(static_cast<int64_t>(std::llround(to_seconds(since_start) * clock)));
}

SendStream::Written SendStream::write(const Frame& frame, size_t i, uint16_t transport_sequence,
                                      MutableBytes out) {
  const bool video = settings_.kind == MediaKind::Video;
  const bool first = i == 0 && frame.first;
  const bool last = i + 1 == frame.packet_bytes.size() && frame.last;
  std::array<uint8_t, 2> transport;
  store_be16(transport.data(), transport_sequence);
  const std::array<uint8_t, 1> level = {static_cast<uint8_t>(
      frame.audio_level.value_or(0) | (frame.audio_level.value_or(127) < 127 ? 0x80 : 0))};
  std::vector<uint8_t> descriptor;

  std::array<rtp::ExtensionElement, 4> elements;
  size_t count = 0;
  elements[count++] = {client::TransportSequenceId, transport};
  if (packets_ < PacketsWithMid) elements[count++] = {client::MidId, as_bytes(settings_.mid)};
  if (!video && frame.audio_level) elements[count++] = {client::AudioLevelId, level};
  if (video && frame.payload.empty()) {
    descriptor = client::write_dependency_descriptor({frame.key, first, last, frame_number_},
                                                     settings_.width, settings_.height);
    elements[count++] = {client::DependencyDescriptorId, descriptor};
  }

  const std::span used(elements.data(), count);
  const size_t head =
      rtp::write_header(out,
                        {.marker = video && last,
                         .payload_type = video ? client::Vp8PayloadType : client::OpusPayloadType,
                         .sequence = static_cast<uint16_t>(next_index_),
                         .timestamp = first_rtp_time_ + frame.rtp_time,
                         .ssrc = ssrc_},
                        used);
  CHECK(head > 0);
  const size_t room = limits::MaxPacketBytes - SrtpRoomBytes - head;
  const size_t wanted = frame.packet_bytes[i] > head ? frame.packet_bytes[i] - head : 1;
  const size_t payload = write_payload(frame, i, std::min(wanted, room), out.subspan(head, room));

  const Written written{static_cast<uint16_t>(head), static_cast<uint16_t>(head + payload),
                        next_index_++, packets_++};
  octets_ += static_cast<uint32_t>(payload);
  if (last || !video) {
    ++frame_number_;
    ++frames_;
    picture_id_ = static_cast<uint16_t>((picture_id_ + 1) & 0x7fff);
  }
  return written;
}

size_t SendStream::write_payload(const Frame& frame, size_t i, size_t wanted, MutableBytes out) {
  const bool first = i == 0 && frame.first;
  if (!frame.payload.empty()) {
    const size_t bytes = std::min(frame.payload.size(), out.size());
    std::memcpy(out.data(), frame.payload.data(), bytes);
    return bytes;
  }
  size_t head = 0;
  if (settings_.kind == MediaKind::Video) {
    codec::Vp8Descriptor vp8;
    vp8.start_of_partition = first;
    vp8.picture_id = picture_id_;
    head = codec::write_vp8_descriptor(out, vp8);
  }
  const size_t bytes =
      std::max(wanted, smallest_payload(settings_.shape, settings_.kind, frame.key, head, first));
  if (first) {
    const size_t prefix = prefix_bytes(settings_.shape, settings_.kind, frame.key);
    write_prefix(out.subspan(head, prefix), settings_.shape, settings_.kind, frame.key, frames_,
                 wanted * frame.packet_bytes.size());
    head += prefix;
  }
  bodies_.write(out.subspan(head, bytes - head), {settings_.number, packets_, frame.due});
  return bytes;
}

}  // namespace viaduct::load
