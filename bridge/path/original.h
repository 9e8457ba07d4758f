// What there is to forward, whether it has just arrived or was kept: all that is the same for every receiver, found
// once.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "conference/projection.h"
#include "conference/resend_buffer.h"
#include "path/batch.h"
#include "path/body.h"

namespace viaduct::path {

// Extensions that mean the same to every receiver; each is carried under the receiver's number for it. The dependency
// descriptor is, too, with another frame number. The others are hop by hop (transport sequence numbers, send times) or
// name the sender's own m-sections and streams (MID, RID, layers allocation).
inline constexpr rtp::ExtensionType Carried[] = {
    rtp::ExtensionType::AudioLevel,
    rtp::ExtensionType::VideoOrientation,
    rtp::ExtensionType::PlayoutDelay,
    rtp::ExtensionType::AbsCaptureTime,
};

struct Original {
  const rtp::HeaderView* header = nullptr;
  Body body;
  codec::CodecType codec{};
  uint8_t encoding = 0;
  int64_t sequence = 0;
  const rtp::FrameInfo* frame = nullptr;
  const std::optional<codec::PayloadFront>* front = nullptr;
  std::array<Bytes, std::size(Carried)> carried;  // empty: the sender has none
  Bytes dependency_descriptor;
  uint8_t padding_ready = 0;

  static Original of(const RxPacket& packet, const rtp::ExtensionMap& sender) {
    return of(packet, packet.encoding, packet.head(), packet.body(), sender);
  }
  static Original of(const conference::StoredPacket& stored, uint8_t encoding, const rtp::ExtensionMap& sender) {
    const Bytes packet = stored.packet.bytes();
    return of(stored, encoding, packet.first(stored.header.header_bytes),
              Body(packet.subspan(stored.header.header_bytes, stored.payload_bytes)), sender);
  }

  conference::Projection::In numbers() const {
    return {.encoding = encoding,
            .sequence = sequence,
            .timestamp = header->timestamp,
            .codec = codec,
            .picture = *front ? std::optional((*front)->numbers) : std::nullopt,
            .frame_number = frame->number};
  }

 private:
  template <typename P>
  static Original of(const P& packet, uint8_t encoding, Bytes head, Body body, const rtp::ExtensionMap& sender) {
    Original o{.header = &packet.header,
               .body = body,
               .codec = packet.codec,
               .encoding = encoding,
               .sequence = packet.sequence,
               .frame = &packet.frame,
               .front = &packet.front};
    const auto find = [&](rtp::ExtensionType type) {
      return sender.has(type) ? rtp::find_extension(head, packet.header, sender.id(type)) : Bytes();
    };
    for (size_t i = 0; i < std::size(Carried); ++i) o.carried[i] = find(Carried[i]);
    if (packet.frame.number) o.dependency_descriptor = find(rtp::ExtensionType::DependencyDescriptor);
    return o;
  }
};

}  // namespace viaduct::path
